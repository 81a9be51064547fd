"""The migrations there are, by Alembic: how a database gets from one to another.

Importing Alembic takes a seventh of a second and 10 MiB, and almost every start finds
nothing to do: ``migrate`` comes here only where there is something.
"""

from collections.abc import Collection

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection


def known() -> Collection[str]:
    """Give every revision that this code knows."""
    scripts = ScriptDirectory.from_config(_config())
    return {script.revision for script in scripts.walk_revisions()}


def bring(connection: Connection, to: str) -> None:
    """Bring a database from the revision it has to a later one."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def _config() -> Config:
    config = Config()
    # A package and not a path: found in a wheel, from any directory.
    config.set_main_option("script_location", "lightweight.store:migrations")
    return config
