"""Sums by the day: which the visitor may see, laid out for charts and tables."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from lightweight.policy.bill import Bill, added_by
from lightweight.store.summary import DaySum, Part, day_sums
from lightweight.web.dashboard.asked import Asked

LINES = 5
"""Parts that a chart has a line of their own for; the rest are one more."""

REST = "Other"


async def sums_for(
    asked: Asked, first: date, last: date, part: Part = "model"
) -> Sequence[DaySum]:
    """Give the sums that the visitor may see, from ``first`` to ``last``.

    Raises Overloaded. Cancelling is harmless.
    """
    scope = asked.actor.scope
    today = datetime.fromtimestamp(asked.now, UTC).date()
    over = min(last, today - timedelta(2))
    if scope is not None or over < first:
        return await asked.read(lambda c: day_sums(c, scope, first, last, part))
    held, period = asked.backstage.held, (part, first, over)
    before = held.get(period, asked.now)
    if before is None:
        before = await asked.read(lambda c: day_sums(c, None, first, over, part))
        held.put(period, before, asked.now)
    after = over + timedelta(1)
    return [
        *before,
        *await asked.read(lambda c: day_sums(c, None, after, last, part)),
    ]


def per_day(
    days: Sequence[date], sums: Iterable[DaySum], measure: Callable[[Bill], float]
) -> Sequence[float]:
    """Give the measure of each of ``days``, 0 where nothing was used."""
    found = dict.fromkeys(days, 0.0)
    for each in sums:
        if each.day in found:
            found[each.day] += measure(each.bill)
    return list(found.values())


def lines(
    days: Sequence[date], sums: Sequence[DaySum], measure: Callable[[Bill], float]
) -> Mapping[str, Sequence[float]]:
    """Give a line for each of the LINES largest parts, and one for all others."""
    totals = added_by((each.part, each.bill) for each in sums)
    largest = sorted(totals, key=lambda name: -measure(totals[name]))
    shown = {
        name: per_day(days, [s for s in sums if s.part == name], measure)
        for name in largest[:LINES]
    }
    rest = set(largest[LINES:])
    if rest:
        shown[REST] = per_day(days, [s for s in sums if s.part in rest], measure)
    return shown
