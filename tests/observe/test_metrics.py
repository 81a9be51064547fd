"""The table of metrics keeps Prometheus' customs."""

import re

from lightweight.observe import metrics
from lightweight.observe.metrics import METRICS, Metric


def test_every_metric_is_in_the_table_once() -> None:
    defined = [each for each in vars(metrics).values() if isinstance(each, Metric)]
    assert sorted(each.name for each in defined) == sorted(m.name for m in METRICS)
    assert len({each.name for each in METRICS}) == len(METRICS)


def test_names_say_what_they_are() -> None:
    for metric in METRICS:
        assert re.fullmatch(r"lightweight(_[a-z]+)+", metric.name)
        assert (metric.kind == "counter") == metric.name.endswith("_total")
        assert metric.help.endswith(".")
        assert bool(metric.buckets) == (metric.kind == "histogram")
        assert list(metric.buckets) == sorted(set(metric.buckets))


def test_nobody_is_named_in_a_label() -> None:
    labels = {label for metric in METRICS for label in metric.labels}
    assert not labels & {"account", "key", "user", "path", "peer", "request_id"}
