"""Pages of what people made: the newest first, each going on where the last ended."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Row, Select, Table, select, tuple_


class Place(Struct, frozen=True):
    """Where a page ended: the next one goes on from here."""

    at: float
    id: str


def page_of(
    connection: Connection,
    table: Table,
    *conditions: ColumnElement[bool],
    after: Place | None,
    most: int | None,
) -> Sequence[Row[Any]]:
    """Give a page of a table's rows, which have ``created_at`` and ``id``."""
    query = select(table).where(*conditions)
    columns = table.c
    return connection.execute(
        paged(query, columns.created_at, columns.id, after=after, most=most)
    ).all()


def paged(
    query: Select[Any],
    at: ColumnElement[float],
    row_id: ColumnElement[str],
    *,
    after: Place | None,
    most: int | None,
) -> Select[Any]:
    """Give ``most`` rows (None: all) that follow ``after``, the newest first.

    What is added meanwhile moves no page.
    """
    query = query.order_by(at.desc(), row_id.desc()).limit(most)
    if after is not None:
        query = query.where(tuple_(at, row_id) < (after.at, after.id))
    return query
