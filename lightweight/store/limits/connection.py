"""The connection to Redis: always sought, never waited for.

A command that cannot be sent fails at once, one without an answer soon. The time an
answer may take is counted in ticks of our own reactor: while it is busy it does not
tick, and its own delay is not taken for the server's.
"""

from collections import deque
from collections.abc import Callable
from typing import Any, TypeAlias

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as TookTooLong
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure
from txredisapi import ConnectionError as ConnectionLost
from txredisapi import RedisError

from msgspec import Struct

from lightweight.store.limits.limiter import LimitsUnavailable
from lightweight.store.limits.reach import Reach
from lightweight.store.limits.replies import Reply
from lightweight.store.limits.scripts import ALL, Call, load_of
from lightweight.store.limits.speaker import Speaker

log = Logger()

ATTEMPT_S = 1.0
"""For one attempt to connect: name, TLS, greeting and scripts together."""

SOONEST_S = 0.1
LATEST_S = 1.0
"""Between two attempts: doubled from the first to the second."""

TICK_S = 0.025
PATIENCE = 4
"""Ticks that an answer may take: at most 125 ms on an idle reactor."""


class Unsent(LimitsUnavailable):
    """The command did not leave: nothing was changed."""


class Unanswered(LimitsUnavailable):
    """The command left and no answer came: it may have been done, or be done yet."""


Answer: TypeAlias = str | LimitsUnavailable
"""The line that a script gave, or why there is none."""

Tell: TypeAlias = Callable[[Answer], None]


class _Asked(Struct, eq=False):
    """A call under way, and who waits for its answer."""

    connection: "Connection"
    call: Call
    tell: Tell | None
    """None: nobody waits any more."""
    again: bool = False
    """It was sent once more, after the script."""
    due: int = 0
    """The tick at which nobody waits any longer, of those who do not for ever."""

    def hear(self, reply: Reply | ConnectionLost) -> None:
        """Learn what the server said."""
        if type(reply) is str:
            self.end(reply)
        else:
            self.connection.troubled(self, reply)

    def end(self, answer: Answer) -> None:
        """Tell who waits, once."""
        tell, self.tell = self.tell, None
        if tell is not None:
            tell(answer)

    def leave(self, _waiter: object) -> None:
        """Wait no more."""
        self.tell = None


class _Nobody:
    """Needs no reply."""

    def hear(self, reply: object) -> None:
        """Take no notice of it."""


_NOBODY = _Nobody()


