import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.chat import DIALECT, DONE, call, payloads, read, stream_call
from support.openai_schema import chunk_errors, completion_errors, error_errors

from lightweight.dialects.seals import Carried, without_carried
from lightweight.errors import ProviderCut, ProviderTimeout
from lightweight.events import (
    Event,
    Finished,
    FinishReason,
    ReasoningDelta,
    ReasoningSealed,
    RefusalDelta,
    Started,
    TextDelta,
    ToolCallDelta,
    Unknown,
    UsageReported,
)
from lightweight.prompts import Reasoning
from lightweight.records import Call, Usage

STARTED = Started(id="chatcmpl-1", created=7, model="up")
USAGE = Usage(fresh=5, cached=3, cache_write=2, answer=4, reasoning=6)
RENDERED = {
    "prompt_tokens": 10,
    "completion_tokens": 10,
    "total_tokens": 20,
    "prompt_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 2},
    "completion_tokens_details": {"reasoning_tokens": 6},
}
STOP = Finished(reason="stop")


def write(made: Call, events: list[Event]) -> bytes:
    writer = DIALECT.writer(made)
    return b"".join([*map(writer.write, events), writer.finish()])


def deltas(events: list[Event]) -> list[Any]:
    """Give the deltas of a stream, its first and its last chunk left out."""
    chunks = payloads(write(stream_call(), [STARTED, *events, STOP]))
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert chunks[-1]["choices"][0] == {
        "index": 0,
        "delta": {},
        "finish_reason": "stop",
    }
    return [chunk["choices"][0]["delta"] for chunk in chunks[1:-1]]


def test_the_exact_bytes_of_a_stream() -> None:
    def frame(choices: str) -> str:
        return (
            'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":7,'
            f'"model":"m","choices":[{choices}]}}\n\n'
        )

    assert write(stream_call(), [STARTED, TextDelta(text="Hü"), STOP]).decode() == (
        frame(
            '{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}'
        )
        + frame('{"index":0,"delta":{"content":"Hü"},"finish_reason":null}')
        + frame('{"index":0,"delta":{},"finish_reason":"stop"}')
        + "data: [DONE]\n\n"
    )


# What is written and the deltas it makes.
SPOKEN: list[tuple[list[Event], list[Any]]] = [
    ([], []),
    ([ReasoningDelta(text="r")], [{"reasoning_content": "r"}]),
    ([RefusalDelta(text="n")], [{"refusal": "n"}]),
    ([Unknown(raw=b"{}")], []),
    (
        [
            ToolCallDelta(call=0, arguments="", id="a", name="f"),
            ToolCallDelta(call=0, arguments="{}"),
            ToolCallDelta(call=3, arguments="x", id="b", name="g"),
        ],
        [
            {
                "tool_calls": [
                    {
                        "index": 0,
                        "id": "a",
                        "type": "function",
                        "function": {"name": "f", "arguments": ""},
                    }
                ]
            },
            {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]},
            {
                "tool_calls": [
                    {
                        "index": 1,
                        "id": "b",
                        "type": "function",
                        "function": {"name": "g", "arguments": ""},
                    }
                ]
            },
            {"tool_calls": [{"index": 1, "function": {"arguments": "x"}}]},
        ],
    ),
    (
        [
            ToolCallDelta(call=0, arguments="", name="f"),
            ToolCallDelta(call=0, arguments="{}"),
        ],
        [
            {"function_call": {"name": "f", "arguments": ""}},
            {"function_call": {"arguments": "{}"}},
        ],
    ),
]


@pytest.mark.parametrize(("events", "spoken"), SPOKEN)
def test_what_is_spoken(events: list[Event], spoken: list[Any]) -> None:
    assert deltas(events) == spoken


def test_custom_calls_which_the_document_forgot_in_chunks() -> None:
    events: list[Event] = [
        ToolCallDelta(call=0, arguments="x", id="a", name="f", custom=True)
    ]
    first = {"index": 0, "id": "a", "type": "custom"}
    assert deltas(events) == [
        {"tool_calls": [{**first, "custom": {"name": "f", "input": ""}}]},
        {"tool_calls": [{"index": 0, "custom": {"input": "x"}}]},
    ]


