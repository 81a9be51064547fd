"""The request log through filters: found by an index, within bounds, and told how far.

A key and what failed have indexes and are found as far back as the log goes. For a
model the sums by day say on which day to begin to look, since one more index would make
the import of every use dearer. What no index knows is looked for among SCANNED uses;
who wants more goes on from where that ended.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, Select, func, select

from lightweight.records import Use
from lightweight.store.ledger import day_of
from lightweight.store.pages import Place, paged
from lightweight.store.schema import FAILED, day_totals, day_uses, keys, uses
from lightweight.store.usage import use_of

SCANNED = 5000
"""Uses that are looked at for filters without an index, before it is given up."""


class Wanted(Struct, frozen=True, kw_only=True):
    """Which requests to show; empty: any."""

    account_id: str | None = None
    key_id: str = ""
    model: str = ""
    failed: bool | None = None
    """Only those that failed, or only the others."""


class Found(Struct, frozen=True, kw_only=True):
    """A page of the log."""

    uses: list[Use]
    """The newest first."""
    ended: Place | None = None
    """Where the looking was given up; None: it found enough, or saw all there is."""
    looked_at: int = 0
    """How many uses that were till then."""


def wanted_uses(
    connection: Connection,
    wanted: Wanted,
    *,
    after: Place | None = None,
    most: int = 50,
) -> Found:
    """Give a page of the request log."""
    if wanted.key_id and wanted.account_id is not None:
        owner = select(keys.c.account_id).where(keys.c.id == wanted.key_id)
        if connection.execute(owner).scalar() != wanted.account_id:
            # How far its uses go back would tell of them.
            return Found(uses=[])
    if wanted.model:
        day = _last_day(connection, wanted, after)
        if day is None:
            return Found(uses=[])
        after = _within(day, after)
    query, rest = _by_index(wanted)
    if rest == Wanted():
        rows = connection.execute(paged(query, *_ORDER, after=after, most=most))
        return Found(uses=[use_of(row) for row in rows])
    looked_at = paged(query, *_ORDER, after=after, most=SCANNED).subquery()
    order = (looked_at.c.at.desc(), looked_at.c.id.desc())
    fitting = select(looked_at).order_by(*order).limit(most)
    rows = connection.execute(_narrowed(fitting, rest, looked_at.c))
    found = [use_of(row) for row in rows]
    if len(found) == most:
        return Found(uses=found)
    last = select(looked_at.c.at, looked_at.c.id).order_by(*order).offset(SCANNED - 1)
    end = connection.execute(last.limit(1)).first()
    if end is None:
        return Found(uses=found)
    return Found(uses=found, ended=Place(end.at, end.id), looked_at=SCANNED)


_ORDER = (uses.c.at, uses.c.id)


def _last_day(
    connection: Connection, wanted: Wanted, after: Place | None
) -> date | None:
    """Give the last day, from where ``after`` is, on which the model was used."""
    if wanted.account_id is None:
        day = day_totals.c.day
        query = select(func.max(day)).where(
            day_totals.c.kind == "model", day_totals.c.part == wanted.model
        )
    else:
        day = day_uses.c.day
        query = select(func.max(day)).where(
            day_uses.c.account_id == wanted.account_id,
            day_uses.c.model == wanted.model,
        )
    if after is not None:
        query = query.where(day <= day_of(after.at))
    found: date | None = connection.execute(query).scalar()
    return found


def _within(day: date, after: Place | None) -> Place:
    """Give ``after``, or the end of the day where that comes before it."""
    end = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(1)
    midnight = Place(end.timestamp(), "")
    return midnight if after is None or after.at >= midnight.at else after


def _by_index(wanted: Wanted) -> tuple[Select[Any], Wanted]:
    """Give the query that an index answers, and what it leaves to look for."""
    query = select(uses)
    if wanted.key_id:
        return query.where(uses.c.key_id == wanted.key_id), replace(wanted, key_id="")
    if wanted.failed:
        query = query.where(FAILED)
        if wanted.account_id is not None:
            query = query.where(uses.c.account_id == wanted.account_id)
        return query, replace(wanted, failed=None, account_id=None)
    if wanted.account_id is not None:
        query = query.where(uses.c.account_id == wanted.account_id)
        return query, replace(wanted, account_id=None)
    return query, wanted


def _narrowed(query: Select[Any], rest: Wanted, of: Any) -> Select[Any]:
    if rest.account_id is not None:
        query = query.where(of.account_id == rest.account_id)
    if rest.model:
        query = query.where(of.model == rest.model)
    if rest.failed is not None:
        well = of.ending.in_(("finished", "client_gone"))
        query = query.where(~well if rest.failed else well)
    return query
