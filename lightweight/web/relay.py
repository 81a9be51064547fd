"""The one way of an answer from a provider to a client: whole or streamed.

Back-pressure runs through it: a client that reads slowly pauses the provider. A fault
before the first byte is raised, since another provider may still answer; later it
becomes the stream's last event. What broke is never made to look whole.

A stream's first events often say nothing yet, and an error may follow them. So they
wait, a bounded number of them, until one with content comes.
"""

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from msgspec import Struct

from lightweight.dialects.dialect import Passage
from lightweight.errors import Fault, OwnFault, ProviderFault
from lightweight.records import Ending, Headers
from lightweight.upstream.provider import Source
from lightweight.web.exchange import Exchange
from lightweight.web.keepalive import KeepAlive

LINGER_SECONDS = 1.0
"""How long a provider may take to end its body after the answer was complete."""

STARTUP_EVENTS = 64
STARTUP_BYTES = 262_144
"""How much of a stream without content may wait for the first."""


class Ended(Struct, frozen=True):
    """How an answer that had begun ended, and what the client was told, if it broke."""

    ending: Ending
    fault: Fault | None = None


_FINISHED = Ended("finished")
_CLIENT_GONE = Ended("client_gone")


class Startup:
    """The first events of a stream, held back until they say something."""

    def __init__(self) -> None:
        self._held: list[bytes] = []
        self._events = 0
        self._bytes = 0

    def add(self, data: bytes) -> None:
        """Hold these events too."""
        self._held.append(data)
        self._events += data.count(b"data:")
        self._bytes += len(data)

    @property
    def full(self) -> bool:
        """Whether no more may be held."""
        return self._events >= STARTUP_EVENTS or self._bytes >= STARTUP_BYTES

    def release(self) -> bytes:
        """Give what was held, once."""
        held, self._held = self._held, []
        return b"".join(held)


