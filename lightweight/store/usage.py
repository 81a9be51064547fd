"""Reading the bill. Sums come from the roll-up by day, never from single uses.

Days and months are UTC. Every function takes a connection inside a transaction.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Any, TypeAlias

from msgspec import Struct, convert
from sqlalchemy import Connection, Row, Select, func, select

from lightweight.records import Attempted, DayUse, Outcome, Usage, Use
from lightweight.store.pages import Place, paged
from lightweight.store.schema import day_uses, last_used, uses

Owner: TypeAlias = tuple[str, str]
"""Account and key."""

CLASSES = ("fresh", "cached", "cache_write", "answer", "reasoning")


class Used(Struct, frozen=True, kw_only=True):
    """What counts against a quota."""

    account_id: str
    key_id: str
    """``ALL_KEYS``: the account itself."""
    month: date | None
    """Its first day; None: over all time."""
    tokens: int
    micro_usd: int


ALL_KEYS = ""


def day_uses_between(
    connection: Connection, account_id: str, first: date, last: date
) -> list[DayUse]:
    """Give what each key of an account used of each model, days in order."""
    columns = day_uses.c
    query = (
        select(
            columns.day,
            columns.key_id,
            columns.model,
            columns.succeeded,
            columns.failed,
            columns.micro_usd,
            columns.unpriced,
            *(columns[name] for name in CLASSES),
        )
        .where(columns.account_id == account_id)
        .where(columns.day.between(first, last))
        .order_by(columns.day, columns.key_id, columns.model)
    )
    return [
        DayUse(
            day=day,
            key_id=key_id,
            model=model,
            succeeded=succeeded,
            failed=failed,
            usage=Usage(**dict(zip(CLASSES, tokens, strict=True))),
            micro_usd=micro_usd,
            unpriced=unpriced,
        )
        for day, key_id, model, succeeded, failed, micro_usd, unpriced, *tokens in (
            connection.execute(query)
        )
    ]


def used_in_month(
    connection: Connection, accounts: Collection[str] | None, year: int, month: int
) -> dict[Owner, tuple[int, int]]:
    """Give tokens and micro-USD of each key of these accounts; None: of all."""
    turn = date(year + month // 12, month % 12 + 1, 1)
    query = _used(accounts)
    query = query.where(day_uses.c.day >= date(year, month, 1))
    return _by_owner(connection, query.where(day_uses.c.day < turn))


def used_ever(
    connection: Connection, accounts: Collection[str] | None
) -> dict[Owner, tuple[int, int]]:
    """Give the same over all time: what prepaid quotas are measured by."""
    return _by_owner(connection, _used(accounts))


def totals(
    connection: Connection, accounts: Collection[str] | None, month: date | None
) -> list[Used]:
    """Give the use of a month, or of all time, by each account and each of its keys.

    ``month`` is any day of it; ``accounts`` None: of all.
    """
    if month is None:
        by_key = used_ever(connection, accounts)
    else:
        by_key = used_in_month(connection, accounts, month.year, month.month)
    by_subject = dict(by_key)
    for (account, _), (tokens, micro_usd) in by_key.items():
        so_far = by_subject.get((account, ALL_KEYS), (0, 0))
        by_subject[account, ALL_KEYS] = so_far[0] + tokens, so_far[1] + micro_usd
    return [
        Used(
            account_id=account,
            key_id=key,
            month=month and month.replace(day=1),
            tokens=tokens,
            micro_usd=micro_usd,
        )
        for (account, key), (tokens, micro_usd) in sorted(by_subject.items())
    ]


def recent_admissions(
    connection: Connection, since: float
) -> dict[Owner, Counter[int]]:
    """Give how many requests of each key arrived in each second from ``since``."""
    query = (
        select(uses.c.account_id, uses.c.key_id, uses.c.at)
        .where(uses.c.at >= since)
        # Refused by ourselves: the limiter gave it back.
        .where(uses.c.ending != "refused")
    )
    return count_seconds(connection.execute(query))


def count_seconds(
    arrivals: Iterable[Sequence[Any]],
) -> dict[Owner, Counter[int]]:
    """Count arrivals (account, key, time) by owner and whole second."""
    counted: defaultdict[Owner, Counter[int]] = defaultdict(Counter)
    for account_id, key_id, at in arrivals:
        counted[account_id, key_id][int(at)] += 1
    return dict(counted)


def request_log(
    connection: Connection,
    *,
    account_id: str | None = None,
    after: Place | None = None,
    most: int = 50,
) -> list[Use]:
    """Give a page of uses, the newest first: of one account, or of all.

    ``after`` is the place of the last page's last use (``place_of``).
    """
    query = paged(select(uses), uses.c.at, uses.c.id, after=after, most=most)
    if account_id is not None:
        query = query.where(uses.c.account_id == account_id)
    return [use_of(row) for row in connection.execute(query)]


def find_use(connection: Connection, request_id: str) -> Use | None:
    """Give the use of a request; None where there is none, or no longer."""
    if not request_id.isprintable():
        return None
    row = connection.execute(select(uses).where(uses.c.id == request_id)).first()
    return None if row is None else use_of(row)


def place_of(use: Use) -> Place:
    """Give the place of a use in the request log."""
    return Place(use.at, use.outcome.request_id)


def last_used_at(
    connection: Connection, keys: Collection[str] | None = None
) -> dict[str, float]:
    """Give when keys (None: all) were used last; one that never was is not there."""
    query = select(last_used)
    if keys is not None:
        query = query.where(last_used.c.key_id.in_(keys))
    return {row.key_id: row.at for row in connection.execute(query)}


def _used(accounts: Collection[str] | None) -> Select[Any]:
    tokens = sum((day_uses.c[name] for name in CLASSES[1:]), day_uses.c[CLASSES[0]])
    query = select(
        day_uses.c.account_id,
        day_uses.c.key_id,
        func.sum(tokens),
        func.sum(day_uses.c.micro_usd),
    ).group_by(day_uses.c.account_id, day_uses.c.key_id)
    if accounts is not None:
        query = query.where(day_uses.c.account_id.in_(accounts))
    return query


def _by_owner(
    connection: Connection, query: Select[Any]
) -> dict[Owner, tuple[int, int]]:
    # PostgreSQL sums BIGINT to NUMERIC.
    return {
        (account, key): (int(tokens), int(micro_usd))
        for account, key, tokens, micro_usd in connection.execute(query)
    }


def _usage(row: Row[Any]) -> Usage:
    return Usage(**{name: getattr(row, name) for name in CLASSES})


def use_of(row: Row[Any]) -> Use:
    """Make the record of a row of ``uses``."""
    outcome = Outcome(
        request_id=row.id,
        account_id=row.account_id,
        key_id=row.key_id,
        model=row.model,
        provider=row.provider,
        upstream_model=row.upstream_model,
        dialect=row.dialect,
        stream=row.stream,
        status=row.status,
        ending=row.ending,
        fault=row.fault,
        usage=None if row.provenance is None else _usage(row),
        provenance=row.provenance,
        first_byte_s=row.first_byte_s,
        duration_s=row.duration_s,
        attempts=convert(row.attempts, tuple[Attempted, ...]),
    )
    return Use(outcome=outcome, at=row.at, micro_usd=row.micro_usd)
