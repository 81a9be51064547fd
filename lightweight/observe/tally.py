"""How many calls there were, and how many requests failed."""

from collections.abc import Callable

from lightweight.observe.access import Visit

_FAILED = 500


class Tally:
    """Counts visits on their way to ``record``."""

    def __init__(self, record: Callable[[Visit], None]) -> None:
        self.calls = 0
        """Model calls that ended, however they did."""
        self.errors = 0
        """Requests with a status of 500 or more, and answers that broke."""
        self._record = record

    def count(self, visit: Visit) -> None:
        """Count one visit and pass it on."""
        outcome = visit.outcome
        if outcome is not None:
            self.calls += 1
        if visit.status >= _FAILED or (outcome is not None and outcome.ending == "cut"):
            self.errors += 1
        self._record(visit)
