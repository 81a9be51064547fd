"""Whether there is more work than this process can do.

Only new model calls are then refused: what runs goes on, and probes, the model list and
the docs keep answering, since they are how people find out.
"""

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

TICK_SECONDS = 0.1
LAG_SECONDS = 0.25
"""How late a tick may come before the loop counts as behind."""

LATE_TICKS = 3
"""How many ticks in a row must be late: one alone is a large body, not overload."""

MEMORY_TICKS = 10
"""Ticks from one look at the memory to the next."""

BEHIND = "The server is busier than it can serve well. Try again in a moment."
FULL = "The server is short of memory. Try again in a moment."


class Overload:
    """Looks at the loop's lag and at the memory, from ``start`` to ``stop``."""

    log = Logger()

    def __init__(
        self, clock: IReactorTime, *, memory: Callable[[], int], mark: int
    ) -> None:
        """``memory`` gives bytes in use; at ``mark`` bytes no new work is taken."""
        self._clock = clock
        self._memory = memory
        self._mark = mark
        self._late = 0
        self._full = False
        self._ticks = 0
        self._due = 0.0
        self._worst = 0.0
        self._next: IDelayedCall | None = None
        self.reason: str | None = None
        """Why no new call is taken; None where it is."""

    def worst_lag(self) -> float:
        """Give the longest delay of a tick since this was last asked, in seconds."""
        worst, self._worst = self._worst, 0.0
        return worst

    def start(self) -> None:
        """Begin to look."""
        self._plan()

    def stop(self) -> None:
        """Look no more; what was last seen counts no longer."""
        if self._next is not None:
            self._next.cancel()
            self._next = None
        self._late, self._full, self.reason = 0, False, None

    def _plan(self) -> None:
        self._due = self._clock.seconds() + TICK_SECONDS
        self._next = self._clock.callLater(TICK_SECONDS, self._tick)

    def _tick(self) -> None:
        lag = self._clock.seconds() - self._due
        self._worst = max(self._worst, lag)
        self._late = self._late + 1 if lag > LAG_SECONDS else 0
        if self._ticks % MEMORY_TICKS == 0:
            self._full = self._memory() >= self._mark
        self._ticks += 1
        self._plan()
        self._tell()

    def _tell(self) -> None:
        behind = BEHIND if self._late >= LATE_TICKS else None
        before, why = self.reason, FULL if self._full else behind
        if why == before:
            return
        self.reason = why
        if why is None:
            self.log.info("New calls are taken again.")
        else:
            self.log.warn("New calls are refused: {why}", why=why)
