"""Sums that are held for a while."""

from datetime import date

from lightweight.policy.bill import Bill
from lightweight.store.summary import DaySum, Part
from lightweight.web.dashboard.held import HELD_S, MOST, Held

DAY = date(2026, 11, 1)
MODEL: Part = "model"
SUMS = [DaySum(DAY, "gpt", Bill(succeeded=1))]


def test_they_are_held_for_a_while_and_no_longer() -> None:
    held = Held()
    period = (MODEL, DAY, DAY)
    assert held.get(period, 100.0) is None
    held.put(period, SUMS, 100.0)
    assert held.get(period, 100.0 + HELD_S - 1) == SUMS
    assert held.get(period, 100.0 + HELD_S) is None
    # A clock that was set back proves nothing.
    assert held.get(period, 99.0) is None


def test_only_so_many_and_the_oldest_go() -> None:
    held = Held()
    for number in range(MOST + 1):
        held.put((MODEL, date(2026, 1, 1), date.fromordinal(740_000 + number)), SUMS, 1)
    first = (MODEL, date(2026, 1, 1), date.fromordinal(740_000))
    assert held.get(first, 1) is None
    last = (MODEL, date(2026, 1, 1), date.fromordinal(740_000 + MOST))
    assert held.get(last, 1) == SUMS
