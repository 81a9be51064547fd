"""Gemini's answers to events: each mapping, each trap, any bytes at all."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.chat import PLACES, Damage, call, cut, damages, read, singly, stream_call
from support.gemini import DIALECT, called, event, response, stream
from support.gemini_schema import response_errors

from lightweight.errors import (
    Fault,
    ProviderCut,
    ProviderFault,
    ProviderGarbage,
    ProviderRefused,
)
from lightweight.events import (
    Event,
    Finished,
    ReasoningDelta,
    ReasoningSealed,
    Started,
    TextDelta,
    ToolCallDelta,
    Unknown,
    UsageReported,
)
from lightweight.records import Usage

STARTED = Started(id="r-1", created=0, model="up")
STOP = Finished(reason="stop")


def streamed(data: bytes) -> tuple[list[Event], Fault | None]:
    return read(DIALECT.reader(stream_call()), [data])


def whole(body: Any) -> tuple[list[Event], Fault | None]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read(DIALECT.reader(call()), [data[:9], data[9:]])


THOUGHT = {"text": "Hm. ", "thought": True}
SAID = response({"text": "Hi."})
END = response(finish="STOP")


def test_words_and_thoughts() -> None:
    data = stream(response(THOUGHT), SAID, response({"text": "!"}, finish="STOP"))
    assert streamed(data) == (
        [
            STARTED,
            ReasoningDelta(text="Hm. "),
            TextDelta(text="Hi."),
            TextDelta(text="!"),
            STOP,
        ],
        None,
    )


def test_calls_are_counted_over_the_whole_stream_and_end_with_tool_calls() -> None:
    data = stream(
        response(called("f", "SIG", a=1)),
        response(called("g"), {"functionCall": {"id": "own", "name": "h"}}),
        response({"text": ""}, finish="STOP"),
    )
    events, fault = streamed(data)
    assert fault is None
    assert events[1:] == [
        ToolCallDelta(
            call=0, id="call_r1_0_0", name="f", arguments='{"a":1}', seal="SIG"
        ),
        ToolCallDelta(call=1, id="call_r1_0_1", name="g", arguments="{}"),
        ToolCallDelta(call=2, id="own", name="h", arguments="{}"),
        Finished(reason="tool_calls"),
    ]


def test_a_signature_of_words_seals_thoughts() -> None:
    sealed = {"text": "", "thoughtSignature": "S1"}
    data = stream(SAID, response(sealed, finish="STOP"))
    assert ReasoningSealed(seal="S1", sealed_by="gemini") in streamed(data)[0]


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        *[
            (told, "content_filter")
            for told in (
                "SAFETY",
                "RECITATION",
                "BLOCKLIST",
                "PROHIBITED_CONTENT",
                "SPII",
                "IMAGE_SAFETY",
                "LANGUAGE",
                "OTHER",
            )
        ],
    ],
)
def test_why_it_ended(told: str, reason: Any) -> None:
    body = response({"text": "x"}, finish=told)
    assert response_errors(body) == []
    for events, fault in (streamed(event(body)), whole(body)):
        assert events[-1] == Finished(reason=reason)
        assert fault is None


@pytest.mark.parametrize(
    "told",
    [
        "MALFORMED_FUNCTION_CALL",
        "UNEXPECTED_TOOL_CALL",
        "MISSING_THOUGHT_SIGNATURE",
        "SOMETHING_NEW",
    ],
)
def test_a_bungled_call_is_an_error(told: str) -> None:
    body = response({"text": "x"}, finish=told)
    for _, fault in (streamed(event(body)), whole(body)):
        assert type(fault) is ProviderGarbage
        assert fault.retryable


def test_a_blocked_prompt_is_one_filtered_choice() -> None:
    body = {
        "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
        "usageMetadata": {"promptTokenCount": 4},
    }
    assert response_errors(body) == []
    for events, fault in (streamed(event(body)), whole(body)):
        assert fault is None
        assert events[1:] == [
            Finished(reason="content_filter"),
            UsageReported(usage=Usage(fresh=4)),
        ]


def test_usage_is_cumulative_and_its_classes_are_disjoint() -> None:
    first = response({"text": "x"}, usageMetadata={"promptTokenCount": 10})
    last = response(
        finish="STOP",
        usageMetadata={
            "promptTokenCount": 10,
            "toolUsePromptTokenCount": 2,
            "cachedContentTokenCount": 3,
            "candidatesTokenCount": 5,
            "thoughtsTokenCount": 7,
            "totalTokenCount": 24,
        },
    )
    events, _ = streamed(stream(first, last))
    told = [each.usage for each in events if isinstance(each, UsageReported)]
    assert told == [
        Usage(fresh=10),
        Usage(fresh=9, cached=3, answer=5, reasoning=7),
    ]
    assert told[-1].total == 24


def test_candidates_are_choices() -> None:
    def candidate(index: int, text: str) -> dict[str, Any]:
        return {
            "index": index,
            "content": {"parts": [{"text": text}]},
            "finishReason": "STOP",
        }

    events, fault = whole({"candidates": [candidate(0, "a"), candidate(1, "b")]})
    assert fault is None
    assert events[1:] == [
        TextDelta(text="a"),
        STOP,
        TextDelta(text="b", choice=1),
        Finished(reason="stop", choice=1),
    ]


def test_what_has_no_word_is_given_as_it_is() -> None:
    body = response({"executableCode": {"code": "1"}}, {"text": "x"}, finish="STOP")
    data = event(body)
    events, _ = streamed(data)
    assert events[-1] == Unknown(raw=data.strip().removeprefix(b"data: "))


ERROR = b'data: {"error":{"code":503,"message":"x","status":"UNAVAILABLE"}}\n\n'
BROKEN: list[tuple[bytes, type[Fault]]] = [
    (b"", ProviderCut),
    (stream(SAID), ProviderCut),
    (stream(SAID, END)[:-9], ProviderCut),
    (stream(SAID, END) + b'data: {"candi', ProviderCut),
    (stream(SAID) + ERROR, ProviderRefused),
    (stream(response(finish="FINISH_REASON_UNSPECIFIED")), ProviderCut),
    (b'[{"candidates":[]}]', ProviderGarbage),
    (b"<html>", ProviderGarbage),
    (event(response({"functionCall": {"name": ""}})), ProviderGarbage),
    (event(response({"functionCall": {"name": "f", "args": 1}})), ProviderGarbage),
    (event(response(usageMetadata={"promptTokenCount": -1})), ProviderGarbage),
]


@pytest.mark.parametrize(("data", "kind"), BROKEN)
def test_broken_streams(data: bytes, kind: type[Fault]) -> None:
    events, fault = streamed(data)
    assert type(fault) is kind
    assert read(DIALECT.reader(stream_call()), singly(data))[0] == events


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", ProviderGarbage),
        (b"<html>", ProviderGarbage),
        (b"[]", ProviderGarbage),
        (b"{}", ProviderCut),
        ({"candidates": []}, ProviderCut),
        (response({"text": "x"}), ProviderCut),
        ({"error": {"code": 500, "message": "x"}}, ProviderRefused),
    ],
)
def test_broken_whole_answers(body: Any, kind: type[Fault]) -> None:
    assert type(whole(body)[1]) is kind


def test_the_end_is_known_only_with_the_body_s() -> None:
    reader = DIALECT.reader(stream_call())
    reader.feed(stream(SAID, END))
    assert not reader.complete
    reader.finish()
    assert reader.complete


SOURCES = st.sampled_from(
    [
        stream(response(THOUGHT), SAID, response(called("f", "S", a=1), finish="STOP")),
        *(data for data, _ in BROKEN),
    ]
)


@given(SOURCES, damages(), PLACES)
def test_events_do_not_depend_on_the_network(
    data: bytes, spoil: Damage, places: list[int]
) -> None:
    spoilt = spoil(data)
    events, fault = streamed(spoilt)
    assert fault is None or isinstance(fault, ProviderFault)
    for pieces in (singly(spoilt), cut(spoilt, places)):
        again, other = read(DIALECT.reader(stream_call()), pieces)
        assert (again, type(other)) == (events, type(fault))


@given(st.binary() | st.binary().map(lambda data: b"data: " + data + b"\n\n"))
def test_any_bytes_are_events_or_a_fault_of_the_provider(data: bytes) -> None:
    for result in (streamed(data), whole(data)):
        assert isinstance(result[1], ProviderFault)
