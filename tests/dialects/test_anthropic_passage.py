import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.chat import PLACES, Damage, cut, damages, singly, travel
from support.messages import (
    DIALECT,
    PING,
    call,
    end,
    event,
    events,
    start,
    stream_call,
    target,
    text,
    thinking,
    tool_use,
    whole,
)

from lightweight.errors import (
    Fault,
    ProviderCut,
    ProviderFault,
    ProviderGarbage,
    ProviderRefused,
    ProviderTimeout,
)
from lightweight.records import Usage

SPOKEN = (
    start()
    + PING
    + thinking(0, "Hm", "sig")
    + text(1, "He", "y")
    + tool_use(2, "t", "f", "{}")
    + end("tool_use")
)


def stream(data: bytes, model: str = "m") -> tuple[bytes, Fault | None]:
    return travel(DIALECT.passage(stream_call(), target(model)), [data])


def test_a_stream_passes_byte_for_byte() -> None:
    assert stream(SPOKEN) == (SPOKEN, None)


def test_only_the_model_is_set_back() -> None:
    passed, fault = stream(SPOKEN, "up")
    assert fault is None
    assert passed == SPOKEN.replace(b'"model": "up"', b'"model": "m"')


def test_a_models_name_elsewhere_is_left_alone() -> None:
    odd = event("message_start", message={"model": "up", "x": {"model": "up"}})
    passed, _ = stream(odd + end(), "up")
    assert events(passed)[0]["message"] == {"model": "m", "x": {"model": "up"}}


def test_a_message_without_a_model_is_left_alone() -> None:
    odd = event("message_start", message={"id": "x"}) + end()
    assert stream(odd, "up") == (odd, None)


def test_lines_that_steer_a_client_are_dropped() -> None:
    steered = SPOKEN.replace(b"event: ping\n", b"id: 7\nretry: 9\nevent: ping\n")
    assert stream(steered) == (SPOKEN, None)


def test_message_stop_comes_from_finish_alone() -> None:
    passage = DIALECT.passage(stream_call(), target())
    assert b"message_stop" not in passage.feed(SPOKEN)
    assert passage.complete
    assert events(passage.finish()) == [{"type": "message_stop"}]


def test_what_is_learned_on_the_way() -> None:
    passage = DIALECT.passage(stream_call(), target())
    passage.feed(start())
    assert passage.usage == Usage(fresh=5, cached=3, cache_write=2, answer=1)
    passage.feed(text(0, "a", "b") + end())
    assert passage.usage == Usage(fresh=5, cached=3, cache_write=2, answer=9)
    assert (passage.deltas, passage.size) == (2, 2)


BROKEN: list[tuple[bytes, type[Fault]]] = [
    (b"", ProviderCut),
    (start() + text(0, "a"), ProviderCut),
    (start() + event("message_stop"), ProviderCut),
    (start() + end(None), ProviderCut),
    (start() + b"data: {}\n\n", ProviderGarbage),
    (start() + b"data: \xff\n\n", ProviderGarbage),
    (start() + event("error", error={"type": "api_error"}), ProviderRefused),
]


@pytest.mark.parametrize(("data", "kind"), BROKEN)
def test_a_broken_stream_never_looks_whole(data: bytes, kind: type[Fault]) -> None:
    passed, fault = stream(data)
    assert type(fault) is kind
    assert b"message_stop" not in passed
    assert b"api_error" not in passed


def test_after_a_fault_it_stays_broken() -> None:
    passage = DIALECT.passage(stream_call(), target())
    assert passage.feed(start() + b"data: {}\n\n") == start()
    assert passage.complete
    with pytest.raises(ProviderGarbage):
        passage.feed(end())
    with pytest.raises(ProviderGarbage):
        passage.finish()
    (told,) = events(passage.broken(ProviderTimeout("Slow.")))
    assert told["error"]["message"] == "Slow."


def test_a_whole_answer_passes_byte_for_byte() -> None:
    body = whole({"type": "text", "text": '"model": "up"'})
    for model, passed in (("m", body), ("up", body[::])):
        passage = DIALECT.passage(call(), target(model))
        given_back, fault = travel(passage, [body[:9], body[9:]])
        assert fault is None
        if model == "up":
            assert json.loads(given_back) == {**json.loads(passed), "model": "m"}
        else:
            assert given_back == passed
        assert passage.usage == Usage(fresh=5, cached=3, cache_write=2, answer=1)
        assert (passage.deltas, passage.complete) == (1, True)
        assert passage.size >= len("model up")
        assert passage.broken(ProviderTimeout("x")) == b""


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", ProviderGarbage),
        (whole(stop_reason=None), ProviderCut),
        (b'{"type":"error","error":{}}', ProviderRefused),
    ],
)
def test_broken_whole_answers(body: bytes, kind: type[Fault]) -> None:
    assert type(travel(DIALECT.passage(call(), target()), [body])[1]) is kind


SOURCES = st.sampled_from([SPOKEN, *(data for data, _ in BROKEN)])


@given(SOURCES, damages(), PLACES)
def test_the_way_does_not_depend_on_the_network(
    data: bytes, spoil: Damage, places: list[int]
) -> None:
    spoilt = spoil(data)
    passed, fault = stream(spoilt, "up")
    assert fault is None or isinstance(fault, ProviderFault)
    for pieces in (singly(spoilt), cut(spoilt, places)):
        passage = DIALECT.passage(stream_call(), target("up"))
        again, other = travel(passage, pieces)
        assert (again, type(other)) == (passed, type(fault))


@given(st.binary() | st.binary().map(lambda data: b"data: " + data + b"\n\n"))
def test_any_bytes_pass_or_are_a_fault_of_the_provider(data: bytes) -> None:
    assert isinstance(stream(data)[1], ProviderFault)


@given(damages())
def test_a_damaged_whole_answer_passes_or_is_a_fault(spoil: Damage) -> None:
    body = spoil(whole({"type": "text", "text": "Hi"}))
    _, fault = travel(DIALECT.passage(call(), target("up")), [body])
    assert fault is None or isinstance(fault, ProviderFault)
