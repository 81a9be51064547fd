"""Which of a provider's credentials to show.

The first that is not resting: a provider's prompt cache belongs to the account behind a
credential, so calls stay with one as long as it is served.
"""

from lightweight.policy.retry import Resting


class KeyPool:
    """Knows credentials by their place, from 0; ``now`` is any monotonic clock."""

    def __init__(self, size: int) -> None:
        """``size`` is at least 1."""
        self._places = range(size)
        self._resting = Resting()

    def choose(self, now: float) -> int:
        """Give the first that does not rest, else the one that soon will not."""
        return min(self._places, key=lambda place: (self._wait(place, now), place))

    def rest(self, place: int, seconds: float, now: float) -> None:
        """Leave one alone for so long."""
        self._resting.rest(place, seconds, now)

    def wait(self, now: float) -> float:
        """Give the seconds until one does not rest; 0 if one does not now."""
        return min(self._wait(place, now) for place in self._places)

    def _wait(self, place: int, now: float) -> float:
        return self._resting.wait(place, now)
