"""Visits, recorded some at a time.

Nobody waits for them: one after the other they take a third of what each of them takes
between two calls, where the code that sees to it has left the processor's caches.
"""

from collections import deque
from collections.abc import Callable

from lightweight.observe.access import Visit
from lightweight.observe.writer import Later

SOON_SECONDS = 0.1
"""How long a visit waits for others."""

MOST = 100
"""How many wait: to record them takes a few milliseconds, in which nobody is served."""


class Together:
    """Keeps visits until SOON_SECONDS after the first; ``flush`` is for the end."""

    def __init__(
        self,
        record: Callable[[Visit], None],
        timer: Later,
        after: Callable[[], None],
    ) -> None:
        """``record`` takes each visit, in order; ``after`` is called when all have."""
        self._record = record
        self._timer = timer
        self._after = after
        self._waiting: deque[Visit] = deque()
        self._planned = False

    def keep(self, visit: Visit) -> None:
        """Take a visit."""
        self._waiting.append(visit)
        if not self._planned:
            self._planned = True
            self._timer.callLater(SOON_SECONDS, self._as_planned)
        elif len(self._waiting) >= MOST:
            self.flush()

    def flush(self) -> None:
        """Record all that wait."""
        waiting, record = self._waiting, self._record
        while waiting:
            record(waiting.popleft())
        self._after()

    def _as_planned(self) -> None:
        self._planned = False
        self.flush()
