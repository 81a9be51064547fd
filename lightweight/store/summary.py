"""What the dashboard shows of the bill: sums by the day, and the latest requests.

Each query is bounded whatever the ledger holds: sums come from the roll-up, and single
uses are looked at newest first, ``SCANNED`` of them at most.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from typing import Literal, TypeAlias

from msgspec import Struct
from sqlalchemy import Connection, func, select

from lightweight.policy.bill import Bill
from lightweight.records import Usage, Use
from lightweight.store.pages import Place, paged
from lightweight.store.schema import accounts, day_uses, keys, uses
from lightweight.store.usage import CLASSES, use_of

Part: TypeAlias = Literal["model", "key", "account"]
"""What a day's sum may be parted by."""

SCANNED = 5000
"""Uses that a filter looks at before it gives up."""

NAMED = 1000
"""Ids that one statement asks the names of."""

MEASURED = 500
"""Uses that times to the first byte are taken from."""

_COLUMNS = {
    "model": day_uses.c.model,
    "key": day_uses.c.key_id,
    "account": day_uses.c.account_id,
}


class DaySum(Struct, frozen=True):
    """What was used on a day, of one part."""

    day: date
    part: str
    """A model, or the id of a key or an account."""
    bill: Bill


class Wanted(Struct, frozen=True, kw_only=True):
    """Which requests to show; empty: any."""

    key_id: str = ""
    model: str = ""
    failed: bool | None = None
    """Only those that failed, or only the others."""


ANY = Wanted()


def day_sums(
    connection: Connection,
    account_id: str | None,
    first: date,
    last: date,
    part: Part = "model",
) -> list[DaySum]:
    """Give the sums of each day and part, of an account or of all, days in order."""
    column = _COLUMNS[part]
    counted = ("succeeded", "failed", "micro_usd", "unpriced", *CLASSES)
    query = (
        select(
            day_uses.c.day, column, *(func.sum(day_uses.c[name]) for name in counted)
        )
        .where(day_uses.c.day.between(first, last))
        .group_by(day_uses.c.day, column)
        .order_by(day_uses.c.day, column)
    )
    if account_id is not None:
        query = query.where(day_uses.c.account_id == account_id)
    return [
        # PostgreSQL sums BIGINT to NUMERIC.
        DaySum(day, name, _bill(*map(int, sums)))
        for day, name, *sums in connection.execute(query)
    ]


def _bill(
    succeeded: int, failed: int, micro_usd: int, unpriced: int, *tokens: int
) -> Bill:
    return Bill(
        succeeded=succeeded,
        failed=failed,
        usage=Usage(**dict(zip(CLASSES, tokens, strict=True))),
        micro_usd=micro_usd,
        unpriced=unpriced,
    )


def wanted_uses(
    connection: Connection,
    *,
    account_id: str | None,
    wanted: Wanted = ANY,
    after: Place | None = None,
    most: int = 50,
) -> list[Use]:
    """Give a page of the request log, the newest first, of one account or of all.

    With a filter only the SCANNED uses that follow ``after`` are looked at.
    """
    found = select(uses)
    if account_id is not None:
        found = found.where(uses.c.account_id == account_id)
    scanned = most if wanted == ANY else SCANNED
    latest = paged(found, uses.c.at, uses.c.id, after=after, most=scanned).subquery()
    query = select(latest).order_by(latest.c.at.desc(), latest.c.id.desc()).limit(most)
    if wanted.key_id:
        query = query.where(latest.c.key_id == wanted.key_id)
    if wanted.model:
        query = query.where(latest.c.model == wanted.model)
    if wanted.failed is not None:
        well = latest.c.ending.in_(("finished", "client_gone"))
        query = query.where(~well if wanted.failed else well)
    return [use_of(row) for row in connection.execute(query)]


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