class Connection:
    """One connection to the server of ``reach``, from ``start`` to ``close``."""

    def __init__(self, reach: Reach, *, reactor: Any, up: Callable[[], None]) -> None:
        """``up`` is called whenever the server can be asked (again)."""
        self._reach = reach
        self._reactor = reactor
        self._up = up
        self._speaker: Speaker | None = None
        self._why = "no connection was tried yet"
        self._delay = SOONEST_S
        self._attempt: Deferred[None] | None = None
        self._next: IDelayedCall | None = None
        self._closed = True
        self._first: list[Deferred[None]] = []
        """Who waits for the first attempt."""
        self._ticks = 0
        self._ticking: IDelayedCall | None = None
        self._waiting: deque[_Asked] = deque()
        """Calls whose answers are due at a tick, the earliest first."""

    @property
    def connected(self) -> bool:
        """Whether a command would be sent."""
        return self._speaker is not None

    async def start(self) -> None:
        """Begin to connect and wait for the first attempt, however it ends.

        Cancelling stops waiting; connecting goes on until ``close``.
        """
        self._closed = False
        tried: Deferred[None] = Deferred()
        self._first.append(tried)
        self._try()
        await tried

    def close(self) -> None:
        """End the connection and seek no other."""
        self._closed = True
        for call in (self._next, self._ticking):
            if call is not None:
                call.cancel()
        self._next = self._ticking = None
        if self._attempt is not None:
            self._attempt.cancel()
        self.drop()

    def drop(self) -> None:
        """Give this connection up for a new one: it is dead, or not the master's."""
        if self._speaker is not None:
            self._speaker.transport.abortConnection()

    # -- asking --------------------------------------------------------------------

    async def run(self, call: Call, *, patient: bool = False) -> str:
        """Give what the script answers; ``patient``: however long that takes.

        Raises Unsent, Unanswered, and LimitsUnavailable where the server refused, which
        changed nothing. Cancelling does not take the call back.
        """
        answer = await self.asked(call, patient=patient)
        if isinstance(answer, LimitsUnavailable):
            raise answer
        return answer

    def asked(self, call: Call, *, patient: bool = False) -> Deferred[Answer]:
        """Give what ``run`` would give or raise, with no coroutine to be paid for."""
        asked = _Asked(self, call, None)
        waiter: Deferred[Answer] = Deferred(asked.leave)
        asked.tell = waiter.callback
        speaker = self._speaker
        if speaker is None:
            asked.end(self._unsent())
            return waiter
        speaker.say(call.command, asked)
        if not patient:
            # The tick under way may be nearly over: it does not count.
            asked.due = self._ticks + PATIENCE + 1
            self._waiting.append(asked)
            if self._ticking is None:
                self._ticking = self._reactor.callLater(TICK_S, self._tick)
        return waiter

    def tell(self, call: Call, told: Tell) -> None:
        """Let ``told`` have what ``run`` would give or raise, however long it takes."""
        speaker = self._speaker
        if speaker is None:
            told(self._unsent())
        else:
            speaker.say(call.command, _Asked(self, call, told))

    def _unsent(self) -> Unsent:
        return Unsent(f"Redis cannot be reached: {self._why}")

    def troubled(self, asked: _Asked, reply: object) -> None:
        """See to a call whose reply is no line."""
        if isinstance(reply, ConnectionLost):
            asked.end(Unanswered(f"Redis cannot be reached: {self._why}"))
        else:
            self._refused(asked, str(reply))

    def _refused(self, asked: _Asked, why: str) -> None:
        speaker = self._speaker
        if why.startswith("NOSCRIPT") and speaker and asked.tell and not asked.again:
            # Somebody flushed the scripts, or the server behind a proxy changed.
            asked.again = True
            speaker.say(load_of(asked.call.script), _NOBODY)
            speaker.say(asked.call.command, asked)
            return
        if why.startswith("READONLY"):
            # The master moved: whoever knows the way asks for it again.
            self.drop()
        asked.end(LimitsUnavailable(f"Redis refused: {why}"))

    def _tick(self) -> None:
        self._ticks += 1
        while self._waiting:
            asked = self._waiting[0]
            if asked.tell:
                if asked.due > self._ticks:
                    break
                asked.end(Unanswered("Redis did not answer in time"))
            self._waiting.popleft()
        self._ticking = None
        if self._waiting:
            self._ticking = self._reactor.callLater(TICK_S, self._tick)

    # -- being connected -----------------------------------------------------------

    def _try(self) -> None:
        self._next = None
        self._attempt = Deferred.fromCoroutine(self._connect())
        self._attempt.addTimeout(ATTEMPT_S, self._reactor)
        self._attempt.addErrback(self._failed)
        self._attempt.addCallback(self._tried)

    async def _connect(self) -> None:
        speaker = await self._reach.open(self._gone)
        loaded = False
        try:
            for script in ALL:
                await speaker.execute_command("SCRIPT", "LOAD", script.text)
            loaded = True
        except RedisError as error:
            raise LimitsUnavailable(str(error)) from error
        finally:
            if not loaded:
                speaker.transport.abortConnection()
        self._speaker = speaker
        self._delay = SOONEST_S
        self._up()

    def _failed(self, failure: Failure) -> None:
        if self._closed:
            return
        if failure.check(LimitsUnavailable):
            self._why = str(failure.value)
        elif failure.check(TookTooLong):
            self._why = f"no connection within {ATTEMPT_S:g} s"
        else:
            # Whatever it is, trying must go on.
            log.failure("Connecting to Redis failed", failure)
            self._why = failure.getErrorMessage()
        self._plan()

    def _tried(self, _result: None) -> None:
        self._attempt = None
        waiting, self._first = self._first, []
        for waiter in waiting:
            waiter.callback(None)

    def _plan(self) -> None:
        self._next = self._reactor.callLater(self._delay, self._try)
        self._delay = min(2 * self._delay, LATEST_S)

    def _gone(self, speaker: Speaker, why: str) -> None:
        if speaker is self._speaker:
            self._speaker = None
            self._why = why
            if not self._closed:
                self._plan()
