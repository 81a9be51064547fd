"""The loop that brings journals into the ledger and tells the limits what it learned.

What it does is idempotent, so it may be killed at any moment and two may run at once,
as they do while one generation follows another. While the database is out of reach the
journals wait.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Protocol, TypeAlias

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from lightweight.amounts import counted
from lightweight.records import Use
from lightweight.store.connect import Connection
from lightweight.store.database import Database
from lightweight.store.importer import Imported, Plan, carry_out, survey, unfinished
from lightweight.store.ledger import day_of, prune
from lightweight.store.problems import StoreUnusable
from lightweight.store.usage import (
    Owner,
    Used,
    count_seconds,
    recent_admissions,
    totals,
)

PERIOD_S = 0.5
"""Seconds from the end of one pass to the next: how fresh the bill is.

A pass costs some 3 ms, however few uses it finds, and a wait for the disk.
"""
SUMS_S = 5.0
"""Seconds at least from one telling of what accounts used to the next.

The limits know each call from who served it; the ledger mends what went astray.
"""
WINDOW_S = 61.0
"""Seconds of admissions that a fresh home of limits must know."""
PRUNED_AT_ONCE = 5000
"""Rows of each table in one transaction: others wait for no longer."""

ASKED = 500
"""Accounts in one question."""

Touched: TypeAlias = tuple[str, date]
"""An account and the first day of a month in which it used more."""


class Tellers(Protocol):
    """Who keeps the limits; every call returns at once."""

    def admitted(self, recent: Mapping[Owner, Mapping[int, int]]) -> None:
        """Learn how many requests each key sent in each of the last seconds."""

    def used(self, used: Sequence[Used]) -> None:
        """Learn what the ledger holds against quotas.

        It may hold a call whose settlement is still on its way to the limits.
        """

    def aborted(self, uses: Sequence[Use]) -> None:
        """Learn of calls whose process died, with what they are billed."""

    def left(self, writer: str) -> None:
        """Learn that a writer is gone and all it left is settled."""

    def replayed(self) -> None:
        """Learn that everything from before the start was told."""


class Bookkeeper:
    """Keeps the ledger of one machine's journals."""

    log = Logger()

    def __init__(
        self,
        database: Database,
        journal: Path,
        tellers: Tellers,
        *,
        clock: IReactorTime,
        wall: Callable[[], float],
        keep_uses_days: int,
        keep_audit_days: int,
        besides: Callable[[], Awaitable[None]],
    ) -> None:
        """``wall`` gives seconds since the epoch; days count whole, in UTC.

        ``besides`` is done on each turn, too; it raises StoreUnusable.
        """
        self._besides = besides
        self._database = database
        self._journal = journal
        self._tellers = tellers
        self._clock = clock
        self._wall = wall
        self._keep_uses = timedelta(days=keep_uses_days)
        self._keep_audit = timedelta(days=keep_audit_days)
        self._pruned: date | None = None
        self._failing = False
        self._caught_up_at = clock.seconds()
        self._touched: frozenset[Touched] = frozenset()
        self._summed_at = clock.seconds()

    @property
    def lag(self) -> float:
        """Seconds since all that was in the journals was in the ledger."""
        return self._clock.seconds() - self._caught_up_at

    async def run(self) -> None:
        """Replay what there is, say so, then import what comes; never returns.

        Raises nothing that the database does. Cancelling stops it; a transaction that
        runs still ends as it would have.
        """
        work = self._replay
        while True:
            if await self._worked(work):
                work = self._turn
            await deferLater(self._clock, PERIOD_S)

    async def catch_up(self) -> None:
        """Import all that is in the journals now, and tell of it.

        Raises StoreUnusable. Cancelling leaves the rest for another time.
        """
        began = self._clock.seconds()
        while await self._import():
            continue
        self._caught_up_at = began

    async def _worked(self, work: Callable[[], Awaitable[None]]) -> bool:
        try:
            await work()
        except StoreUnusable as problem:
            if not self._failing:
                self.log.error(
                    "Uses wait in the journals until the database works. {problem}",
                    problem=str(problem),
                )
            self._failing = True
            return False
        if self._failing:
            self.log.info("Uses are written to the database again.")
        self._failing = False
        return True

    async def _replay(self) -> None:
        await self.catch_up()
        self._touched = frozenset()  # for all of it is told now
        now = self._wall()
        recent, used = await self._database.read(lambda c: self._history(c, now))
        self._tellers.used(used)
        self._tellers.admitted(recent)
        self._tellers.replayed()

    def _history(
        self, connection: Connection, now: float
    ) -> tuple[Mapping[Owner, Mapping[int, int]], Sequence[Used]]:
        since = now - WINDOW_S
        running = count_seconds(
            (each.account_id, each.key_id, each.at)
            for each in unfinished(self._journal)
            if each.at >= since
        )
        recent = recent_admissions(connection, since)
        for owner, seconds in running.items():
            recent[owner] = recent[owner] + seconds if owner in recent else seconds
        used = totals(connection, None, day_of(now)) + totals(connection, None, None)
        return recent, used

    async def _turn(self) -> None:
        await self.catch_up()
        if self._clock.seconds() - self._summed_at >= SUMS_S:
            await self._tell_sums()
        await self._besides()
        today = day_of(self._wall())
        if today != self._pruned and not await self._prune(today):
            self._pruned = today

    async def _prune(self, today: date) -> int:
        return await self._database.run(
            lambda connection: prune(
                connection,
                uses_before=today - self._keep_uses,
                audit_before=today - self._keep_audit,
                most=PRUNED_AT_ONCE,
            )
        )

    async def _import(self) -> bool:
        """Import a part; tell whether there was more."""
        plan = await self._database.read(lambda c: survey(c, self._journal))
        if plan.broken:
            self.log.error(
                "A journal cannot be read whole: the disk lost {lines} of it.",
                lines=counted(plan.broken, "line"),
            )
        if not plan.empty:
            before = self._touched
            imported, self._touched, used = await self._database.run(
                lambda c: _written(c, plan, before)
            )
            self._tell(imported, used)
        return plan.more

    async def _tell_sums(self) -> None:
        touched = self._touched
        if touched:
            used = await self._database.read(lambda c: _sums(c, touched))
            self._touched = frozenset()
            self._tellers.used(used)
        self._summed_at = self._clock.seconds()

    def _tell(self, imported: Imported, used: Sequence[Used]) -> None:
        if imported.aborted:
            self._tellers.aborted(imported.aborted)
        if used:
            self._tellers.used(used)
        for each in imported.left:
            if not each.orderly:
                self.log.warn(
                    "The process of journal {writer} died; its open calls are "
                    "billed as estimated.",
                    writer=each.writer,
                )
            self._tellers.left(each.writer)


def _written(
    connection: Connection, plan: Plan, touched: frozenset[Touched]
) -> tuple[Imported, frozenset[Touched], Sequence[Used]]:
    """Write a plan; give whose sums are to be told, and those that must be now."""
    imported = carry_out(connection, plan)
    touched |= {
        (use.outcome.account_id, day_of(use.at).replace(day=1)) for use in imported.uses
    }
    if imported.left:
        # What a writer used is told before it is said to be gone.
        return imported, frozenset(), _sums(connection, touched)
    return imported, touched, ()


def _sums(connection: Connection, touched: Iterable[Touched]) -> Sequence[Used]:
    by_month: defaultdict[date, list[str]] = defaultdict(list)
    for account, month in sorted(touched):
        by_month[month].append(account)
    return [
        used
        for month, accounts in by_month.items()
        for begin in range(0, len(accounts), ASKED)
        for used in totals(connection, accounts[begin : begin + ASKED], month)
    ]
