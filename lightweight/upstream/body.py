"""The start of a body, where all of it may be too much."""

from twisted.internet.defer import Deferred

from lightweight.errors import ProviderFault
from lightweight.upstream.provider import Source


class _Collector:
    def __init__(self, source: Source, limit: int) -> None:
        self._source = source
        self._left = limit
        self._pieces: list[bytes] = []
        self.done: Deferred[None] = Deferred()

    def received(self, data: bytes) -> None:
        self._pieces.append(data[: self._left])
        self._left -= len(self._pieces[-1])
        if self._left == 0:
            self._source.abort()
            self.ended(None)

    def ended(self, _fault: ProviderFault | None) -> None:
        if not self.done.called:
            self.done.callback(None)

    def collected(self) -> bytes:
        return b"".join(self._pieces)


async def read_start(source: Source, limit: int) -> bytes:
    """Give a body's first ``limit`` bytes, or what came of it before it broke.

    Its time is bounded by the source's own clocks. Cancelling aborts the source.
    """
    collector = _Collector(source, limit)
    try:
        source.deliver(collector)
        await collector.done
    finally:
        source.abort()
    return collector.collected()
