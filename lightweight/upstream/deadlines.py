"""Many deadlines over one call of the reactor.

Each call to a provider has two, wound up again with every piece of a stream. Moving one
to later costs an assignment: its entry in the heap is looked at when it comes up.
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

    def set(self, seconds: float) -> None:
        """Let it expire in so many seconds; infinite ones stop it."""
        self._deadlines.move(self, seconds)

    def set_sooner(self, seconds: float) -> None:
        """Let it expire in so many seconds, unless it does so sooner."""
        self._deadlines.move(self, seconds, sooner=True)

    def stop(self) -> None:
        """Let it not expire."""
        if self.at < math.inf:
            self._deadlines.move(self, math.inf)


class Deadlines:
    """All deadlines by one clock. While none is set the clock has no call."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._heap: list[tuple[float, int, Deadline]] = []
        self._order = count()
        self._set = 0
        self._call: IDelayedCall | None = None
        self._call_at = math.inf

    def make(self, expired: Callable[[], object]) -> Deadline:
        """Make a deadline, not set; ``expired`` is called at each expiry."""
        return Deadline(self, expired)

    def move(self, deadline: Deadline, seconds: float, *, sooner: bool = False) -> None:
        """Do what ``Deadline.set`` and ``set_sooner`` say."""
        at = math.inf if seconds == math.inf else self._clock.seconds() + seconds
        if sooner:
            at = min(at, deadline.at)
        self._set += (at < math.inf) - (deadline.at < math.inf)
        deadline.at = at
        if at < deadline.entry:
            self._push(deadline)
        elif not self._set:
            self._schedule()

    def _push(self, deadline: Deadline) -> None:
        deadline.entry = deadline.at
        heapq.heappush(self._heap, (deadline.at, next(self._order), deadline))
        if len(self._heap) > FEW and len(self._heap) > 4 * self._set:
            self._clean_up()
        if deadline.at < self._call_at:
            self._schedule()

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

    def _schedule(self) -> None:
        """Let the clock call when the first entry comes up, if any is set."""
        if not self._set:
            self._clean_up()
        if self._call is not None and self._call.active():
            self._call.cancel()
        self._call, self._call_at = None, math.inf
        if self._heap:
            self._call_at = self._heap[0][0]
            left = max(0.0, self._call_at - self._clock.seconds())
            self._call = self._clock.callLater(left, self._come_up)

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
                    self._set -= 1
                    deadline.at = math.inf
                    deadline.expired()
                elif deadline.at < math.inf:
                    self._push(deadline)
        finally:
            self._schedule()
