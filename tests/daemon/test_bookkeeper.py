"""The loop with a clock of its own, a real database and real journals."""

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock, deferLater
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from zope.interface import implementer

import pytest
import pytest_twisted
from support.uses import DAY, NOON, dispatch, use

from lightweight.daemon.bookkeeper import PERIOD_S, SUMS_S, Bookkeeper
from lightweight.records import Use
from lightweight.store import connect
from lightweight.store.connect import sqlite_url
from lightweight.store.database import Database
from lightweight.store.importer import aborted
from lightweight.store.journal import Journal
from lightweight.store.ledger import record
from lightweight.store.segments import line_of, segment_path
from lightweight.store.usage import Owner, Used, request_log

PATIENCE = 2000
"""Turns of the reactor, 5 ms apart."""


class Heard:
    """Tellers that remember in order what they were told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []

    def admitted(self, recent: Mapping[Owner, Mapping[int, int]]) -> None:
        self.told.append(("admitted", recent))

    def used(self, used: Sequence[Used]) -> None:
        self.told.append(("used", list(used)))

    def aborted(self, uses: Sequence[Use]) -> None:
        self.told.append(("aborted", list(uses)))

    def left(self, writer: str) -> None:
        self.told.append(("left", writer))

    def replayed(self) -> None:
        self.told.append(("replayed", None))

    def what(self) -> list[str]:
        return [what for what, _ in self.told]

    def of(self, what: str) -> list[Any]:
        return [said for kind, said in self.told if kind == what]


@dataclass
class Desk:
    """A bookkeeper with everything around it."""

    database: Database
    journal: Path
    heard: Heard
    clock: Clock
    bookkeeper: Bookkeeper
    now: float = NOON

    async def until(self, condition: Callable[[], object]) -> None:
        """Let time go by, ours in real turns, the bookkeeper's in periods."""
        from twisted.internet import reactor

        for _ in range(PATIENCE):
            if condition():
                return
            await deferLater(reactor, 0.005)
            self.clock.advance(PERIOD_S)
        raise AssertionError("waited in vain")

    async def uses(self) -> list[str]:
        found = await self.database.read(request_log)
        return sorted(each.outcome.request_id for each in found)


async def nothing() -> None:
    pass


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # it has no types
async def idle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    """A bookkeeper that does not run yet."""
    from twisted.internet import reactor

    monkeypatch.setattr(connect, "BUSY_S", 0.05)
    database = Database(sqlite_url(tmp_path), reactor=reactor)  # type: ignore[arg-type]  # the module stands for the reactor
    await database.start()
    clock, heard = Clock(), Heard()
    made = Desk(
        database=database,
        journal=tmp_path / "journal",
        heard=heard,
        clock=clock,
        bookkeeper=Bookkeeper(
            database,
            tmp_path / "journal",
            heard,
            clock=clock,
            wall=lambda: made.now,
            keep_uses_days=30,
            keep_audit_days=400,
            besides=nothing,
        ),
    )
    yield made
    await database.close()


@asynccontextmanager
async def at_work(desk: Desk) -> AsyncIterator[None]:
    running = Deferred.fromCoroutine(desk.bookkeeper.run())
    try:
        yield
    finally:
        running.cancel()
        with pytest.raises(CancelledError):
            await running


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # it has no types
async def desk(idle: Desk) -> AsyncIterator[Desk]:
    """A bookkeeper at work."""
    async with at_work(idle):
        yield idle


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal", "w1", size=64 * 1024)
    yield journal
    journal.close()


@implementer(ILogObserver)
class Logged:
    """What the bookkeeper logged."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, event: LogEvent) -> None:
        if event["log_namespace"].startswith("lightweight.daemon.bookkeeper"):
            self.lines.append(str(event["log_format"]).format(**event))


@pytest.fixture
def logged() -> Iterator[list[str]]:
    observer = Logged()
    globalLogPublisher.addObserver(observer)
    yield observer.lines
    globalLogPublisher.removeObserver(observer)


def leave_dead(journal: Path, *records: Any) -> None:
    (journal / "dead").mkdir(parents=True)
    segment_path(journal / "dead", 1).write_bytes(b"".join(map(line_of, records)))


def used(month: date | None, tokens: int, micro_usd: int) -> list[Used]:
    return [
        Used(
            account_id="acct_1",
            key_id=key,
            month=month,
            tokens=tokens,
            micro_usd=micro_usd,
        )
        for key in ("", "key_1")
    ]


NOVEMBER = date(2026, 11, 1)
"""Of the fixture's now."""


async def test_uses_are_imported_and_told_as_they_come(
    writer: Journal, desk: Desk
) -> None:
    await desk.until(lambda: "replayed" in desk.heard.what())
    writer.start(dispatch("r1"))
    writer.finish(use("r1"))
    await desk.until(lambda: len(desk.heard.of("used")) == 2)
    assert await desk.uses() == ["r1"]
    assert desk.heard.of("used")[1] == used(NOVEMBER, 42, 120)
    assert desk.heard.what() == ["used", "admitted", "replayed", "used"]


