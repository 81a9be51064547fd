"""Sums over all accounts, held for a while: days that are over hardly ever change.

A server's whole roll-up has a row for each key, model and day. An operator's page adds
up today and yesterday anew; what was before them, at most every HELD_S. Only a journal
that a dead process left can still change it, and is then seen that much later.
"""

from collections.abc import Sequence
from datetime import date
from typing import TypeAlias

from lightweight.store.summary import DaySum, Part

HELD_S = 600.0

MOST = 32
"""Periods that are held at one time."""

Period: TypeAlias = tuple[Part, date, date]


class Held:
    """What was added up lately, of all accounts."""

    def __init__(self) -> None:
        self._sums: dict[Period, tuple[float, Sequence[DaySum]]] = {}

    def get(self, period: Period, now: float) -> Sequence[DaySum] | None:
        """Give the sums of a period; None where they must be added up."""
        at, sums = self._sums.get(period, (0.0, None))
        return sums if at <= now < at + HELD_S else None

    def put(self, period: Period, sums: Sequence[DaySum], now: float) -> None:
        """Hold the sums of a period."""
        self._sums.pop(period, None)
        self._sums[period] = (now, sums)
        if len(self._sums) > MOST:
            del self._sums[next(iter(self._sums))]
