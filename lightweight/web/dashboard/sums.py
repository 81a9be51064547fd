"""Bills laid out for charts and tables."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date

from lightweight.policy.bill import Bill
from lightweight.records import Usage
from lightweight.store.summary import DaySum

LINES = 5
"""Parts that a chart has a line of their own for; the rest are one more."""

REST = "Other"


def added(bills: Iterable[Bill]) -> Bill:
    """Give the sum of bills."""
    all_of = list(bills)
    usages = [bill.usage for bill in all_of]
    return Bill(
        succeeded=sum(bill.succeeded for bill in all_of),
        failed=sum(bill.failed for bill in all_of),
        usage=Usage(
            fresh=sum(usage.fresh for usage in usages),
            cached=sum(usage.cached for usage in usages),
            cache_write=sum(usage.cache_write for usage in usages),
            answer=sum(usage.answer for usage in usages),
            reasoning=sum(usage.reasoning for usage in usages),
        ),
        micro_usd=sum(bill.micro_usd for bill in all_of),
        unpriced=sum(bill.unpriced for bill in all_of),
    )


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
