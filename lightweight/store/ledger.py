"""Writing the bill: each use is a row once, and the sums by day move with the rows."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from math import inf
from operator import itemgetter
from typing import Any, TypeAlias, TypeVar

from msgspec import Raw, json, to_builtins
from sqlalchemy import (
    JSON,
    Connection,
    Dialect,
    Table,
    Text,
    bindparam,
    cast,
    column,
    delete,
    func,
    select,
)

from lightweight.records import Attempted, Usage, Use
from lightweight.store.bulk import ENGINES, Prepared, Values, insert_into, prepared, put
from lightweight.store.schema import (
    PRUNED_COUNTER,
    SUMS,
    audit,
    counters,
    day_totals,
    day_uses,
    last_used,
    uses,
)

MOST = 2**48
"""No count of tokens or micro-USD of one use is taken for more: sums must not overflow.

A provider's own count comes from outside.
"""

ROWS = 1000
"""Rows in one statement."""

RETENTION_LOCK = 0x6C776C65646765
"""PostgreSQL's advisory lock of who deletes old rows; an arbitrary number of ours."""

DayKey: TypeAlias = tuple[str, date, str, str]
"""Account, day, key, model: whose sum it is."""
TotalKey: TypeAlias = tuple[str, date, str]
"""Kind, day, part: what is summed over all accounts."""

Key = TypeVar("Key", bound=tuple[Any, ...])
Groups: TypeAlias = dict[Key, list[tuple[int, ...]]]

PARTS = {"model": "model", "key": "key_id", "account": "account_id"}
"""The kinds of totals, and the column of ``uses`` that each has a part for."""

_SUCCEEDED = ("finished", "client_gone")
_NO_USAGE = Usage()
_NUL = "\\u0000"
"""How JSON writes it."""
_DAY_S = 86_400
_EPOCH = date(1970, 1, 1).toordinal()

_THERE = select(uses.c.id).where(uses.c.id.in_(bindparam("ids", expanding=True)))
_encode = json.Encoder().encode
_tokens_of = itemgetter(*SUMS[2:7])


def record(connection: Connection, ended: Iterable[Use]) -> list[Use]:
    """Write uses and move the sums; give those that were new.

    A request id that has a row keeps it, whatever comes later.
    """
    by_id: dict[str, Use] = {}
    for use in ended:
        by_id.setdefault(use.outcome.request_id, use)
    rows = [_row(use) for use in by_id.values()]
    new: list[Values] = []
    for begin in range(0, len(rows), ROWS):
        new += _inserted(connection, rows[begin : begin + ROWS])
    _add_to_days(connection, new)
    _note_last_used(connection, new)
    return [by_id[row["id"]] for row in new]


