"""PostgreSQL, the database that several machines share: its engine and its complaints.

psycopg is an extra: it is imported when a database of this kind is opened.
"""

from importlib import import_module
from typing import Any
from urllib.parse import unquote

from sqlalchemy import URL, Engine, create_engine
from sqlalchemy.exc import DBAPIError, NotSupportedError, ProgrammingError

from lightweight.store.problems import StoreProblem

CONNECTIONS = 8
"""The most that one process opens; more threads than that wait for each other."""

READ_ONLY = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
"""Execution options of a transaction that sees one state and cannot change it."""

_FROZEN_S = 60
"""A process that stops inside a transaction loses its locks after so many seconds."""

_STATE_OF_THE_DATABASE = {
    "42501",  # insufficient privilege
    "42P01",  # undefined table
}
"""What PostgreSQL counts among a program's mistakes and an operator can mend."""


def open_postgres(url: URL, wait_s: float) -> Engine:
    """Give an engine for ``url``; nothing is connected yet.

    A statement, a lock, a connection and a free place in the pool are each waited for
    ``wait_s`` seconds. Connections are tried before they are used, so a server that
    was restarted is found again by itself.
    """
    return create_engine(
        _with_socket(url).set(drivername="postgresql+psycopg"),
        connect_args=_settings(url, wait_s),
        # Digests of keys belong into no log and no error.
        hide_parameters=True,
        pool_pre_ping=True,
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=wait_s,
        # A verb takes its turn by a row's lock and must then see what others did before
        # it: a snapshot taken at BEGIN would hide that, and fail where this waits.
        isolation_level="READ COMMITTED",
    )


def check_url(url: URL) -> None:
    """Raise StoreProblem where the driver is missing or does not know an option."""
    try:
        driver = import_module("psycopg")
    except ImportError as problem:
        raise StoreProblem(
            "PostgreSQL needs its driver: pip install 'lightweight-gateway[postgres]'."
        ) from problem
    try:
        driver.conninfo.make_conninfo("", **dict.fromkeys(url.query, ""))
    except driver.ProgrammingError as problem:
        raise StoreProblem(f"database.url has an {str(problem).strip()}.") from problem


def without_password(url: URL) -> str:
    """Give the URL as libpq's own tools read it, to be shown."""
    bare = _with_socket(url).set(drivername="postgresql")
    bare = bare.difference_update_query(["password", "sslpassword"])
    return bare._replace(password=None).render_as_string()


def describe(error: DBAPIError) -> str | None:
    """Say in one sentence what the database could not do; None for a bug of ours.

    The password is in none: the driver never repeats it.
    """
    orig: Any = error.orig
    mistaken = isinstance(error, ProgrammingError | NotSupportedError)
    if mistaken and orig.sqlstate not in _STATE_OF_THE_DATABASE:
        return None
    if orig.sqlstate is None:
        # The driver's words are those of libpq, with its guesses on further lines.
        told = str(orig).partition("\n")[0].removesuffix(".")
        return (
            f"The database cannot be reached ({told}): start it, or correct "
            "database.url."
        )
    return f"The database cannot be used: {orig.diag.message_primary}."


def _with_socket(url: URL) -> URL:
    """Move a socket's directory from the host's place, ``%2Frun%2Fpg``, to the query.

    libpq reads both; SQLAlchemy would take the first for a name.
    """
    directory = unquote(url.host or "")
    if not directory.startswith("/"):
        return url
    place = {"host": directory} | ({"port": str(url.port)} if url.port else {})
    return url._replace(host=None, port=None).update_query_dict(place)


def _settings(url: URL, wait_s: float) -> dict[str, object]:
    wait_ms = round(wait_s * 1000)
    options = (
        f"-c statement_timeout={wait_ms} -c lock_timeout={wait_ms} "
        f"-c idle_in_transaction_session_timeout={_FROZEN_S * 1000}"
    )
    ours = {
        "application_name": "lightweight",
        "connect_timeout": max(2, round(wait_s)),
        # A server that vanished without a word is noticed, too.
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 2 * wait_ms,
    }
    return {
        **{name: value for name, value in ours.items() if name not in url.query},
        "options": f"{options} {url.query.get('options', '')}".strip(),
        # Prepared statements do not go through poolers, and nothing here is hot.
        "prepare_threshold": None,
    }
