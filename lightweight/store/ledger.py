"""Writing the bill: each use is a row once, and the sums by day move with the rows."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, TypeAlias

from msgspec import to_builtins
from sqlalchemy import Connection, Table, delete, func, select
from sqlalchemy.dialects import sqlite

from lightweight.records import Usage, Use
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

ROWS = 500
"""Rows in one statement."""

RETENTION_LOCK = 0x6C776C65646765
"""PostgreSQL's advisory lock of who deletes old rows; an arbitrary number of ours."""

Values: TypeAlias = Mapping[str, Any]
DayKey: TypeAlias = tuple[str, date, str, str]
"""Account, day, key, model: whose sum it is."""
TotalKey: TypeAlias = tuple[str, date, str]
"""Kind, day, part: what is summed over all accounts."""

PARTS = {"model": "model", "key": "key_id", "account": "account_id"}
"""The kinds of totals, and the column of ``uses`` that each has a part for."""


def insert_into(connection: Connection, table: Table) -> Any:
    """Give an INSERT that knows ON CONFLICT, in the words of this database."""
    if connection.dialect.name == "postgresql":
        # SQLite's users need not wait for it.
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415 -- as it says

        return postgresql.insert(table)
    return sqlite.insert(table)


def record(connection: Connection, ended: Iterable[Use]) -> list[Use]:
    """Write uses and move the sums; give those that were new.

    A request id that has a row keeps it, whatever comes later.
    """
    by_id: dict[str, Use] = {}
    for use in ended:
        by_id.setdefault(use.outcome.request_id, use)
    rows = {name: _row(use) for name, use in by_id.items()}
    added: set[str] = set()
    for begin in range(0, len(rows), ROWS):
        insert = (
            insert_into(connection, uses).on_conflict_do_nothing().returning(uses.c.id)
        )
        some = list(rows.values())[begin : begin + ROWS]
        added.update(connection.execute(insert, some).scalars())
    new = [name for name in by_id if name in added]
    _add_to_days(connection, [rows[name] for name in new])
    _note_last_used(connection, [rows[name] for name in new])
    return [by_id[name] for name in new]


def day_of(at: float) -> date:
    """Give the day, in UTC, of a time in seconds since the epoch."""
    return datetime.fromtimestamp(at, UTC).date()


def sums_of(row: Values) -> dict[str, int]:
    """Give what a row of ``uses`` adds to the sums of its day."""
    succeeded = row["ending"] in {"finished", "client_gone"}
    return {
        "succeeded": int(succeeded),
        # Who was refused before a provider was asked did not fail.
        "failed": int(not succeeded and row["ending"] != "refused"),
        **{name: row[name] for name in SUMS[2:7]},
        "micro_usd": row["micro_usd"] or 0,
        "unpriced": int(row["micro_usd"] is None),
    }


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


def _row(use: Use) -> dict[str, Any]:
    outcome = use.outcome
    usage = outcome.usage or Usage()
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
        "attempts": [
            {name: _clean(value) for name, value in to_builtins(each).items()}
            for each in outcome.attempts
        ],
    }


def _clean(value: Any) -> Any:
    # PostgreSQL's texts hold no NUL, and one bad row would hold up all that follow.
    return value.replace("\0", "") if isinstance(value, str) else value


def _sane(count: int) -> int:
    return max(0, min(count, MOST))


def _add_to_days(connection: Connection, rows: Sequence[Values]) -> None:
    sums: dict[DayKey, dict[str, int]] = {}
    totals: dict[TotalKey, dict[str, int]] = {}
    for row in rows:
        day = day_of(row["at"])
        of = (row["account_id"], day, row["key_id"], row["model"])
        added = sums_of(row)
        _move(sums.setdefault(of, dict.fromkeys(SUMS, 0)), added)
        for kind, column in PARTS.items():
            whole = totals.setdefault((kind, day, row[column]), dict.fromkeys(SUMS, 0))
            _move(whole, added)
    _add(connection, day_uses, sums)
    _add(connection, day_totals, totals)


def _move(total: dict[str, int], added: Mapping[str, int]) -> None:
    for name, value in added.items():
        total[name] += value


def _add(
    connection: Connection,
    table: Table,
    sums: Mapping[DayKey, Mapping[str, int]] | Mapping[TotalKey, Mapping[str, int]],
) -> None:
    if not sums:
        return
    insert = insert_into(connection, table)
    added = {name: table.c[name] + insert.excluded[name] for name in SUMS}
    names = [column.name for column in table.primary_key]
    connection.execute(
        insert.on_conflict_do_update(index_elements=table.primary_key, set_=added),
        # In one order everywhere: two machines must not wait for each other.
        [
            {**dict(zip(names, of, strict=True)), **total}
            for of, total in sorted(sums.items())
        ],
    )


def _note_last_used(connection: Connection, rows: Sequence[Values]) -> None:
    latest: dict[str, float] = {}
    for row in rows:
        latest[row["key_id"]] = max(row["at"], latest.get(row["key_id"], row["at"]))
    if not latest:
        return
    insert = insert_into(connection, last_used)
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=last_used.primary_key,
            set_={"at": insert.excluded.at},
            where=last_used.c.at < insert.excluded.at,
        ),
        [{"key_id": key, "at": at} for key, at in sorted(latest.items())],
    )


def _move_horizon(connection: Connection, day: date) -> None:
    insert = insert_into(connection, counters)
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=counters.primary_key,
            set_={"value": insert.excluded.value},
            where=counters.c.value < insert.excluded.value,
        ).values(name=PRUNED_COUNTER, value=day.toordinal())
    )