async def test_sums_are_told_together_after_a_time(writer: Journal, idle: Desk) -> None:
    heard, clock = idle.heard, idle.clock
    began = clock.seconds()
    async with at_work(idle):
        await idle.until(lambda: "replayed" in heard.what())
        for name, at in (("r1", NOON), ("r2", NOON), ("r3", NOON + 31 * DAY)):
            writer.start(dispatch(name, at=at))
            writer.finish(use(name, at=at))
            await idle.bookkeeper.catch_up()
        assert len(heard.of("used")) == 1
        await idle.until(lambda: len(heard.of("used")) == 2)
    assert clock.seconds() - began >= SUMS_S
    assert heard.of("used")[1] == [
        *used(NOVEMBER, 84, 240),
        *used(date(2026, 12, 1), 42, 120),
    ]


async def test_who_is_gone_is_told_after_all_that_was_used(
    writer: Journal, idle: Desk
) -> None:
    """Not only after what its own pass brought."""
    begun = NOON + 31 * DAY
    writer.start(dispatch("r1", at=begun))
    writer.finish(use("r1", at=begun))
    await idle.bookkeeper.catch_up()
    assert idle.heard.told == []
    leave_dead(idle.journal, dispatch("r2"), use("r2"))
    await idle.bookkeeper.catch_up()
    december = used(date(2026, 12, 1), 42, 120)
    assert idle.heard.told == [
        ("used", [*used(NOVEMBER, 42, 120), *december]),
        ("left", "dead"),
    ]


async def test_how_far_it_is_behind(idle: Desk) -> None:
    idle.clock.advance(7)
    assert idle.bookkeeper.lag == 7
    await idle.bookkeeper.catch_up()
    assert idle.bookkeeper.lag == 0
    idle.clock.advance(2)
    assert idle.bookkeeper.lag == 2


async def test_a_dead_process_is_settled_and_told_once(
    desk: Desk, logged: list[str]
) -> None:
    await desk.until(lambda: "replayed" in desk.heard.what())
    leave_dead(desk.journal, dispatch("r1"), use("r1"), dispatch("open"))
    await desk.until(lambda: not list(desk.journal.iterdir()))
    assert desk.heard.of("aborted") == [[aborted(dispatch("open"))]]
    assert desk.heard.of("left") == ["dead"]
    assert desk.heard.what()[-3:] == ["aborted", "used", "left"]
    assert await desk.uses() == ["open", "r1"]
    assert ["died" in line for line in logged] == [True]


async def test_retention_deletes_what_is_too_old_each_day(desk: Desk) -> None:
    old = [use(f"r{n}", at=NOON - n * DAY) for n in range(25, 36)]
    await desk.until(lambda: "replayed" in desk.heard.what())
    await desk.until(lambda: desk.bookkeeper._pruned == NOVEMBER)
    await desk.database.run(lambda connection: record(connection, old))
    desk.now += DAY
    await desk.until(lambda: desk.bookkeeper._pruned == date(2026, 11, 2))
    assert await desk.uses() == [f"r{n}" for n in range(25, 30)]


async def test_a_locked_database_is_waited_for_and_told_once(
    writer: Journal, desk: Desk, logged: list[str], tmp_path: Path
) -> None:
    await desk.until(lambda: "replayed" in desk.heard.what())
    other = sqlite3.connect(tmp_path / "lightweight.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    writer.start(dispatch("r1"))
    writer.finish(use("r1"))
    await desk.until(lambda: logged)
    assert await desk.uses() == []
    other.close()
    await desk.until(lambda: len(logged) == 2)
    assert await desk.uses() == ["r1"]
    await desk.until(lambda: len(desk.heard.of("used")) == 2)
    assert logged[0].startswith("Uses wait in the journals until the database works.")
    assert "locked" in logged[0]
    assert logged[1] == "Uses are written to the database again."


async def test_lines_that_nobody_can_read_are_told(
    desk: Desk, logged: list[str]
) -> None:
    (desk.journal / "dead").mkdir(parents=True)
    path = segment_path(desk.journal / "dead", 1)
    path.write_bytes(b"garbage\n" + line_of(use("r1")))
    await desk.until(lambda: not list(desk.journal.iterdir()))
    assert logged[0].endswith("the disk lost 1 line of it.")
    assert await desk.uses() == ["r1"]


async def test_a_start_replays_all_before_it_says_so(
    idle: Desk, writer: Journal
) -> None:
    """Uses of before, of the journals, and calls that others still serve."""
    leave_dead(
        idle.journal,
        dispatch("r1", at=NOON - 30),
        use("r1", at=NOON - 30),
        dispatch("open", at=NOON - 20.5),
    )
    writer.start(dispatch("running", at=NOON - 20))
    writer.start(dispatch("long", at=NOON - 500))
    before = [use("october", at=NOON - DAY), use("last", at=NOON - 62)]
    await idle.database.run(lambda connection: record(connection, before))
    heard = idle.heard
    async with at_work(idle):
        await idle.until(lambda: "replayed" in heard.what())
    assert heard.what() == ["aborted", "used", "left", "used", "admitted", "replayed"]
    assert heard.of("used")[-1] == [
        *used(NOVEMBER, 42 + 42 + 100, 120 + 120 + 250),
        *used(None, 42 + 42 + 42 + 100, 120 + 120 + 120 + 250),
    ]
    second = int(NOON)
    assert heard.of("admitted") == [
        {("acct_1", "key_1"): {second - 30: 1, second - 21: 1, second - 20: 1}}
    ]


async def test_what_is_caught_up_is_there_at_once(desk: Desk, writer: Journal) -> None:
    writer.start(dispatch("r1"))
    writer.finish(use("r1"))
    await desk.bookkeeper.catch_up()
    assert await desk.uses() == ["r1"]
