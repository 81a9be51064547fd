"""Bills laid out for charts and tables."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date

from lightweight.policy.bill import Bill
from lightweight.store.summary import DaySum

LINES = 5
"""Parts that a chart has a line of their own for; the rest are one more."""

REST = "Other"


def largest(
    parts: Mapping[str, Bill], measure: Callable[[Bill], float]
) -> Mapping[str, Bill]:
    """Give the parts in the order of their measure, the largest first."""
    return dict(sorted(parts.items(), key=lambda part: -measure(part[1])))


def lines(
    days: Sequence[date],
    top: Mapping[str, Iterable[DaySum]],
    whole: Mapping[date, Bill],
    measure: Callable[[Bill], float],
) -> Mapping[str, Sequence[float]]:
    """Give a line for each part of ``top``, and one for what is left of the whole."""
    rest = {day: measure(whole[day]) if day in whole else 0.0 for day in days}
    shown: dict[str, Sequence[float]] = {}
    for name, sums in top.items():
        line = dict.fromkeys(days, 0.0)
        for each in sums:
            line[each.day] += measure(each.bill)
            rest[each.day] -= measure(each.bill)
        shown[name] = list(line.values())
    # Dollars are fractions: less than a millionth is nothing.
    left = [max(0.0, round(amount, 6)) for amount in rest.values()]
    if any(left):
        shown[REST] = left
    return shown
