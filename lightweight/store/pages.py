"""Pages of what people made: the newest first, each going on where the last ended."""

from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Select, tuple_


class Place(Struct, frozen=True):
    """Where a page ended: the next one goes on from here."""

    at: float
    id: str


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
