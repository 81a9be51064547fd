"""Adding up here, telling on, adding up again there."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightweight.observe import counts as counting
from lightweight.observe.counts import Counts, Series
from lightweight.observe.metrics import (
    ATTEMPTS,
    LEFT_OUT,
    LIMIT_DECISIONS,
    LOOP_LAG,
    SENT,
)


def values(counts: Counts) -> dict[tuple[str, ...], tuple[float, ...]]:
    return {each.labels: each.values for each in counts.series()}


def test_a_counter_adds_up_for_each_of_its_labels() -> None:
    counts = Counts()
    counts.add(ATTEMPTS, ("one", "answered"))
    counts.add(ATTEMPTS, ("one", "answered"), 2)
    counts.add(ATTEMPTS, ("two", "answered"))

    assert values(counts) == {("one", "answered"): (3,), ("two", "answered"): (1,)}


def test_nothing_added_is_no_series() -> None:
    counts = Counts()
    counts.add(SENT, (), 0)
    assert counts.series() == []


def test_a_histogram_counts_in_the_bucket_whose_bound_is_not_passed() -> None:
    counts = Counts()
    for lag in (0.0, 0.001, 0.0011, 0.5, 7.0):
        counts.observe(LOOP_LAG, (), lag)

    ((*buckets, total),) = values(counts).values()

    assert buckets == [2, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1]
    assert total == pytest.approx(7.5021)


def test_what_is_counted_elsewhere_is_read_as_it_grows() -> None:
    counts, label = Counts(), ("admitted",)
    for total in (3, 3, 5):
        counts.read(LIMIT_DECISIONS, label, total)
    assert values(counts) == {label: (5,)}
    counts.take()
    # Whoever counted was replaced.
    counts.read(LIMIT_DECISIONS, label, 2)
    assert values(counts) == {label: (2,)}


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 9), st.integers(0, 3))),
)
def test_whenever_it_is_told_the_sum_is_the_same(
    steps: list[tuple[str, int, int]],
) -> None:
    at_once, worker, parent = Counts(), Counts(), Counts()
    for provider, amount, told in steps:
        for counts in (at_once, worker):
            counts.add(ATTEMPTS, (provider, "answered"), amount)
            counts.observe(LOOP_LAG, (), amount)
        taken = worker.take(told)
        assert len(taken) <= told
        parent.merge(msgspec.json.decode(msgspec.json.encode(taken), type=list[Series]))
    parent.merge(worker.take())

    assert values(parent) == values(at_once)
    assert worker.series() == []


def test_buckets_of_another_release_are_left_alone() -> None:
    counts = Counts()
    counts.observe(LOOP_LAG, (), 1.0)
    before = values(counts)
    counts.merge([Series(LOOP_LAG.name, (), (1.0, 2.0, 3.0))])
    assert values(counts) == before


def test_too_many_series_are_counted_and_not_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(counting, "MOST_SERIES", 2)
    counts = Counts()
    for provider in "abcd":
        counts.add(ATTEMPTS, (provider, "answered"))
    counts.observe(LOOP_LAG, (), 1.0)
    counts.add(ATTEMPTS, ("a", "answered"))

    assert [(each.metric, each.values) for each in counts.series()] == [
        (ATTEMPTS.name, (2,)),
        (ATTEMPTS.name, (1,)),
        (LEFT_OUT.name, (3,)),
    ]