def test_the_old_form_takes_no_number() -> None:
    events: list[Event] = [
        ToolCallDelta(call=0, arguments="", name="f"),
        ToolCallDelta(call=1, arguments="", id="a", name="g"),
    ]
    old, new = deltas(events)
    assert old == {"function_call": {"name": "f", "arguments": ""}}
    assert new["tool_calls"][0]["index"] == 0


def test_usage_in_a_stream() -> None:
    events: list[Event] = [STARTED, UsageReported(usage=USAGE), STOP]
    asked = payloads(write(stream_call(usage=True), events))
    assert [chunk["usage"] for chunk in asked] == [None, None, RENDERED]
    assert asked[-1]["choices"] == []
    unasked = payloads(write(stream_call(), events))
    assert all("usage" not in chunk for chunk in unasked)
    untold = payloads(write(stream_call(usage=True), [STARTED, STOP]))
    assert [chunk["usage"] for chunk in untold] == [None, None]


def test_choices_begin_and_end_once_each() -> None:
    events: list[Event] = [
        TextDelta(text="a", choice=1),
        Finished(reason="length", choice=1),
        STOP,
        STOP,
        Finished(reason="stop", choice=1),
    ]
    data = write(stream_call(), events)
    seen = [
        (choice["index"], choice["delta"], choice["finish_reason"])
        for chunk in payloads(data)
        for choice in chunk["choices"]
    ]
    opening = {"role": "assistant", "content": ""}
    assert seen == [
        (1, opening, None),
        (1, {"content": "a"}, None),
        (1, {}, "length"),
        (0, opening, None),
        (0, {}, "stop"),
    ]


def test_an_answer_without_a_head_gets_ours() -> None:
    chunks = payloads(write(stream_call(), [TextDelta(text="a"), STOP]))
    assert {(chunk["id"], chunk["created"]) for chunk in chunks} == {("chatcmpl-r1", 0)}
    named: list[Event] = [Started(id="", created=9, model=""), STOP]
    assert payloads(write(stream_call(), named))[0]["id"] == "chatcmpl-r1"


@pytest.mark.parametrize("made", [stream_call(), call()])
def test_no_ending_is_invented(made: Call) -> None:
    half: list[list[Event]] = [
        [],
        [STARTED],
        [STARTED, TextDelta(text="a")],
        [TextDelta(text="a"), TextDelta(text="b", choice=1), STOP],
    ]
    for events in half:
        writer = DIALECT.writer(made)
        assert not any(b"DONE" in writer.write(event) for event in events)
        with pytest.raises(ProviderCut):
            writer.finish()


def test_a_broken_stream() -> None:
    data = DIALECT.writer(stream_call()).broken(ProviderTimeout("Too slow."))
    assert data.endswith(b"\n\n" + DONE)
    (frame,) = payloads(data)
    assert error_errors(frame) == []
    assert frame["error"]["code"] == "upstream_timeout"
    assert DIALECT.writer(call()).broken(ProviderTimeout("x")) == b""


def message(*events: Event) -> dict[str, Any]:
    body = json.loads(write(call(), [STARTED, *events, STOP]))
    assert completion_errors(body) == []
    (choice,) = body["choices"]
    assert (choice["index"], choice["logprobs"]) == (0, None)
    spoken = choice["message"]
    assert isinstance(spoken, dict)
    return spoken


def test_the_exact_bytes_of_a_whole_answer() -> None:
    events: list[Event] = [STARTED, TextDelta(text="H"), TextDelta(text="i"), STOP]
    assert write(
        call(), [*events, STOP, Unknown(raw=b""), UsageReported(usage=USAGE)]
    ) == (
        b'{"id":"chatcmpl-1","object":"chat.completion","created":7,"model":"m",'
        b'"choices":[{"index":0,"message":{"role":"assistant","content":"Hi",'
        b'"refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":'
        + json.dumps(RENDERED, separators=(",", ":")).encode()
        + b"}"
    )


