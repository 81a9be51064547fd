import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.chat import cut, read
from support.responses import (
    DIALECT,
    added,
    call,
    completed,
    created,
    delta,
    done,
    event,
    function_call,
    message,
    response,
    text,
    thoughts,
)

from lightweight.dialects.openai_responses_reader import WholeReader, decode_whole
from lightweight.errors import (
    Fault,
    ProviderBusy,
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

STARTED = Started(id="resp_1", created=7, model="up")
REPORTED = UsageReported(
    usage=Usage(fresh=5, cached=3, cache_write=2, answer=4, reasoning=6)
)
SEALED = thoughts("Hm.", encrypted_content="SEAL")
CALL = function_call('{"a":1}')
TRANSCRIPT = b"".join(
    [
        created(),
        event("response.in_progress", 1, response=response("in_progress")),
        b": keep-alive\n\n",
        added(thoughts()),
        delta("Hm.", kind="reasoning_summary_text"),
        done(SEALED),
        added(message(), 1),
        delta("H\u00fc", 1),
        delta("!", 1),
        done(message(text("H\u00fc!")), 1),
        added(function_call(""), 2),
        delta('{"a":', 2, "function_call_arguments"),
        delta("1}", 2, "function_call_arguments"),
        done(CALL, 2),
        completed(SEALED, message(text("H\u00fc!")), CALL),
    ]
)
SAID: list[Event] = [
    STARTED,
    ReasoningDelta(text="Hm."),
    ReasoningSealed(seal="SEAL", sealed_by="openai_responses", id="rs_1"),
    TextDelta(text="H\u00fc"),
    TextDelta(text="!"),
    ToolCallDelta(call=0, arguments="", id="call_1", name="f"),
    ToolCallDelta(call=0, arguments='{"a":'),
    ToolCallDelta(call=0, arguments="1}"),
    Finished(reason="tool_calls"),
    REPORTED,
]


def read_stream(*pieces: bytes) -> tuple[list[Event], Fault | None]:
    return read(DIALECT.reader(call(stream=True)), pieces)


def read_whole(body: Any) -> tuple[list[Event], Fault | None]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read(DIALECT.reader(call()), [data])


def test_a_whole_stream() -> None:
    assert read_stream(TRANSCRIPT) == (SAID, None)
    single = [TRANSCRIPT[at : at + 1] for at in range(len(TRANSCRIPT))]
    assert read_stream(*single) == (SAID, None)


@given(st.lists(st.integers(min_value=0)))
def test_however_it_is_cut(places: list[int]) -> None:
    assert read_stream(*cut(TRANSCRIPT, places)) == (SAID, None)


@given(st.integers(min_value=0, max_value=len(TRANSCRIPT) - 2))
def test_a_stream_that_is_cut_short_is_never_whole(end: int) -> None:
    said, fault = read_stream(TRANSCRIPT[:end])
    assert isinstance(fault, ProviderCut)
    assert said == SAID[: len(said)]
    assert not any(isinstance(event, Finished) for event in said)


def test_it_is_complete_with_its_last_event() -> None:
    reader = DIALECT.reader(call(stream=True))
    reader.feed(created())
    assert not reader.complete
    reader.feed(completed(message(text("Hi"))) + b"data: [DONE]\n\n")
    assert reader.complete
    assert reader.feed(b"whatever") == []
    assert reader.finish() == []


def test_a_stream_without_its_first_event() -> None:
    said, fault = read_stream(delta("Hi") + completed())
    assert fault is None
    assert said[:2] == [Started(id="", created=0, model=""), TextDelta(text="Hi")]


def test_done_is_no_ending() -> None:
    _, fault = read_stream(created() + delta("Hi") + b"data: [DONE]\n\n")
    assert isinstance(fault, ProviderCut)


@pytest.mark.parametrize(
    ("details", "reason"),
    [
        ({"reason": "max_output_tokens"}, "length"),
        ({"reason": "content_filter"}, "content_filter"),
        (None, "length"),
    ],
)
def test_what_stays_incomplete(details: Any, reason: str) -> None:
    ended = response("incomplete", message(text("H")), incomplete_details=details)
    said, fault = read_stream(created() + event("response.incomplete", response=ended))
    assert fault is None
    assert said[-2:] == [TextDelta(text="H"), Finished(reason=reason)]  # type: ignore[arg-type]  # one of the literals
    assert read_whole(ended)[0][-1] == said[-1]


LIMITED = {"code": "rate_limit_exceeded", "message": "Slow down."}


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        (
            event("response.failed", response=response("failed", error=LIMITED)),
            ProviderBusy,
        ),
        (event("response.failed", response=response("failed")), ProviderRefused),
        (event("response.cancelled", response=response()), ProviderRefused),
        (event("error", 0, **LIMITED), ProviderBusy),
        (event("error", error=LIMITED), ProviderBusy),
        (event("error", message="x", code=None), ProviderRefused),
        (b'data: {"error": {"message": "x"}}\n\n', ProviderRefused),
        (b"data: nonsense\n\n", ProviderGarbage),
        (delta("x", kind="output_text").replace(b'"x"', b"7"), ProviderGarbage),
        (b"<html>", ProviderGarbage),
    ],
)
def test_errors_in_a_stream(frame: bytes, kind: type[Fault]) -> None:
    _, fault = read_stream(frame)
    assert type(fault) is kind
    if not frame.startswith(b"<"):
        said, fault = read_stream(created() + delta("Hi") + frame)
        assert said == [STARTED, TextDelta(text="Hi")]
        assert type(fault) is kind


