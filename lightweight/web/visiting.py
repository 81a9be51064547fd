"""The line of one request in the access log: due when its answer and its call ended."""

from collections.abc import Callable

from lightweight.records import Outcome

CLIENT_LEFT = 499
"""What the access log shows where no status was sent (as nginx does)."""


class Visiting:
    """Holds a request's line back until all that belongs on it is known."""

    def __init__(self, report: Callable[[int, Outcome | None], None]) -> None:
        """``report`` is called once, with the status that was sent and the Outcome."""
        self._report: Callable[[int, Outcome | None], None] | None = report
        self._open_calls = 0
        self._status: int | None = None
        self._outcome: Outcome | None = None

    def call_began(self) -> None:
        """Hold the line back: the call's Outcome belongs on it."""
        self._open_calls += 1

    def call_ended(self, outcome: Outcome | None) -> None:
        """Give the Outcome, where there was one, and let go of the line."""
        self._outcome = outcome or self._outcome
        self._open_calls -= 1
        self._tell()

    def answered(self, status: int) -> None:
        """Learn that the answer was sent, or that nobody is left to be sent one."""
        self._status = status
        self._tell()

    def _tell(self) -> None:
        if self._status is not None and not self._open_calls:
            # No circle is left for the garbage collector to find.
            report, self._report = self._report, None
            if report is not None:
                report(self._status, self._outcome)
