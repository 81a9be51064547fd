"""What receives a provider's body in a test, and the requests that tests send."""

from collections.abc import Callable

from twisted.internet.defer import Deferred, DeferredQueue
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from lightweight.errors import ProviderFault
from lightweight.records import Outgoing

CHAT = b'{"model":"demo","messages":[{"role":"user","content":"hi"}]}'
STREAMED_CHAT = CHAT[:-1] + b',"stream":true,"stream_options":{"include_usage":true}}'


def outgoing(body: bytes = CHAT, **headers: str) -> Outgoing:
    """Give a chat request; ``x_y`` is the header ``x-y``."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Outgoing(
        path="/chat/completions",
        headers={"content-type": "application/json", **named},
        body=body,
        stream=False,
    )


class RecordingSink:
    """Keeps what a source gives; a test awaits the next piece or the end."""

    def __init__(self, on_piece: Callable[[], None] = lambda: None) -> None:
        self.pieces: list[bytes] = []
        self.ends: list[ProviderFault | None] = []
        self.on_piece = on_piece
        self._arrivals: DeferredQueue[bytes] = DeferredQueue()
        self._ended: Deferred[None] = Deferred()

    @property
    def data(self) -> bytes:
        return b"".join(self.pieces)

    def received(self, data: bytes) -> None:
        assert not self.ends, "received after the end"
        self.pieces.append(data)
        self.on_piece()
        self._arrivals.put(data)

    def ended(self, fault: ProviderFault | None) -> None:
        self.ends.append(fault)
        assert len(self.ends) == 1, "ended twice"
        self._ended.callback(None)
        self._arrivals.put(b"")

    async def piece(self) -> bytes:
        """Wait for the next piece not waited for yet; nothing at the end."""
        return await self._arrivals.get()

    async def end(self) -> ProviderFault | None:
        """Wait for the end and give its fault."""
        if not self.ends:
            await self._ended
        return self.ends[0]


async def turns(clock: IReactorTime, count: int) -> None:
    """Let the reactor go round, sockets included: enough for what is due to happen."""
    for _ in range(count):
        turned: Deferred[None] = Deferred()
        call: IDelayedCall = clock.callLater(0, turned.callback, None)
        assert call.active()
        await turned