def test_a_whole_response() -> None:
    whole = response("completed", SEALED, message(text("H\u00fc!")), CALL, usage=None)
    said, fault = read_whole(whole)
    assert fault is None
    assert said == [
        *SAID[:3],
        TextDelta(text="H\u00fc!"),
        SAID[5],
        ToolCallDelta(call=0, arguments='{"a":1}'),
        SAID[8],
    ]


def test_a_whole_response_of_a_hosted_tool() -> None:
    whole = response("completed", {"type": "web_search_call"}, message(text("Hi")))
    said, fault = read_whole(whole)
    assert fault is None
    assert isinstance(said[-1], Unknown)
    assert Finished(reason="stop") in said


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (response("failed", error=LIMITED), ProviderBusy),
        (response("failed"), ProviderRefused),
        (response("cancelled"), ProviderRefused),
        (response("in_progress"), ProviderCut),
        (response("queued"), ProviderCut),
        ({"error": {"message": "x", "code": None}}, ProviderRefused),
        ({"status": "completed"}, ProviderGarbage),
        (b"", ProviderGarbage),
        (b"\xff", ProviderGarbage),
        (b"<html>", ProviderGarbage),
    ],
)
def test_whole_answers_that_are_none(body: Any, kind: type[Fault]) -> None:
    said, fault = read_whole(body)
    assert said == []
    assert type(fault) is kind


def test_a_whole_answer_is_complete_at_its_end() -> None:
    reader = WholeReader(call())
    reader.feed(json.dumps(response()).encode())
    assert not reader.complete
    reader.finish()
    assert reader.complete
    assert decode_whole(b'{"status":"completed","output":[]}').output == []


SNIPPETS = st.sampled_from(
    [
        created(),
        TRANSCRIPT,
        done(CALL),
        added(CALL),
        delta("x", 3, "function_call_arguments"),
        completed(CALL),
        b"data: ",
        b"\n\n",
        b"event: error\n",
        b'{"type":"response.output_item.done","item":{"type":"message"}}',
        b"[DONE]",
    ]
)


@given(pieces=st.lists(SNIPPETS | st.binary()), stream=st.booleans())
def test_any_bytes_give_events_or_a_fault(pieces: list[bytes], *, stream: bool) -> None:
    reader = DIALECT.reader(call(stream=stream))
    _, fault = read(reader, pieces)
    assert fault is None or isinstance(fault, ProviderFault)
