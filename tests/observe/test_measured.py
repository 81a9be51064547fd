"""Each visit moves its metrics, once."""

from typing import Any

import pytest
from support.outcome import outcome
from support.visit import visit

from lightweight.observe import counts as counting
from lightweight.observe.access import Visit
from lightweight.observe.counts import Counts
from lightweight.observe.measured import Measured, result_of
from lightweight.observe.metrics import (
    ATTEMPT_SECONDS,
    ATTEMPTS,
    CALL_SECONDS,
    CALLS,
    FIRST_BYTE_SECONDS,
    LEFT_OUT,
    REQUESTS,
    SENT,
    TOKENS,
    USES,
    Metric,
)
from lightweight.records import Attempted, Usage


class World:
    def __init__(self) -> None:
        self.passed: list[Visit] = []
        self.counts = Counts()
        offered = {"m"}.__contains__
        self.measured = Measured(self.passed.append, self.counts, offered)

    def visit(self, **given: Any) -> None:
        self.measured.count(visit(**given))

    def of(self, metric: Metric) -> dict[tuple[str, ...], tuple[float, ...]]:
        told = self.counts.series()
        return {each.labels: each.values for each in told if each.metric == metric.name}


def attempt(provider: str, status: int | None, fault: str | None) -> Attempted:
    return Attempted(
        provider=provider, model="there", status=status, fault=fault, seconds=0.3
    )


def test_every_request_counts_and_is_passed_on() -> None:
    world = World()
    world.visit(status=404, sent=12)
    world.visit(status=404, sent=30)

    assert len(world.passed) == 2
    assert world.of(REQUESTS) == {("404",): (2,)}
    assert world.of(SENT) == {(): (42,)}
    assert world.of(CALLS) == {}


def test_a_call_counts_with_all_that_is_known_of_it() -> None:
    world = World()
    told = outcome(
        "finished",
        stream=True,
        usage=Usage(fresh=100, cached=20, answer=7),
        provenance="reported",
        first_byte_s=0.35,
        duration_s=2.0,
        attempts=(attempt("other", 500, "Broken."), attempt("acme", 200, None)),
    )
    world.visit(outcome=told)

    assert world.of(CALLS) == {("m", "acme", "openai_chat", "finished"): (1,)}
    assert world.of(TOKENS) == {
        ("m", "acme", "fresh"): (100,),
        ("m", "acme", "cached"): (20,),
        ("m", "acme", "answer"): (7,),
    }
    assert world.of(USES) == {("reported",): (1,)}
    assert world.of(ATTEMPTS) == {("other", "failed"): (1,), ("acme", "answered"): (1,)}
    assert [v[-1] for v in world.of(ATTEMPT_SECONDS).values()] == [0.3, 0.3]
    assert world.of(CALL_SECONDS)["m", "acme"][-1] == 2.0
    assert world.of(FIRST_BYTE_SECONDS)["m", "acme"][-1] == 0.35


def test_only_of_a_stream_the_first_byte_is_a_token() -> None:
    world = World()
    world.visit(outcome=outcome("finished", first_byte_s=0.35))
    assert world.of(FIRST_BYTE_SECONDS) == {}
    assert len(world.of(CALL_SECONDS)) == 1


def test_who_was_refused_took_no_time_of_a_provider() -> None:
    world = World()
    world.visit(outcome=outcome("refused", provider=None), status=429)
    assert world.of(CALLS) == {("m", "none", "openai_chat", "refused"): (1,)}
    assert world.of(CALL_SECONDS) == {}


def test_a_client_makes_no_labels() -> None:
    world = World()
    for number in range(50):
        told = outcome("refused", provider=None, model=f"made-up-{number}")
        world.visit(outcome=told, path=f"/v1/{number}", method=f"M{number}")
    assert world.of(CALLS) == {("unknown", "none", "openai_chat", "refused"): (50,)}
    assert len(world.counts.series()) == 2


def test_what_was_told_is_counted_anew() -> None:
    world = World()
    told = outcome(
        "finished",
        usage=Usage(fresh=5),
        provenance="reported",
        attempts=(attempt("acme", 200, None),),
    )
    world.visit(outcome=told, sent=3)
    first = world.counts.take()
    assert world.counts.series() == []
    world.visit(outcome=told, sent=3)
    assert world.counts.take() == first


def test_each_figure_without_room_is_left_out_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(counting, "MOST_SERIES", 3)
    world = World()
    asked = attempt("acme", 200, None)
    told = outcome("finished", usage=Usage(fresh=5), attempts=(asked, asked))
    for _ in range(3):
        world.visit(outcome=told, sent=3)
    # There is room for the request, what was sent and the call.
    assert world.of(CALLS) == {("m", "acme", "openai_chat", "finished"): (3,)}
    # There is none for its seconds, two attempts and theirs, the use and its tokens.
    assert world.of(LEFT_OUT) == {(): (3 * 7,)}


@pytest.mark.parametrize(
    ("status", "fault", "result"),
    [
        (200, None, "answered"),
        (200, "It broke.", "broken"),
        (429, "Busy.", "limited"),
        (400, "No.", "rejected"),
        (503, "Away.", "failed"),
        (None, "No connection.", "failed"),
        (None, None, "left"),
    ],
)
def test_what_came_of_an_attempt(
    status: int | None, fault: str | None, result: str
) -> None:
    assert result_of(attempt("acme", status, fault)) == result
