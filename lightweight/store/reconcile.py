"""Does the bill add up? The journals against the ledger, the sums against the rows."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Select, func, select

from lightweight.records import Use
from lightweight.store.importer import Position, read_positions, told_of
from lightweight.store.ledger import PARTS, DayKey, day_of, sums_of
from lightweight.store.schema import (
    PRUNED_COUNTER,
    SUMS,
    counters,
    day_totals,
    day_uses,
    uses,
)
from lightweight.store.segments import (
    records_in,
    segment_numbers,
    segment_path,
    writer_names,
)

ASKED = 500
"""Ids in one question."""


class Difference(Struct, frozen=True, kw_only=True):
    """A sum by day that is not the sum of its rows.

    Of a total over all accounts only one of account, key and model says something; its
    rows are the sums of each account.
    """

    account_id: str
    day: date
    key_id: str
    model: str
    what: str
    """Which sum: ``succeeded``, ``fresh``, …"""
    rolled_up: int
    rows: int


class Findings(Struct, frozen=True, kw_only=True):
    """What does not agree."""

    waiting: int
    """Records in journals that were not imported yet."""
    missing: tuple[str, ...]
    """Ids that count as imported and are not in the ledger."""
    broken: int
    """Lines of journals that nobody can read, in the part that was imported."""
    differences: tuple[Difference, ...]

    @property
    def agree(self) -> bool:
        """All is as it should be."""
        return not (self.waiting or self.missing or self.broken or self.differences)


class _Journals(Struct):
    waiting: int = 0
    broken: int = 0
    imported: set[str] = set()


def reconcile(connection: Connection, journal: Path) -> Findings:
    """Compare everything; raise StoreUnusable where a journal cannot be read.

    While the daemon serves, a few records may wait for the next import.
    """
    horizon = _horizon(connection)
    # The positions come first: what is imported meanwhile is looked for in vain.
    positions = read_positions(connection)
    with told_of(journal):
        journals = _read_journals(journal, positions, horizon)
    return Findings(
        waiting=journals.waiting,
        broken=journals.broken,
        missing=tuple(_missing(connection, journals.imported)),
        differences=(
            *_differences(connection, horizon),
            *_differences_of_totals(connection),
        ),
    )


def _horizon(connection: Connection) -> date:
    """Give the first day whose rows are all there."""
    query = select(counters.c.value).where(counters.c.name == PRUNED_COUNTER)
    return date.fromordinal(connection.execute(query).scalar() or 1)


def _read_journals(
    journal: Path, positions: Mapping[str, Position], horizon: date
) -> _Journals:
    found = _Journals()
    for writer in writer_names(journal):
        read = positions.get(writer, Position())
        for number in segment_numbers(journal / writer):
            # The importer deletes what it has no need of.
            with suppress(FileNotFoundError):
                path = segment_path(journal / writer, number)
                _read_segment(path, _end(read, number), horizon, found)
    return found


def _end(read: Position, number: int) -> float:
    """Give how many bytes of a segment were imported."""
    if read.done or number < read.segment:
        return float("inf")
    return read.position if number == read.segment else 0


def _read_segment(path: Path, read: float, horizon: date, found: _Journals) -> None:
    for record, end in records_in(path.read_bytes(), live=False):
        if end > read:
            found.waiting += 1
        elif record is None:
            found.broken += 1
        elif isinstance(record, Use) and day_of(record.at) >= horizon:
            found.imported.add(record.outcome.request_id)


def _missing(connection: Connection, ids: set[str]) -> list[str]:
    wanted = sorted(ids)
    missing = []
    for begin in range(0, len(wanted), ASKED):
        some = wanted[begin : begin + ASKED]
        query = select(uses.c.id).where(uses.c.id.in_(some))
        there = set(connection.execute(query).scalars())
        missing += [each for each in some if each not in there]
    return missing


def _differences(connection: Connection, horizon: date) -> list[Difference]:
    rows = _sums_of_rows(connection, horizon)
    rolled_up: dict[DayKey, Mapping[str, Any]] = {
        (row["account_id"], row["day"], row["key_id"], row["model"]): dict(row)
        for row in connection.execute(
            select(day_uses).where(day_uses.c.day >= horizon)
        ).mappings()
    }
    nothing = dict.fromkeys(SUMS, 0)
    return [
        Difference(
            account_id=of[0],
            day=of[1],
            key_id=of[2],
            model=of[3],
            what=what,
            rolled_up=rolled_up.get(of, nothing)[what],
            rows=rows.get(of, nothing)[what],
        )
        for of in sorted(rows.keys() | rolled_up.keys())
        for what in SUMS
        if rolled_up.get(of, nothing)[what] != rows.get(of, nothing)[what]
    ]


def _differences_of_totals(connection: Connection) -> Iterator[Difference]:
    for kind, column in PARTS.items():
        sums = _read_sums(
            connection,
            select(
                day_uses.c.day,
                day_uses.c[column],
                *(func.sum(day_uses.c[name]) for name in SUMS),
            ).group_by(day_uses.c.day, day_uses.c[column]),
        )
        totals = _read_sums(
            connection,
            select(
                day_totals.c.day,
                day_totals.c.part,
                *(day_totals.c[name] for name in SUMS),
            ).where(day_totals.c.kind == kind),
        )
        nothing = (0,) * len(SUMS)
        for day, part in sorted(sums.keys() | totals.keys()):
            pairs = zip(
                SUMS,
                totals.get((day, part), nothing),
                sums.get((day, part), nothing),
                strict=True,
            )
            yield from (
                Difference(
                    account_id=part if kind == "account" else "",
                    day=day,
                    key_id=part if kind == "key" else "",
                    model=part if kind == "model" else "",
                    what=what,
                    rolled_up=rolled_up,
                    rows=rows,
                )
                for what, rolled_up, rows in pairs
                if rolled_up != rows
            )


def _read_sums(
    connection: Connection, query: Select[Any]
) -> dict[tuple[date, str], tuple[int, ...]]:
    # PostgreSQL sums BIGINT to NUMERIC.
    return {
        (day, part): tuple(map(int, sums))
        for day, part, *sums in connection.execute(query)
    }


def _sums_of_rows(
    connection: Connection, horizon: date
) -> dict[DayKey, dict[str, int]]:
    sums: dict[DayKey, dict[str, int]] = {}
    streamed = connection.execution_options(yield_per=5000)
    for row in streamed.execute(select(uses)).mappings():
        day = day_of(row["at"])
        if day < horizon:
            continue
        of = (row["account_id"], day, row["key_id"], row["model"])
        total = sums.setdefault(of, dict.fromkeys(SUMS, 0))
        for name, value in zip(SUMS, sums_of(dict(row)), strict=True):
            total[name] += value
    return sums
