"""Calendar months, UTC, as numbers: whole-number arithmetic that any language can do.

A month is numbered year * 12 + (0 for January … 11 for December). Years are counted
from March here: the leap day is then a year's last day and moves no month's start.
"""

from functools import lru_cache

DAY_MS = 24 * 60 * 60 * 1000

PREPAID = 0
"""Stands where a month does for what never resets."""

_EPOCH = 719_468
"""Days from the first of March of year 0 to the first of January 1970."""

_ERA = 146_097
"""Days of 400 years, after which the calendar repeats."""


def month_of(now: int) -> int:
    """Give the month that ``now``, in milliseconds since the epoch, lies in."""
    return _month_of_day(now // DAY_MS)


@lru_cache(maxsize=4)
def _month_of_day(days: int) -> int:
    era, day = divmod(days + _EPOCH, _ERA)
    year = (day - day // 1460 + day // 36_524 - day // 146_096) // 365
    day -= 365 * year + year // 4 - year // 100
    months_since_march = (5 * day + 2) // 153
    return (400 * era + year) * 12 + months_since_march + 2


@lru_cache(maxsize=4)
def start_of(month: int) -> int:
    """Give the first millisecond of ``month``."""
    year, months_since_march = divmod(month - 2, 12)
    days = 365 * year + year // 4 - year // 100 + year // 400
    return (days + (153 * months_since_march + 2) // 5 - _EPOCH) * DAY_MS