def day_of(at: float) -> date:
    """Give the day, in UTC, of a time in seconds since the epoch."""
    return date.fromordinal(_EPOCH + int(at // _DAY_S))


def sums_of(row: Values) -> tuple[int, ...]:
    """Give what a row of ``uses`` adds to the sums of its day, in the order of SUMS."""
    ending, micro_usd = row["ending"], row["micro_usd"]
    succeeded = ending in _SUCCEEDED
    return (
        int(succeeded),
        # Who was refused before a provider was asked did not fail.
        int(not succeeded and ending != "refused"),
        *_tokens_of(row),
        micro_usd or 0,
        int(micro_usd is None),
    )


def prune(
    connection: Connection, *, uses_before: date, audit_before: date, most: int
) -> int:
    """Delete up to ``most`` uses and as many audit entries older than these days.

    Give how many went: 0 when all are gone, or when another machine is at it. The sums
    by day stay.
    """
    if not _is_elected(connection):
        return 0
    _move_horizon(connection, uses_before)
    gone = 0
    for table, before in ((uses, uses_before), (audit, audit_before)):
        midnight = datetime(before.year, before.month, before.day, tzinfo=UTC)
        old = (
            select(table.c.id)
            .where(table.c.at < midnight.timestamp())
            .order_by(table.c.at)
            .limit(most)
        )
        gone += connection.execute(delete(table).where(table.c.id.in_(old))).rowcount
    return gone


def _is_elected(connection: Connection) -> bool:
    """Tell whether this transaction alone may delete what is old."""
    if connection.dialect.name != "postgresql":
        return True  # its only writer
    lock = func.pg_try_advisory_xact_lock(RETENTION_LOCK)
    return bool(connection.execute(select(lock)).scalar_one())


def _row(use: Use) -> Values:
    outcome = use.outcome
    usage = outcome.usage or _NO_USAGE
    return {
        "id": outcome.request_id,
        "account_id": outcome.account_id,
        "key_id": outcome.key_id,
        "model": _clean(outcome.model),
        "provider": _clean(outcome.provider),
        "upstream_model": _clean(outcome.upstream_model),
        "dialect": outcome.dialect,
        "stream": outcome.stream,
        "at": use.at,
        "status": outcome.status,
        "ending": outcome.ending,
        "fault": _clean(outcome.fault),
        "fresh": _sane(usage.fresh),
        "cached": _sane(usage.cached),
        "cache_write": _sane(usage.cache_write),
        "answer": _sane(usage.answer),
        "reasoning": _sane(usage.reasoning),
        "provenance": outcome.provenance,
        "micro_usd": None if use.micro_usd is None else _sane(use.micro_usd),
        "first_byte_s": outcome.first_byte_s,
        "duration_s": outcome.duration_s,
        "attempts": _attempts(outcome.attempts),
    }


def _attempts(attempts: tuple[Attempted, ...]) -> str:
    text = _encode(attempts).decode()
    if _NUL not in text:
        return text
    return _encode(
        [
            {name: _clean(value) for name, value in to_builtins(each).items()}
            for each in attempts
        ]
    ).decode()


def _clean(value: Any) -> Any:
    # PostgreSQL's texts hold no NUL, and one bad row would hold up all that follow.
    return value.replace("\0", "") if isinstance(value, str) else value


def _sane(count: int) -> int:
    return count if 0 <= count <= MOST else max(0, min(count, MOST))


def _inserted(connection: Connection, rows: Sequence[Values]) -> list[Values]:
    """Insert the rows whose ids have none; give them."""
    dialect = connection.dialect
    if dialect.name == "postgresql":
        whole = _encode([{**row, "attempts": Raw(row["attempts"])} for row in rows])
        told = connection.execute(_insert_at_once(dialect), {"rows": whole.decode()})
        added = set(told.scalars())
        return [row for row in rows if row["id"] in added]
    # Nobody comes between: the transaction of a writer has the lock from its start.
    told = connection.execute(_THERE, {"ids": [row["id"] for row in rows]})
    there = set(told.scalars())
    new = [row for row in rows if row["id"] not in there]
    put(connection, _insert_each(dialect), new)
    return new


@lru_cache(ENGINES)
def _insert_each(dialect: Dialect) -> Prepared:
    return prepared(dialect, insert_into(dialect, uses))


@lru_cache(ENGINES)
def _insert_at_once(dialect: Dialect) -> Any:
    """Give an INSERT of ``rows``, a list in JSON: one value, however many they are."""
    given = func.json_to_recordset(cast(bindparam("rows", type_=Text), JSON))
    columns = [column(each.name, each.type) for each in uses.columns]
    rows = given.table_valued(*columns).render_derived(with_types=True)
    insert = insert_into(dialect, uses).from_select(uses.columns.keys(), select(rows))
    return insert.on_conflict_do_nothing().returning(uses.c.id)


def _add_to_days(connection: Connection, rows: Sequence[Values]) -> None:
    by_key: Groups[DayKey] = defaultdict(list)
    for row in rows:
        of = (row["account_id"], day_of(row["at"]), row["key_id"], row["model"])
        by_key[of].append(sums_of(row))
    sums = _added(by_key)
    by_part: Groups[TotalKey] = defaultdict(list)
    for (account_id, day, key_id, model), added in sums.items():
        parts = {"account_id": account_id, "key_id": key_id, "model": model}
        for kind, name in PARTS.items():
            by_part[kind, day, parts[name]].append(added)
    _add(connection, day_uses, sums)
    _add(connection, day_totals, _added(by_part))


def _added(groups: Groups[Key]) -> dict[Key, tuple[int, ...]]:
    return {
        of: tuple(map(sum, zip(*group, strict=True))) for of, group in groups.items()
    }


def _add(
    connection: Connection, table: Table, sums: Mapping[Key, tuple[int, ...]]
) -> None:
    names = (*table.primary_key.columns.keys(), *SUMS)
    put(
        connection,
        _adding(connection.dialect, table),
        # In one order everywhere: two machines must not wait for each other.
        [
            {
                **dict(zip(names, (*of, *added), strict=True)),
                "day": of[1].isoformat(),
            }
            for of, added in sorted(sums.items(), key=itemgetter(0))
        ],
    )


@lru_cache(ENGINES)
def _adding(dialect: Dialect, table: Table) -> Prepared:
    insert = insert_into(dialect, table)
    added = {name: table.c[name] + insert.excluded[name] for name in SUMS}
    return prepared(
        dialect,
        insert.on_conflict_do_update(index_elements=table.primary_key, set_=added),
    )


def _note_last_used(connection: Connection, rows: Sequence[Values]) -> None:
    latest: dict[str, float] = {}
    for row in rows:
        key, at = row["key_id"], row["at"]
        if at > latest.get(key, -inf):
            latest[key] = at
    put(
        connection,
        _noting_last_used(connection.dialect),
        [{"key_id": key, "at": at} for key, at in sorted(latest.items())],
    )


@lru_cache(ENGINES)
def _noting_last_used(dialect: Dialect) -> Prepared:
    insert = insert_into(dialect, last_used)
    return prepared(
        dialect,
        insert.on_conflict_do_update(
            index_elements=last_used.primary_key,
            set_={"at": insert.excluded.at},
            where=last_used.c.at < insert.excluded.at,
        ),
    )


def _move_horizon(connection: Connection, day: date) -> None:
    insert = insert_into(connection.dialect, counters)
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=counters.primary_key,
            set_={"value": insert.excluded.value},
            where=counters.c.value < insert.excluded.value,
        ).values(name=PRUNED_COUNTER, value=day.toordinal())
    )
