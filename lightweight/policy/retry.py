"""How often a fault may be answered by asking again, and whom to leave alone meanwhile.

Where everything fails, asking twice doubles the load at the worst moment. So only a
share of the calls in flight may be on a second attempt at the same time.
"""

from collections.abc import Hashable, Iterator
from contextlib import contextmanager

SHARE = 0.2
LEAST = 3
"""Second attempts allowed at the same time, however few calls there are."""

LONGEST_REST = 600.0
"""Seconds after which a target is asked again, whatever it said."""


class RetryBudget:
    """Counts calls and second attempts that are under way."""

    def __init__(self, share: float = SHARE, least: int = LEAST) -> None:
        self._share = share
        self._least = least
        self._calls = 0
        self._retries = 0

    @contextmanager
    def call(self) -> Iterator[None]:
        """Count a call while the block runs."""
        self._calls += 1
        try:
            yield
        finally:
            self._calls -= 1

    def take(self) -> bool:
        """Take leave for a further attempt, if there is any; ``give_back`` ends it."""
        if self._retries >= max(self._least, self._share * self._calls):
            return False
        self._retries += 1
        return True

    def give_back(self) -> None:
        """Learn that a further attempt is over, or that its answer began."""
        self._retries -= 1


class Resting:
    """Who asked to be left alone, and until when."""

    def __init__(self) -> None:
        self._until: dict[Hashable, float] = {}

    def rest(self, who: Hashable, seconds: float, now: float) -> None:
        """Leave ``who`` alone for so long from ``now``; a longer rest stays."""
        until = now + min(seconds, LONGEST_REST)
        self._until[who] = max(until, self._until.get(who, now))

    def wait(self, who: Hashable, now: float) -> float:
        """Give the seconds until ``who`` may be asked again; 0 if it may now."""
        until = self._until.get(who)
        if until is None:
            return 0.0
        if until <= now:
            del self._until[who]
            return 0.0
        return until - now
