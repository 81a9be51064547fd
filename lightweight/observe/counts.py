"""What was counted: added up here, told on, and added up again elsewhere.

A worker keeps what its parent was not told yet, the parent keeps the totals. So they
outlive workers and generations, and a scrape costs the workers nothing.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import islice

from msgspec import Struct

from lightweight.observe.metrics import LEFT_OUT, Metric

MOST_SERIES = 20_000
"""Combinations of labels that are kept, over all metrics: a few MB."""


class Series(Struct, frozen=True, array_like=True):
    """Figures of one metric for one combination of its labels."""

    metric: str
    labels: tuple[str, ...]
    values: tuple[float, ...]
    """One; of a histogram the number in each bucket, infinity's, then the sum."""


class Counts:
    """Counters and histograms, each for some labels."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, tuple[str, ...]], list[float]] = {}
        self._read: dict[tuple[str, tuple[str, ...]], float] = {}
        self.taken = 0
        """How often figures were taken."""

    @property
    def full(self) -> bool:
        """Whether no new series is kept."""
        return len(self._kept) >= MOST_SERIES

    def place(self, metric: Metric, labels: tuple[str, ...]) -> list[float]:
        """Give a series' figures, as in Series, to be raised where they are.

        They count until ``taken`` changes. Of a series that there is no room for one
        figure is counted as left out, and what becomes of its figures does not matter.
        """
        key = (metric.name, labels)
        kept = self._kept.get(key)
        if kept is not None:
            return kept
        buckets = metric.buckets
        return self._add_new(key, (0.0,) * (len(buckets) + 2) if buckets else (0,))

    def add(self, metric: Metric, labels: tuple[str, ...], amount: float = 1) -> None:
        """Raise a counter."""
        if amount:
            self.place(metric, labels)[0] += amount

    def observe(self, metric: Metric, labels: tuple[str, ...], value: float) -> None:
        """Count ``value`` in a histogram."""
        observe_in(self.place(metric, labels), metric.buckets, value)

    def read(self, metric: Metric, labels: tuple[str, ...], total: float) -> None:
        """Raise a counter by what ``total``, counted elsewhere, grew since last read.

        One that fell began anew.
        """
        key = (metric.name, labels)
        before = self._read.get(key, 0.0)
        self._read[key] = total
        self.add(metric, labels, total - before if total >= before else total)

    def merge(self, told: Iterable[Series]) -> None:
        """Add what another process told."""
        for each in told:
            key = (each.metric, each.labels)
            kept = self._kept.get(key)
            if kept is None:
                self._add_new(key, each.values)
            elif len(kept) == len(each.values):
                for place, value in enumerate(each.values):
                    kept[place] += value
            # Else another release of the code has other buckets.

    def series(self) -> Sequence[Series]:
        """Give all there is."""
        return [
            Series(name, labels, tuple(values))
            for (name, labels), values in self._kept.items()
        ]

    def take(self, most: int = MOST_SERIES + 1) -> Sequence[Series]:
        """Give all there is, or so many that wait longest; they begin anew."""
        self.taken += 1
        return [
            Series(*key, tuple(self._kept.pop(key)))
            for key in list(islice(self._kept, most))
        ]

    def _add_new(
        self, key: tuple[str, tuple[str, ...]], values: Sequence[float]
    ) -> list[float]:
        kept = list(values)
        if self.full and key[0] != LEFT_OUT.name:
            self.add(LEFT_OUT, ())
        else:
            self._kept[key] = kept
        return kept


def observe_in(kept: list[float], buckets: tuple[float, ...], value: float) -> None:
    """Count ``value`` in the figures of a histogram with those ``buckets``."""
    kept[bisect_left(buckets, value)] += 1
    kept[-1] += value
