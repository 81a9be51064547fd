"""An answer on its way in: what the wire hears of it, and the Source of our seam."""

import math
from typing import Any, Protocol, TypeVar

from twisted.internet.defer import Deferred

from lightweight.errors import (
    ProviderCut,
    ProviderFault,
    ProviderGarbage,
    ProviderTimeout,
)
from lightweight.upstream.deadlines import Deadline, Deadlines
from lightweight.upstream.provider import Sink
from lightweight.upstream.wire_response import BadResponse, Fields

_Made = TypeVar("_Made")


class Line(Protocol):
    """The connection that an answer comes on, until all of it came."""

    def pause(self) -> None:
        """Read no more until ``resume``."""

    def resume(self) -> None:
        """Read again."""

    def abort(self) -> None:
        """Reset the connection; the answer hears no more of it."""


class Incoming:
    """One answer: first its head is awaited, then its body flows into a sink.

    The clocks, in seconds: ``first_byte`` from the moment the request goes out to the
    head; ``idle`` between two pieces of the body, while it is not paused; ``total`` for
    everything from now on. After ``pause`` nothing is delivered, the end neither: what
    was on its way is held (at most one read of the socket).
    """

    def __init__(
        self,
        deadlines: Deadlines,
        name: str,
        first_byte: float,
        idle: float,
        total: float,
    ) -> None:
        """``name`` is the provider's, for the text of faults."""
        self.status = 0
        """Set, like ``reason`` and ``fields``, once the head is there."""
        self.reason = ""
        self.fields: Fields = {}
        self.fault: ProviderFault | None = None
        """Why ``waiting`` was cancelled, if it was one of the clocks."""
        self._name = name
        self._first_byte_seconds = first_byte
        self._idle_seconds = idle
        self._line: Line | None = None
        self._waiting: Deferred[Any] | None = None
        self._sink: Sink | None = None
        # Seldom more than one: a deque would take ten times the memory, all call long.
        self._held: list[bytes] = []
        self._end: tuple[ProviderFault | None] | None = None
        self._paused = False
        self._flows = False
        """Somebody takes what comes."""
        self._choked = False
        self._flushing = False
        self._over = False
        self._seconds = deadlines.seconds
        self._total_at = deadlines.seconds() + total
        self._deadline: Deadline | None = deadlines.make(self._ran_out)
        """None where no clock runs any more."""

    # -- what the wire does --------------------------------------------------------

    def waiting(self, waiting: "Deferred[_Made]") -> "Deferred[_Made]":
        """Take what has to happen next: a clock that runs out cancels it."""
        self._waiting = waiting
        self._wind_up()
        return waiting

    def sent(self, line: Line) -> "Deferred[None]":
        """Learn that the request goes out; give what is called when the head came.

        It fails with what ``ended`` is told before that. Cancelling resets the line.
        """
        self._line = line
        # Calling Deferred[None] costs as much again.
        waiting: Deferred[None] = Deferred(self._cancelled)
        self._waiting = waiting
        self._wind_up(self._first_byte_seconds)
        return waiting

    def head(self, status: int, reason: str, fields: Fields) -> None:
        """Take the head; nobody is told before the read is over."""
        self.status, self.reason, self.fields = status, reason, fields

    def body(self, data: bytes) -> None:
        """Take a piece; nobody is told before the read is over."""
        self._held.append(data)

    def read(self) -> None:
        """Learn that a read is over and the answer is not."""
        if self._flows and self._waiting is None:
            if self._held:
                self._wind_up(self._idle_seconds)
                self._flush()
            return
        if not self.status:
            return
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            self._wind_up()
            waiting.callback(None)
        self._flush()
        self._steer()

    def ended(self, error: Exception | None) -> None:
        """Learn that the line has no more for this answer: None if it is whole."""
        self._line = None
        waiting, self._waiting = self._waiting, None
        if not self.status:
            assert waiting is not None
            assert error is not None
            waiting.errback(error)
            return
        self._unwind()
        self._end = (None if error is None else self._broken(error),)
        if waiting is not None:
            waiting.callback(None)
        else:
            self._flush()

    # -- what the sink's owner does ------------------------------------------------

    def hurry(self, seconds: float) -> None:
        """Let the total time end in so many seconds, unless it ends sooner."""
        if self._deadline is not None:
            self._total_at = min(self._total_at, self._seconds() + seconds)
            self._deadline.move(min(self._total_at, self._deadline.at))

    def deliver(self, sink: Sink) -> None:
        """Begin to flow into ``sink``, possibly at once."""
        if self._over:
            return
        self._sink = sink
        if self._end is None:
            self._flow()
        else:
            # All that will come is here: no clock runs, and no line is steered.
            self._flows = not self._paused
            self._flush()

    def pause(self) -> None:
        """Deliver nothing until ``resume``."""
        if self._paused or self._over:
            return
        self._paused = True
        self._flows = False
        self._wind_up()
        self._steer()

    def resume(self) -> None:
        """Deliver again, what was held first and possibly at once."""
        if not self._paused or self._over:
            return
        self._paused = False
        self._flow()

    def abort(self) -> None:
        """Reset the connection if the answer is not whole; the sink hears no more."""
        if self._over:
            return
        line = self._line
        self._finish()
        if line is not None:
            line.abort()

    # -- inside --------------------------------------------------------------------

    def _flow(self) -> None:
        """Let it flow, if there is somebody who takes it now."""
        self._flows = self._sink is not None and not self._paused
        if self._flows:
            self._wind_up(self._idle_seconds)
            self._flush()
        self._steer()

    def _flush(self) -> None:
        if self._flushing:
            return
        self._flushing = True
        try:
            while self._held and self._flows:
                assert self._sink is not None
                self._sink.received(self._held.pop(0))
        finally:
            self._flushing = False
        if self._end is not None and not self._held and self._flows:
            self._tell(*self._end)

    def _tell(self, fault: ProviderFault | None) -> None:
        sink = self._sink
        self._finish()
        if sink is not None:
            sink.ended(fault)

    def _finish(self) -> None:
        self._over = True
        self._flows = False
        self._line = self._sink = None
        self._held.clear()
        if self._deadline is not None:
            self._unwind()

    def _cancelled(self, _waiting: "Deferred[None]") -> None:
        self.abort()

    def _steer(self) -> None:
        """Let the line be read exactly while somebody takes what comes."""
        if self._line is None:
            return
        if self._flows and self._choked:
            self._choked = False
            self._line.resume()
        elif not (self._flows or self._choked):
            self._choked = True
            self._line.pause()

    # -- clocks --------------------------------------------------------------------

    def _wind_up(self, patience: float = math.inf) -> None:
        """Let it end after so many seconds of silence, or when the total time ends."""
        if self._deadline is not None:
            at = self._seconds() + patience
            self._deadline.move(at if at < self._total_at else self._total_at)  # noqa: FURB136 -- for each piece, and min() costs as much as the rest

    def _unwind(self) -> None:
        """Let no clock run any more."""
        deadline, self._deadline = self._deadline, None
        if deadline is not None:
            deadline.end()

    def _ran_out(self) -> None:
        if self._seconds() >= self._total_at:
            text = (
                "did not finish its answer in time"
                if self.status
                else "did not answer in the total time it has"
            )
        else:
            text = (
                "fell silent in the middle of an answer"
                if self.status
                else "did not begin to answer in time"
            )
        fault = ProviderTimeout(f"Provider {self._name!r} {text}.")
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            self.fault = fault
            waiting.cancel()
            return
        line, self._line = self._line, None
        if line is not None:
            line.abort()
        self._unwind()
        self._held.clear()
        self._end = (fault,)
        if self._sink is not None:
            self._tell(fault)

    def _broken(self, error: Exception) -> ProviderFault:
        if isinstance(error, BadResponse):
            return ProviderGarbage(
                f"Provider {self._name!r} broke HTTP's framing of the answer."
            )
        return ProviderCut(
            f"Provider {self._name!r} broke off its answer before the end."
        )
