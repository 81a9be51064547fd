"""Many deadlines over one call of the reactor.

Each call to a provider has one, moved with every piece of a stream. Moving it to later
costs an assignment: its entry in the heap is looked at when it comes up.
"""

import heapq
import math
from collections.abc import Callable
from itertools import count

from twisted.internet.interfaces import IDelayedCall, IReactorTime

FEW = 64
"""Entries in the heap that are never worth a clean-up."""


class Deadline:
    """A moment that may be moved any number of times, and what happens then."""

    def __init__(self, deadlines: "Deadlines", expired: Callable[[], object]) -> None:
        """``Deadlines.make`` makes them."""
        self.at = math.inf
        """By the clock; infinite while it is stopped."""
        self.entry = math.inf
        """Where the heap has it, which is not later; infinite where it has not."""
        self.expired = expired
        self._deadlines = deadlines

    def move(self, at: float) -> None:
        """Let it expire at this moment by the clock; an infinite one stops it."""
        if self.entry <= at < math.inf and self.at < math.inf:
            self.at = at
            return
        deadlines = self._deadlines
        deadlines.running += (at < math.inf) - (self.at < math.inf)
        self.at = at
        if at < self.entry:
            deadlines.enter(self)
        elif not deadlines.running:
            deadlines.schedule()

    def stop(self) -> None:
        """Let it not expire."""
        if self.at < math.inf:
            self.move(math.inf)

    def end(self) -> None:
        """Stop for good, and let go of whoever would have heard of it."""
        self.stop()
        self.expired = _nothing


class Deadlines:
    """All deadlines by one clock. While none is set the clock has no call.

    One expires in the turn of the reactor that its moment falls into, like a call of
    the clock itself.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self.seconds = clock.seconds
        """The clock, in seconds from any moment."""
        self.running = 0
        """How many are set; they count themselves."""
        self._clock = clock
        self._heap: list[tuple[float, int, Deadline]] = []
        self._order = count()
        self._call: IDelayedCall | None = None
        self._call_at = math.inf

    def make(self, expired: Callable[[], object]) -> Deadline:
        """Make a deadline, not set; ``expired`` is called at each expiry."""
        return Deadline(self, expired)

    def enter(self, deadline: Deadline) -> None:
        """Take note of one that was moved to before its entry in the heap."""
        deadline.entry = deadline.at
        heapq.heappush(self._heap, (deadline.at, next(self._order), deadline))
        if len(self._heap) > FEW and len(self._heap) > 4 * self.running:
            self._clean_up()
        if deadline.at < self._call_at:
            self.schedule()

    def schedule(self) -> None:
        """Let the clock call when the first entry comes up, if any is set."""
        if not self.running:
            self._clean_up()
        if self._call is not None and self._call.active():
            self._call.cancel()
        self._call, self._call_at = None, math.inf
        if self._heap:
            self._call_at = self._heap[0][0]
            left = max(0.0, self._call_at - self._clock.seconds())
            self._call = self._clock.callLater(left, self._come_up)

    def _clean_up(self) -> None:
        """Drop the entries of deadlines that were stopped or moved to sooner."""
        kept = []
        for entry in self._heap:
            at, _, deadline = entry
            if at == deadline.entry:
                if deadline.at < math.inf:
                    kept.append(entry)
                else:
                    deadline.entry = math.inf
        heapq.heapify(kept)
        self._heap = kept

    def _come_up(self) -> None:
        # Nothing pushed meanwhile needs a call of its own.
        self._call, self._call_at = None, -math.inf
        now = self._clock.seconds()
        try:
            while self._heap and self._heap[0][0] <= now:
                at, _, deadline = heapq.heappop(self._heap)
                if at != deadline.entry:
                    continue
                deadline.entry = math.inf
                if deadline.at <= now:
                    self.running -= 1
                    deadline.at = math.inf
                    deadline.expired()
                elif deadline.at < math.inf:
                    self.enter(deadline)
        finally:
            self.schedule()


def _nothing() -> None:
    """Happen to nobody."""
