"""Bringing a database to the schema of this code, and never past it."""

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import func, select

from lightweight.store.connect import (
    Connection,
    Engine,
    is_sqlite,
    reading,
    writing,
)
from lightweight.store.problems import StoreProblem

TURN_S = 60
"""How long a migration waits on PostgreSQL for other machines, in seconds."""

_LOCK = 0x6C77_6D69_6772  # "lwmigr": the same number on every machine


class SchemaTooNew(StoreProblem):
    """The database was migrated by a newer Lightweight than this one."""


def upgrade(engine: Engine) -> None:
    """Create or migrate the tables, in one transaction: all of it or nothing.

    Processes and machines that start at once take turns and the next finds the work
    done. A database that is up to date is only read. Raises SchemaTooNew and
    StoreUnusable.
    """
    config = _config()
    scripts = ScriptDirectory.from_config(config)
    with reading(engine) as connection:
        if _is_current(connection, scripts):
            return
    with writing(engine) as connection:
        if not is_sqlite(engine):
            _take_turn(connection)
        if _is_current(connection, scripts):
            return
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def revision(engine: Engine) -> str | None:
    """Give the revision the database has, None for an empty one.

    Raises StoreUnusable.
    """
    with reading(engine) as connection:
        return _revision(connection)


def newest() -> str:
    """Give the revision that ``upgrade`` brings a database to."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def _take_turn(connection: Connection) -> None:
    """Keep other machines out until the commit, and let the work take its time."""
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {TURN_S * 1000}")
    connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
    connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def _is_current(connection: Connection, scripts: ScriptDirectory) -> bool:
    theirs = _revision(connection)
    ours = scripts.get_current_head()
    known = {script.revision for script in scripts.walk_revisions()}
    if theirs is not None and theirs not in known:
        raise SchemaTooNew(
            f"The database has schema {theirs} and this Lightweight knows none newer "
            f"than {ours}: install the version that wrote it, or restore a backup."
        )
    return theirs == ours


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _config() -> Config:
    config = Config()
    # A package and not a path: found in a wheel, from any directory.
    config.set_main_option("script_location", "lightweight.store:migrations")
    return config