def test_whole_messages() -> None:
    base = {"role": "assistant", "content": None, "refusal": None}
    assert message() == {**base, "content": ""}
    assert message(RefusalDelta(text="n")) == {**base, "refusal": "n"}
    assert message(ReasoningDelta(text="r"), TextDelta(text="a")) == {
        **base,
        "content": "a",
        "reasoning_content": "r",
    }
    assert message(
        ToolCallDelta(call=0, arguments="{", id="a", name="f"),
        ToolCallDelta(call=1, arguments="x", id="b", name="g", custom=True),
        ToolCallDelta(call=0, arguments="}"),
    ) == {
        **base,
        "tool_calls": [
            {
                "id": "a",
                "type": "function",
                "function": {"name": "f", "arguments": "{}"},
            },
            {"id": "b", "type": "custom", "custom": {"name": "g", "input": "x"}},
        ],
    }
    assert message(ToolCallDelta(call=0, arguments="{}", name="f")) == {
        **base,
        "function_call": {"name": "f", "arguments": "{}"},
    }


TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
REASONS: list[FinishReason] = [
    "stop",
    "length",
    "tool_calls",
    "content_filter",
    "function_call",
]


@st.composite
def conversations(draw: st.DrawFn, *, pieces: int = 3) -> list[Event]:
    """Events as a reader may give them; calls of each choice in order."""
    events: list[Event] = [STARTED]
    for choice in range(draw(st.integers(1, 3))):
        for kind in (ReasoningDelta, TextDelta, RefusalDelta):
            texts = draw(st.lists(TEXT, max_size=pieces))
            events += [kind(text=text, choice=choice) for text in texts]
        for number in range(draw(st.integers(0, 3))):
            more = draw(st.lists(TEXT, max_size=pieces - 1))
            events.append(
                ToolCallDelta(
                    call=number,
                    arguments="",
                    id=f"c{choice}{number}",
                    name=draw(TEXT),
                    choice=choice,
                )
            )
            events += [
                ToolCallDelta(call=number, arguments=text, choice=choice)
                for text in more
            ]
        reason = draw(st.sampled_from(REASONS))
        events.append(Finished(reason=reason, choice=choice))
    if draw(st.booleans()):
        events.append(UsageReported(usage=USAGE))
    return events


@given(events=conversations(), usage=st.booleans())
def test_what_is_written_reads_the_same(events: list[Event], *, usage: bool) -> None:
    made = stream_call(usage=usage)
    data = write(made, events)
    for chunk in payloads(data):
        assert chunk_errors(chunk) == []
        assert (chunk["id"], chunk["created"], chunk["model"]) == ("chatcmpl-1", 7, "m")
    heard, fault = read(DIALECT.reader(made), [data])
    expected: list[Event] = [Started(id="chatcmpl-1", created=7, model="m")]
    expected += [
        event for event in events[1:] if usage or not isinstance(event, UsageReported)
    ]
    assert (heard, fault) == (expected, None)


@given(conversations(pieces=1))
def test_a_whole_answer_reads_the_same(events: list[Event]) -> None:
    data = write(call(), events)
    assert completion_errors(json.loads(data)) == []
    heard, fault = read(DIALECT.reader(call()), [data])
    assert fault is None
    assert heard[1:] == events[1:]


@pytest.mark.parametrize("made", [call(), stream_call()])
def test_sealed_thoughts_travel_with_the_call_after_them(made: Call) -> None:
    data = write(
        made,
        [
            STARTED,
            ReasoningDelta(text="Hm"),
            ReasoningSealed(seal="s", sealed_by="anthropic"),
            ToolCallDelta(call=0, arguments="{", id="a", name="f"),
            ToolCallDelta(call=0, arguments="}"),
            ToolCallDelta(call=1, arguments="{}", id="b", name="f", seal="g"),
            Finished(reason="tool_calls"),
        ],
    )
    heard, _ = read(DIALECT.reader(made), [data])
    first, second = (
        without_carried(event.id)
        for event in heard
        if isinstance(event, ToolCallDelta) and event.id
    )
    thought = Reasoning(text="Hm", seal="s", sealed_by="anthropic")
    assert first == ("a", Carried(thoughts=(thought,)))
    assert second == ("b", Carried(seal="g", sealed_by="gemini"))


def test_the_schema_can_refuse() -> None:
    chunk = payloads(write(stream_call(), [STARTED, STOP]))[0]
    assert chunk_errors(chunk) == []
    del chunk["choices"][0]["finish_reason"]
    assert chunk_errors(chunk)
    assert chunk_errors({**chunk, "choices": []}) == []
    assert chunk_errors({**chunk, "choices": [], "id": None})
    assert completion_errors({})
    assert error_errors({"error": {"message": "x"}})
