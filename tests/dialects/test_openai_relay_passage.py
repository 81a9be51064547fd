"""Answers that are only passed on."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from support.chat import PLACES, Damage, call, cut, damages, target, travel

from lightweight.dialects.openai_relay_passage import (
    EventsPassage,
    PipedPassage,
    WholePassage,
    relayed_usage,
)
from lightweight.errors import ProviderCut, ProviderFault, ProviderGarbage
from lightweight.records import Usage

VECTORS = {
    "object": "list",
    "model": "up",
    "data": [{"object": "embedding", "index": 0, "embedding": "AACAPw=="}],
    "usage": {"prompt_tokens": 3, "total_tokens": 3},
}


def event(**data: Any) -> bytes:
    return b"data: " + json.dumps(data).encode() + b"\n\n"


PART = event(type="transcript.text.delta", delta="Hi")
END = event(
    type="transcript.text.done",
    text="Hi",
    usage={"type": "tokens", "input_tokens": 9, "output_tokens": 2},
)


def whole(data: bytes, *, only_json: bool = True, model: str = "up") -> WholePassage:
    way = WholePassage(call(), target(model), only_json=only_json)
    assert way.feed(data) == b""
    return way


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        ({"prompt_tokens": 3, "total_tokens": 3}, Usage(fresh=3)),
        ({"input_tokens": 3, "output_tokens": 2}, Usage(fresh=3, answer=2)),
        ({"total_tokens": 5}, Usage(fresh=5)),
        ({"total_tokens": 5, "output_tokens": 2}, Usage(fresh=3, answer=2)),
        (
            {
                "prompt_tokens": 5,
                "completion_tokens": 1,
                "prompt_tokens_details": {"cached_tokens": 4},
            },
            Usage(fresh=1, cached=4, answer=1),
        ),
        ({"type": "duration", "seconds": 3}, None),
        ({"total_tokens": -1}, None),
        ({"total_tokens": "many"}, None),
        (None, None),
        ([], None),
    ],
)
def test_usage_in_all_its_spellings(told: object, usage: Usage | None) -> None:
    assert relayed_usage(Raw(json.dumps(told).encode())) == usage
    assert relayed_usage(Raw()) is None


def test_an_answer_passes_untouched_with_the_clients_name() -> None:
    body = json.dumps(VECTORS, indent=1).encode()
    way = whole(body)
    assert way.finish() == body.replace(b'"up"', b'"m"')
    assert way.usage == Usage(fresh=3)
    assert (way.deltas, way.size, way.complete) == (0, 0, True)
    assert whole(body, model="m").finish() == body


def test_the_text_of_a_completion_is_counted() -> None:
    way = whole(b'{"choices":[{"text":"Hello"},{"text":"x"},{}]}')
    way.finish()
    assert (way.deltas, way.size) == (1, 6)
    assert whole(b'{"choices":7}').finish() == b'{"choices":7}'


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b'{"a":"\xff"}', b"null"])
def test_what_is_no_object_is_garbage_where_one_must_come(body: bytes) -> None:
    with pytest.raises(ProviderGarbage):
        whole(body).finish()
    assert whole(body, only_json=False).finish() == body


def test_an_error_with_status_200_is_a_fault() -> None:
    with pytest.raises(ProviderFault):
        whole(b'{"error":{"message":"no"}}', only_json=False).finish()


def test_nothing_can_be_said_after_half_an_answer() -> None:
    fault = ProviderCut("cut")
    assert whole(b"").broken(fault) == PipedPassage().broken(fault) == b""


def test_events_pass_and_the_end_waits() -> None:
    way = EventsPassage()
    assert way.feed(PART + END) == PART
    assert (way.complete, way.deltas) == (False, 1)
    assert way.finish() == END
    assert way.usage == Usage(fresh=9, answer=2)


def test_an_end_before_another_event_was_none() -> None:
    way = EventsPassage()
    assert way.feed(END + PART) == END + PART
    with pytest.raises(ProviderCut):
        way.finish()


def test_done_belongs_to_the_end() -> None:
    way = EventsPassage()
    done = b"data: [DONE]\n\n"
    assert way.feed(END + done) == b""
    assert way.finish() == END + done


def test_a_stream_without_its_end_is_cut() -> None:
    for data in (PART, PART + END[:-2], b""):
        _, fault = travel(EventsPassage(), [data])
        assert isinstance(fault, ProviderCut)
    assert b'"error"' in EventsPassage().broken(ProviderCut("Cut."))


@pytest.mark.parametrize("data", ["[1]", "x", '{"error":{"message":"no"}}'])
def test_events_that_are_none(data: str) -> None:
    with pytest.raises(ProviderFault):
        EventsPassage().feed(f"data: {data}\n\n".encode())


@given(st.lists(st.binary(min_size=1), min_size=1))
def test_bytes_of_any_kind_are_piped(pieces: list[bytes]) -> None:
    assert travel(PipedPassage(), pieces) == (b"".join(pieces), None)


def test_an_empty_pipe_is_cut() -> None:
    with pytest.raises(ProviderCut):
        PipedPassage().finish()


@given(damages(), PLACES)
def test_any_bytes_pass_or_are_the_providers_fault(
    damage: Damage, places: list[int]
) -> None:
    data = damage(PART + END)
    passed, fault = travel(EventsPassage(), cut(data, places))
    assert fault is None or isinstance(fault, ProviderFault)
    again, other = travel(EventsPassage(), [data])
    assert type(other) is type(fault)
    assert fault is not None or again == passed
    _, fault = travel(whole(b""), cut(data, places))
    assert isinstance(fault, ProviderFault)