class Relay:
    """Carries one answer. It is the source's sink and the exchange's flow."""

    _startup: Startup
    """A stream's."""

    def __init__(
        self,
        exchange: Exchange,
        source: Source,
        passage: Passage,
        headers: Headers,
        clock: IReactorTime,
        before_end: Callable[[Ended], None],
        begun: Callable[[], None] = lambda: None,
        keep_alive: KeepAlive | None = None,
    ) -> None:
        """``headers`` go out with status 200.

        ``begun`` is called before the first byte of the answer: until then a fault is
        raised and another provider may take over.

        ``keep_alive`` watches the stream, where it is one; whoever began it ends it.

        ``before_end`` is called before the bytes that tell the client the answer is
        done, or that it broke.
        """
        self.first_byte_at: float | None = None
        """When the first byte of the answer left, by ``clock``; no comment counts."""
        self._exchange = exchange
        self._source = source
        self._passage = passage
        self._headers = headers
        self._clock = clock
        self._before_end = before_end
        self._begun = begun
        self._pieces: list[bytes] = []
        self._out: Callable[[bytes], None] = self._pieces.append
        self._over = False
        """All of the answer came, or nothing more counts."""
        self._error: Exception | None = None
        """What went wrong with it."""
        self._waiting: Deferred[None] | None = None
        self._source_ended = False
        self._paused = False
        self._keep_alive = keep_alive
        self._linger: IDelayedCall | None = None

    async def whole(self) -> Ended:
        """Carry an answer in one piece and say how it ended.

        Raises the Fault that came before it left; nothing was sent then. Cancelling
        stops the provider at once.
        """
        finished = False
        try:
            self._source.deliver(self)
            if self._error is not None or not self._over:
                await self._came()
            self._pieces.append(self._passage.finish())
            ended = self._whole_now()
            body = b"".join(self._pieces)
            self._exchange.start(200, self._headers, length=len(body))
            self._send(body)
            self._exchange.finish()
            finished = ended.ending == "finished"
            return ended
        finally:
            self._let_go(finished=finished)

    async def streamed(self) -> Ended:
        """Carry a stream to its end and say how that was; raises and cancels alike."""
        finished = False
        try:
            ended = await self._streamed()
            finished = ended.ending == "finished"
            return ended
        finally:
            self._let_go(finished=finished)

    def end(self, fault: Fault) -> None:
        """Break the answer off now: the client is told of ``fault``."""
        self._stop(fault)

    # -- the source's side ---------------------------------------------------------

    def received(self, data: bytes) -> None:
        """Carry the provider's next bytes on at once: no turn of the reactor, no task.

        What goes wrong on the way is raised where the call waits for the answer.
        """
        if self._over:
            return
        try:
            self._out(self._passage.feed(data))
        except Exception as error:  # noqa: BLE001 -- nothing is awaited, and it is raised
            self._stop(error)
        else:
            if self._passage.complete:
                self._stop(None)

    def ended(self, fault: ProviderFault | None) -> None:
        """Take the provider's end."""
        self._source_ended = True
        if self._linger is not None and self._linger.active():
            self._linger.cancel()
        self._stop(fault)

    def _stop(self, error: Exception | None) -> None:
        """Let the call go on, with an error or with all that came so far."""
        if self._over:
            return
        self._over = True
        self._error = error
        if self._waiting is not None:
            self._waiting.callback(None)

    async def _came(self) -> None:
        """Wait for the end of what is delivered; raise what went wrong with it."""
        if not self._over:
            self._waiting = Deferred()
            await self._waiting
        if self._error is not None:
            raise self._error

    def _let_go(self, *, finished: bool) -> None:
        self._over = True
        if self._source_ended:
            return
        if not finished:
            self._source.abort()
            return
        # Its connection can serve again if it ends by itself.
        self._linger = self._clock.callLater(LINGER_SECONDS, self._source.abort)
        if self._paused:
            self._source.resume()

    # -- the client's side ---------------------------------------------------------

    def pause(self) -> None:
        """Let the provider wait for the client."""
        self._hold(held=True)
        self._source.pause()

    def resume(self) -> None:
        """Let the provider go on."""
        self._hold(held=False)
        self._source.resume()

    def _hold(self, *, held: bool) -> None:
        self._paused = held
        if self._keep_alive is not None:
            self._keep_alive.held = held

    # -- the way between them ------------------------------------------------------

    async def _streamed(self) -> Ended:
        settled = False
        self._startup = Startup()
        self._out = self._offer
        self._exchange.attach(self)
        try:
            ended = await self._events()
            settled = True
        except Fault as fault:
            settled = True
            if self.first_byte_at is None:
                raise
            ended = self._broken(fault)
        except GeneratorExit:
            # Collected together with its connection: nobody is left to be told.
            settled = True
            raise
        finally:
            self._exchange.detach()
            # No circle is left for the garbage collector to find.
            self._out = self._pieces.append
            # A bug of ours is the app's to log; the client must not wait for that.
            if not settled and self._exchange.started:
                self._broken(OwnFault())
        return ended

    async def _events(self) -> Ended:
        self._source.deliver(self)
        await self._came()
        rest = self._passage.finish()
        ended = self._whole_now()
        self._send(self._startup.release() + rest)
        self._exchange.finish()
        return ended

    def _offer(self, data: bytes) -> None:
        """Hold the stream back until it says something."""
        self._startup.add(data)
        if self._passage.deltas or self._startup.full:
            self._send(self._startup.release())
        if self.first_byte_at is not None:
            # No later piece asks again.
            self._out = self._write

    def _send(self, data: bytes) -> None:
        if not data:
            return
        if self.first_byte_at is None:
            self._begun()
            self.first_byte_at = self._clock.seconds()
        if not self._exchange.started:
            self._exchange.start(200, self._headers)
        self._write(data)

    def _write(self, data: bytes) -> None:
        """Send what follows the first byte of the answer."""
        if data:
            self._exchange.write(data)
            if self._keep_alive is not None:
                self._keep_alive.wrote(data)

    def _whole_now(self) -> Ended:
        ended = _CLIENT_GONE if self._exchange.lost else _FINISHED
        self._before_end(ended)
        return ended

    def _broken(self, fault: Fault) -> Ended:
        if self._exchange.lost:
            return _CLIENT_GONE
        ended = Ended("cut", fault)
        self._before_end(ended)
        last_word = self._passage.broken(fault)
        if last_word:
            self._exchange.write(last_word)
            self._exchange.finish()
        else:
            self._exchange.abort()
        return ended
