import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.chat import cut, travel
from support.responses import (
    DIALECT,
    added,
    call,
    completed,
    created,
    delta,
    done,
    event,
    message,
    response,
    target,
    text,
    told,
)

from lightweight.dialects.dialect import Passage
from lightweight.errors import (
    Fault,
    ProviderBusy,
    ProviderCut,
    ProviderFault,
    ProviderGarbage,
    ProviderRefused,
    ProviderTimeout,
)
from lightweight.records import Usage

HI = message(text("Hi"))
BODY = created() + added(message()) + delta("H") + b": comment\n\n" + delta("i")
ENDING = completed(HI)
STREAM = BODY + done(HI) + ENDING
REPORTED = Usage(fresh=5, cached=3, cache_write=2, answer=4, reasoning=6)


def stream(model: str = "m") -> Passage:
    return DIALECT.passage(call(stream=True), target(model))


def whole(model: str = "m") -> Passage:
    return DIALECT.passage(call(), target(model))


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_bytes_pass_untouched(end: bytes) -> None:
    data = STREAM.replace(b"\n", end)
    single = [data[at : at + 1] for at in range(len(data))]
    for pieces in ([data], single):
        assert travel(stream(), pieces) == (data, None)


@given(st.lists(st.integers(min_value=0)))
def test_however_they_are_cut(places: list[int]) -> None:
    assert travel(stream(), cut(STREAM, places)) == (STREAM, None)


def test_the_last_event_comes_from_finish_alone() -> None:
    way = stream()
    assert way.feed(STREAM + b"data: [DONE]\n\n") == STREAM.removesuffix(ENDING)
    assert (way.complete, way.deltas, way.usage) == (True, 2, REPORTED)
    assert way.feed(b"more") == b""
    assert way.finish() == ENDING


def test_the_model_is_set_back_wherever_it_is_told() -> None:
    passed, fault = travel(stream("there"), [STREAM])
    assert fault is None
    assert b'"model": "up"' not in passed
    models = [
        each["response"]["model"]
        for each in told(passed.replace(b": comment\n\n", b""))
        if "response" in each
    ]
    assert models == ["m", "m"]
    assert passed.replace(b'"m"', b'"up"') == STREAM


def test_steering_lines_are_dropped() -> None:
    steered = STREAM.replace(b"event: ", b"id: 7\nretry: 1\nevent: ")
    assert travel(stream(), [steered]) == (STREAM, None)


@given(st.integers(min_value=0, max_value=len(STREAM) - 2))
def test_a_stream_that_is_cut_short_is_never_whole(end: int) -> None:
    passed, fault = travel(stream(), [STREAM[:end]])
    assert isinstance(fault, ProviderCut)
    assert STREAM.startswith(passed)
    assert b"completed" not in passed.replace(b'"status": "completed"', b"")


LIMITED = {"code": "rate_limit_exceeded", "message": "Slow down."}


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        (
            event("response.failed", response=response("failed", error=LIMITED)),
            ProviderBusy,
        ),
        (event("error", message="x", code=None), ProviderRefused),
        (b"data: [DONE]\n\n", ProviderCut),
        (b"data: nonsense\n\n", ProviderGarbage),
    ],
)
def test_errors_in_a_stream(frame: bytes, kind: type[Fault]) -> None:
    way = stream()
    with pytest.raises(kind):
        way.feed(frame)
    way = stream()
    assert way.feed(BODY + frame) == BODY
    assert way.complete
    with pytest.raises(kind):
        way.finish()


def test_what_broke_is_told_with_the_next_number() -> None:
    way = stream()
    way.feed(event("response.created", 4, response=response("in_progress")))
    error, failed = told(way.broken(ProviderTimeout("Too slow.")))
    assert (error["sequence_number"], failed["sequence_number"]) == (5, 6)


def test_a_whole_answer() -> None:
    body = json.dumps(response("completed", HI, usage=None)).encode()
    assert travel(whole(), [body[:9], body[9:]]) == (body, None)
    way = whole("there")
    assert way.feed(body) == b""
    assert way.finish() == body.replace(b'"up"', b'"m"')
    assert (way.complete, way.deltas, way.usage) == (True, 1, None)
    assert way.broken(ProviderTimeout("x")) == b""


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (response("failed", error=LIMITED), ProviderBusy),
        (response("in_progress"), ProviderCut),
        ([], ProviderGarbage),
    ],
)
def test_whole_answers_that_are_none(body: Any, kind: type[Fault]) -> None:
    passed, fault = travel(whole(), [json.dumps(body).encode()])
    assert passed == b""
    assert type(fault) is kind


SNIPPETS = st.sampled_from(
    [STREAM, created(), ENDING, b"data: ", b"\n\n", b"event: x\n", b'{"type":"error"}']
)


@given(pieces=st.lists(SNIPPETS | st.binary()), streamed=st.booleans())
def test_any_bytes_pass_or_are_a_fault(pieces: list[bytes], *, streamed: bool) -> None:
    way = stream("there") if streamed else whole("there")
    _, fault = travel(way, pieces)
    assert fault is None or isinstance(fault, ProviderFault)
