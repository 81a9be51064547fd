"""Writing many rows with one statement, as fast as the driver is."""

from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Connection, Dialect, Table
from sqlalchemy.dialects import sqlite

ENGINES = 4
"""For how many databases statements are kept prepared."""

Values: TypeAlias = Mapping[str, Any]
"""A row, by the names of its columns; its values are as the driver takes them."""


def insert_into(dialect: Dialect, table: Table) -> Any:
    """Give an INSERT that knows ON CONFLICT, in the words of this database."""
    if dialect.name == "postgresql":
        # SQLite's users need not wait for it.
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415 -- as it says

        return postgresql.insert(table)
    return sqlite.insert(table)


class Prepared(NamedTuple):
    """A statement for many rows, in the words of this database."""

    text: str
    values: Callable[[Values], Any]
    """Gives those of a row as the driver takes them."""


def prepared(dialect: Dialect, statement: Any) -> Prepared:
    """Compile a statement with a value for each column it names."""
    compiled = statement.compile(dialect=dialect)
    if compiled.positiontup is None:
        return Prepared(str(compiled), dict)
    return Prepared(str(compiled), itemgetter(*compiled.positiontup))


def put(connection: Connection, statement: Prepared, rows: Iterable[Values]) -> None:
    """Execute a statement for each of these rows.

    SQLAlchemy would look at every value of them, which costs more than all the rest.
    """
    values = list(map(statement.values, rows))
    if values:
        connection.exec_driver_sql(statement.text, values)
