"""The line of one request in the access log: due when its answer and its call ended."""

from collections.abc import Callable

from lightweight.records import Outcome

CLIENT_LEFT = 499
"""What the access log shows where no status was sent (as nginx does)."""


class Visiting:
    """Holds a request's line back until all that belongs on it is known.

    Each request makes one, so what most never change stands in the class.
    """

    report: Callable[[int, Outcome | None], None] | None = None
    """Called once, with the status that was sent and the Outcome; None: it was."""
    open_calls: int = 0
    status: int | None = None
    outcome: Outcome | None = None

    def call_began(self) -> None:
        """Hold the line back: the call's Outcome belongs on it."""
        self.open_calls += 1

    def call_ended(self, outcome: Outcome | None) -> None:
        """Give the Outcome, where there was one, and let go of the line."""
        self.outcome = outcome or self.outcome
        self.open_calls -= 1
        if self.status is not None and not self.open_calls:
            self._tell(self.status)

    def answered(self, status: int) -> None:
        """Learn that the answer was sent, or that nobody is left to be sent one."""
        self.status = status
        if not self.open_calls:
            self._tell(status)

    def _tell(self, status: int) -> None:
        # No circle is left for the garbage collector to find.
        report, self.report = self.report, None
        if report is not None:
            report(status, self.outcome)
