"""Doubles of a provider that keep the promises of lightweight.upstream.provider."""

from collections import deque
from dataclasses import dataclass

from twisted.internet.defer import CancelledError, DeferredQueue

from lightweight.errors import ProviderFault
from lightweight.records import Headers, Outgoing
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
