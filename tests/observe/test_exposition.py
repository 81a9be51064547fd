"""What a scraper reads, parsed as Prometheus would."""

from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as families

from lightweight.observe.counts import Counts, Series
from lightweight.observe.exposition import exposition
from lightweight.observe.metrics import (
    ATTEMPTS,
    LOCAL_DECISIONS,
    LOOP_LAG,
    METRICS,
    STREAMS,
)

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def samples(body: bytes) -> dict[tuple[str, tuple[str, ...]], float]:
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in families(body.decode())
        for sample in family.samples
    }


def test_counters_gauges_and_histograms() -> None:
    counts = Counts()
    counts.add(ATTEMPTS, ('od"d\n', "answered"), 3)
    counts.observe(LOOP_LAG, (), 0.004)
    counts.observe(LOOP_LAG, (), 99.0)
    told = [*counts.series(), Series(STREAMS.name, (), (5.0,))]

    content_type, body = exposition(told, "text/plain")

    read = samples(body)
    assert content_type.startswith("text/plain; version=")
    assert read[ATTEMPTS.name, ('od"d\n', "answered")] == 3
    assert read[STREAMS.name, ()] == 5
    assert read[f"{LOOP_LAG.name}_bucket", ("0.0025",)] == 0
    assert read[f"{LOOP_LAG.name}_bucket", ("0.005",)] == 1
    assert read[f"{LOOP_LAG.name}_bucket", ("+Inf",)] == 2
    assert read[f"{LOOP_LAG.name}_count", ()] == 2
    assert read[f"{LOOP_LAG.name}_sum", ()] == 99.004


def test_openmetrics_where_it_is_asked_for() -> None:
    content_type, body = exposition([], OPENMETRICS)
    assert content_type.startswith("application/openmetrics-text")
    named = {family.name for family in openmetrics(body.decode())}
    assert named == {metric.name.removesuffix("_total") for metric in METRICS}


def test_every_metric_is_told_of_before_it_moves() -> None:
    _, body = exposition([], "")
    for metric in METRICS:
        assert f"# TYPE {metric.name} {metric.kind}" in body.decode()
    assert samples(body)[LOCAL_DECISIONS.name, ()] == 0


def test_what_another_release_counts_is_left_out() -> None:
    strange = [
        Series("lightweight_later_total", (), (1.0,)),
        Series(LOOP_LAG.name, (), (1.0, 2.0)),
    ]
    _, body = exposition(strange, "")
    assert b"later" not in body
    assert (f"{LOOP_LAG.name}_count", ()) not in samples(body)
