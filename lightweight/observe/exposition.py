"""Figures as Prometheus reads them: its text format, or OpenMetrics where it asks."""

from collections.abc import Iterable, Iterator, Sequence

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from lightweight.observe import metrics
from lightweight.observe.counts import Series


def exposition(told: Iterable[Series], accept: str) -> tuple[str, bytes]:
    """Give the content type that suits an ``Accept`` header, and the figures in it.

    What this release has no metric for is left out.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Told(told))
    encode, content_type = choose_encoder(accept)
    return content_type, encode(registry)


class _Told(Collector):
    def __init__(self, told: Iterable[Series]) -> None:
        self._told: dict[str, list[Series]] = {}
        for each in told:
            self._told.setdefault(each.metric, []).append(each)

    def collect(self) -> Iterator[Metric]:
        """Give one family for each metric, also for those nobody moved yet."""
        for metric in metrics.METRICS:
            yield _family(metric, self._told.get(metric.name, ()))


def _family(metric: metrics.Metric, told: Sequence[Series]) -> Metric:
    if metric.kind == "histogram":
        return _histogram(metric, told)
    kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family = kind(metric.name, metric.help, labels=metric.labels)
    for each in told:
        family.add_metric(each.labels, each.values[0])
    if metric.kind == "counter" and not metric.labels and not told:
        # There from the start, so that its first rise can be seen.
        family.add_metric((), 0)
    return family


def _histogram(metric: metrics.Metric, told: Sequence[Series]) -> Metric:
    family = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
    bounds = [*map(repr, metric.buckets), "+Inf"]
    for each in told:
        *counted, total = each.values
        if len(counted) != len(bounds):
            continue
        so_far = 0.0
        buckets = []
        for bound, count in zip(bounds, counted, strict=True):
            so_far += count
            buckets.append((bound, so_far))
        family.add_metric(each.labels, buckets, total)
    return family
