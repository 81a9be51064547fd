"""How often a fault may be answered by asking again, and whom to leave alone meanwhile.

Where everything fails, asking twice doubles the load at the worst moment. So only a
share of the calls in flight may be on a second attempt at the same time.
"""

import re
from collections.abc import Hashable
from email.utils import parsedate_to_datetime

SHARE = 0.2
LEAST = 3
"""Second attempts allowed at the same time, however few calls there are."""

LONGEST_REST = 600.0
"""Seconds after which a target is asked again, whatever it said."""

_SECONDS = re.compile(r"\d{1,9}(?:\.\d{1,9})?")
_DATE = re.compile(r"[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT")


def retry_after(told: str, now: float) -> float | None:
    """Give the seconds of a Retry-After field, from 1 to LONGEST_REST.

    RFC 9110 section 10.2.3: seconds, which providers also send with a fraction, or an
    IMF-fixdate, which is compared with ``now``, the wall clock in seconds since the
    epoch. None: it is neither.
    """
    told = told.strip()
    if _SECONDS.fullmatch(told):
        seconds = float(told)
    elif _DATE.fullmatch(told):
        try:
            seconds = parsedate_to_datetime(told).timestamp() - now
        except ValueError:
            # Such as the 31st of February.
            return None
    else:
        return None
    return min(max(1.0, seconds), LONGEST_REST)


class RetryBudget:
    """Counts calls and second attempts that are under way."""

    def __init__(self, share: float = SHARE, least: int = LEAST) -> None:
        self._share = share
        self._least = least
        self._calls = 0
        self._retries = 0

    def call_began(self) -> None:
        """Count a call until ``call_ended``."""
        self._calls += 1

    def call_ended(self) -> None:
        """Learn that a call is over."""
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

    def waits(self, now: float) -> dict[Hashable, float]:
        """Give everyone who rests with the seconds that are left, the longest first."""
        left = {who: until - now for who, until in self._until.items() if until > now}
        return dict(sorted(left.items(), key=lambda pair: -pair[1]))

    def wait(self, who: Hashable, now: float) -> float:
        """Give the seconds until ``who`` may be asked again; 0 if it may now."""
        until = self._until.get(who)
        if until is None:
            return 0.0
        if until <= now:
            del self._until[who]
            return 0.0
        return until - now
