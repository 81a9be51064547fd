"""What the dashboard shows of the bill: sums by the day, and how fast answers begin.

Sums come from the roll-ups: an account's own, or for operators the totals of all. So a
query reads some rows for each day, whatever the ledger holds.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from typing import Any, Literal, TypeAlias

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Select, func, select

from lightweight.policy.bill import Bill
from lightweight.records import Usage
from lightweight.store.ledger import PARTS
from lightweight.store.pages import paged
from lightweight.store.schema import accounts, day_totals, day_uses, keys, uses
from lightweight.store.usage import CLASSES

Part: TypeAlias = Literal["model", "key", "account"]
"""What sums may be parted by."""

NAMED = 1000
"""Ids that one statement asks the names of."""

MEASURED = 500
"""Uses that times to the first byte are taken from."""

_COUNTED = ("succeeded", "failed", "micro_usd", "unpriced", *CLASSES)


class DaySum(Struct, frozen=True):
    """What was used on a day, of one part."""

    day: date
    part: str
    """A model, or the id of a key or an account."""
    bill: Bill


class Period(Struct, frozen=True, kw_only=True):
    """Which sums are asked for."""

    account_id: str | None
    """None: over all accounts."""
    first: date
    last: date
    """Counted too."""


def day_bills(connection: Connection, period: Period) -> dict[date, Bill]:
    """Give the bill of each day on which something was used, days in order."""
    day = _column(period, "day")
    query = _sums(period, "model", day).order_by(day)
    return {row[0]: _bill(row[1:]) for row in connection.execute(query)}


def part_bills(connection: Connection, period: Period, part: Part) -> dict[str, Bill]:
    """Give the bill of each part over the whole period."""
    column = _part(period, part)
    query = _sums(period, part, column).order_by(column)
    return {row[0]: _bill(row[1:]) for row in connection.execute(query)}


def day_sums(
    connection: Connection, period: Period, part: Part, only: Collection[str]
) -> list[DaySum]:
    """Give the sums of each day of ``only`` these parts, days in order."""
    day, column = _column(period, "day"), _part(period, part)
    query = _sums(period, part, day, column).where(column.in_(only))
    query = query.order_by(day, column)
    return [DaySum(row[0], row[1], _bill(row[2:])) for row in connection.execute(query)]


def _sums(period: Period, part: Part, *by: ColumnElement[Any]) -> Select[Any]:
    days = _column(period, "day").between(period.first, period.last)
    counted = (func.sum(_column(period, name)) for name in _COUNTED)
    query = select(*by, *counted).where(days).group_by(*by)
    if period.account_id is None:
        return query.where(day_totals.c.kind == part)
    return query.where(day_uses.c.account_id == period.account_id)


def _column(period: Period, name: str) -> ColumnElement[Any]:
    return (day_totals if period.account_id is None else day_uses).c[name]


def _part(period: Period, part: Part) -> ColumnElement[Any]:
    return _column(period, "part" if period.account_id is None else PARTS[part])


def _bill(sums: Sequence[Any]) -> Bill:
    # PostgreSQL sums BIGINT to NUMERIC.
    succeeded, failed, micro_usd, unpriced, *tokens = map(int, sums)
    return Bill(
        succeeded=succeeded,
        failed=failed,
        usage=Usage(**dict(zip(CLASSES, tokens, strict=True))),
        micro_usd=micro_usd,
        unpriced=unpriced,
    )


def first_bytes(connection: Connection, account_id: str | None) -> Sequence[float]:
    """Give the seconds to the first byte of the latest streams, in ascending order."""
    found = select(uses.c.at, uses.c.id, uses.c.first_byte_s)
    if account_id is not None:
        found = found.where(uses.c.account_id == account_id)
    query = paged(found, uses.c.at, uses.c.id, after=None, most=MEASURED)
    return sorted(
        row.first_byte_s
        for row in connection.execute(query)
        if row.first_byte_s is not None
    )


def key_names(connection: Connection, ids: Collection[str]) -> dict[str, str]:
    """Give what people know keys by, as far as there are such keys."""
    query = select(keys.c.id, keys.c.name, keys.c.shown)
    return {
        row.id: row.name or row.shown
        for some in _some(ids)
        for row in connection.execute(query.where(keys.c.id.in_(some)))
    }


def account_names(connection: Connection, ids: Collection[str]) -> dict[str, str]:
    """Give the names of accounts, as far as there are such accounts."""
    query = select(accounts.c.id, accounts.c.name)
    return {
        row.id: row.name
        for some in _some(ids)
        for row in connection.execute(query.where(accounts.c.id.in_(some)))
    }


def _some(ids: Collection[str]) -> Iterator[Sequence[str]]:
    """Give the ids in parts that a statement can hold."""
    every = sorted(ids)
    for start in range(0, len(every), NAMED):
        yield every[start : start + NAMED]
