"""Doubles that keep our Protocols' promises: provider, limits, journal, ledger."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from twisted.internet.defer import CancelledError, Deferred, DeferredQueue

from lightweight.errors import ProviderFault
from lightweight.policy.pace import Ask, Settlement, Verdict
from lightweight.records import DayUse, Dispatch, Headers, Outgoing, Use
from lightweight.store.limits.limiter import LimitsUnavailable
from lightweight.store.problems import StoreProblem
from lightweight.upstream.provider import Reply, Sink, Source


class FakeSource:
    """A body whose bytes the test pushes.

    Nothing flows before ``deliver``, while paused, after the end or after ``abort``.
    """

    def __init__(self) -> None:
        self.aborted = False
        self.over = False
        self.paused = False
        self.pauses = 0
        self._sink: Sink | None = None
        self._held: deque[bytes | ProviderFault | None] = deque()

    # -- the promises --------------------------------------------------------------

    def deliver(self, sink: Sink) -> None:
        assert self._sink is None, "delivered twice"
        self._sink = sink
        self._flow()

    def pause(self) -> None:
        self.paused = True
        self.pauses += 1

    def resume(self) -> None:
        self.paused = False
        self._flow()

    def abort(self) -> None:
        if not self.over:
            self.aborted = self.over = True

    # -- the test's side -----------------------------------------------------------

    def push(self, *pieces: bytes) -> None:
        """Let these bytes come, each piece by itself."""
        self._held.extend(pieces)
        self._flow()

    def end(self, fault: ProviderFault | None = None) -> None:
        """Let the body end."""
        self._held.append(fault)
        self._flow()

    def _flow(self) -> None:
        while self._sink and self._held and not self.paused and not self.over:
            item = self._held.popleft()
            if isinstance(item, bytes):
                self._sink.received(item)
            else:
                self.over = True
                self._sink.ended(item)


@dataclass
class FakeReply:
    """A reply the test made."""

    status: int
    headers: Headers
    body: Source


class FakeProvider:
    """A provider that answers when and as the test says."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.asked: list[Outgoing] = []
        self.request_ids: list[str] = []
        self.cancelled = 0
        self.closed = False
        self._answers: DeferredQueue[FakeReply | ProviderFault] = DeferredQueue()

    async def send(self, outgoing: Outgoing, request_id: str) -> Reply:
        self.asked.append(outgoing)
        self.request_ids.append(request_id)
        try:
            answer = await self._answers.get()
        except CancelledError:
            self.cancelled += 1
            raise
        if isinstance(answer, ProviderFault):
            raise answer
        return answer

    async def close(self) -> None:
        self.closed = True

    def reply(self, status: int = 200, headers: Headers | None = None) -> FakeSource:
        """Answer the request that waits, or the next one; give the body behind it."""
        body = FakeSource()
        self._answers.put(FakeReply(status, headers or {}, body))
        return body

    def fail(self, fault: ProviderFault) -> None:
        """Fail the request that waits, or the next one."""
        self._answers.put(fault)


class FakeLimits:
    """Limits that decide as the test says, and know what was taken and given back."""

    def __init__(self) -> None:
        self.verdict = Verdict()
        self.unavailable = False
        self.asked: list[Ask] = []
        self.looked: list[Ask] = []
        self.settled: list[Settlement] = []
        self.open: set[str] = set()
        """Ids that were admitted and not settled."""
        self.cancelled = 0
        self._waiting: list[Deferred[None]] | None = None

    async def admit(self, ask: Ask) -> Verdict:
        self.asked.append(ask)
        await self._wait()
        if self.unavailable:
            raise LimitsUnavailable("Nobody knows.")
        if self.verdict.refused is None:
            assert ask.id not in self.open
            self.open.add(ask.id)
        return self.verdict

    async def look(self, ask: Ask) -> Verdict:
        self.looked.append(ask)
        await self._wait()
        if self.unavailable:
            raise LimitsUnavailable("Nobody knows.")
        return self.verdict

    def settle(self, settlement: Settlement) -> None:
        assert settlement.id in self.open, "settled without being open"
        self.open.remove(settlement.id)
        self.settled.append(settlement)

    async def close(self) -> None:
        assert not self.open

    # -- the test's side -----------------------------------------------------------

    def hold(self) -> None:
        """Let whoever asks wait."""
        self._waiting = []

    def decide(self) -> None:
        """Answer all who wait."""
        waiting, self._waiting = self._waiting or [], None
        for one in waiting:
            one.callback(None)

    async def _wait(self) -> None:
        if self._waiting is None:
            return
        waiting: Deferred[None] = Deferred()
        self._waiting.append(waiting)
        try:
            await waiting
        except CancelledError:
            self.cancelled += 1
            raise


class FakeJournal:
    """A journal in memory that takes each use once, in order."""

    def __init__(self) -> None:
        self.why_full: str | None = None
        self.started: dict[str, Dispatch] = {}
        self.uses: dict[str, Use] = {}
        self.broken = False
        """Whether finishing fails, which it never must."""

    def start(self, dispatch: Dispatch) -> None:
        if self.why_full is not None:
            raise StoreProblem(self.why_full)
        assert dispatch.id not in self.started
        self.started[dispatch.id] = dispatch

    def finish(self, use: Use) -> None:
        if self.broken:
            raise ZeroDivisionError("a bug in the journal")
        id_ = use.outcome.request_id
        assert id_ in self.started, "finished without a start"
        assert id_ not in self.uses, "finished twice"
        self.uses[id_] = use


class FakeLedger:
    """A ledger that has the rows the test gives it."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, DayUse]] = []
        self.unusable = False

    async def day_uses(
        self, account_id: str, first: date, last: date
    ) -> Sequence[DayUse]:
        if self.unusable:
            raise StoreProblem("The database is locked.")
        return [
            row
            for owner, row in self.rows
            if owner == account_id and first <= row.day <= last
        ]
