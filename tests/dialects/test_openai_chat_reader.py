import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.chat import (
    DIALECT,
    DONE,
    PLACES,
    Damage,
    answer,
    call,
    chunk,
    completion,
    cut,
    damages,
    ending,
    read,
    singly,
    speech,
    stream_call,
)

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
    RefusalDelta,
    Started,
    TextDelta,
    ToolCallDelta,
    Unknown,
    UsageReported,
)
from lightweight.records import Usage

TRANSCRIPTS = Path(__file__).parent / "transcripts"
STARTED = Started(id="chatcmpl-1", created=7, model="up")
STOP = Finished(reason="stop")


def stream(data: bytes) -> tuple[list[Event], Fault | None]:
    return read(DIALECT.reader(stream_call()), [data])


def whole(data: bytes) -> tuple[list[Event], Fault | None]:
    return read(DIALECT.reader(call()), [data[:9], data[9:]])


def raw_event(transcript: str, number: int) -> bytes:
    block = (TRANSCRIPTS / transcript).read_bytes().split(b"\n\n")[number]
    return block.removeprefix(b"data: ")


TOLD: dict[str, list[Event]] = {
    "openai.sse": [
        Started(
            id="chatcmpl-9aB",
            created=1790000001,
            model="gpt-4o-2024-08-06",
            fingerprint="fp_1a",
            service_tier="default",
        ),
        TextDelta(text="Grüße"),
        ToolCallDelta(call=0, arguments="", id="call_a", name="weather"),
        ToolCallDelta(call=0, arguments='{"city":"Köln"}'),
        ToolCallDelta(call=1, arguments="{}", id="call_b", name="time"),
        Finished(reason="tool_calls"),
        UsageReported(usage=Usage(fresh=56, cached=64, answer=23, reasoning=8)),
    ],
    "llama_cpp.sse": [
        Started(
            id="chatcmpl-Lc1",
            created=1790000002,
            model="gemma.gguf",
            fingerprint="b1-x",
        ),
        TextDelta(text="Hel"),
        TextDelta(text="lo"),
        STOP,
        UsageReported(usage=Usage(fresh=9, answer=3)),
    ],
    "azure.sse": [
        Unknown(raw=raw_event("azure.sse", 0)),
        Started(
            id="chatcmpl-Az", created=1790000003, model="gpt-4o", fingerprint="fp_az"
        ),
        TextDelta(text="Yes."),
        STOP,
        UsageReported(usage=Usage(fresh=10, answer=2)),
    ],
    "gemini.sse": [
        Started(id="gm1", created=1790000004, model="gemini-3-flash-preview"),
        ToolCallDelta(
            call=0, arguments='{"a":1}', id="fc-1", name="first", seal="c2ln"
        ),
        ToolCallDelta(call=1, arguments="{}", id="fc-2", name="second"),
        STOP,
        UsageReported(usage=Usage(fresh=15, answer=20)),
    ],
}


@pytest.mark.parametrize("name", sorted(TOLD))
def test_transcripts(name: str) -> None:
    data = (TRANSCRIPTS / name).read_bytes()
    assert stream(data) == (TOLD[name], None)
    assert read(DIALECT.reader(stream_call()), singly(data)) == (TOLD[name], None)
    crlf = data.replace(b"\n", b"\r\n")
    assert read(DIALECT.reader(stream_call()), singly(crlf)) == (TOLD[name], None)


def said(delta: dict[str, Any], **more: Any) -> list[Event]:
    """Give the events of one delta, without those around it."""
    choice = {"index": 1, "delta": delta, "finish_reason": None, **more}
    events, fault = stream(chunk(choice) + chunk(ending(index=1)))
    assert fault is None
    assert (events[0], events[-1]) == (STARTED, Finished(reason="stop", choice=1))
    return events[1:-1]


# What a delta holds and the events it makes.
DELTAS: list[tuple[dict[str, Any], list[Event]]] = [
    ({"role": "assistant", "content": ""}, []),
    ({"content": None, "refusal": None, "tool_calls": None}, []),
    ({"content": "a"}, [TextDelta(text="a", choice=1)]),
    ({"refusal": "no"}, [RefusalDelta(text="no", choice=1)]),
    ({"reasoning_content": "r"}, [ReasoningDelta(text="r", choice=1)]),
    ({"reasoning": "r"}, [ReasoningDelta(text="r", choice=1)]),
    (
        {"reasoning": "r", "reasoning_content": "r", "content": "a"},
        [ReasoningDelta(text="r", choice=1), TextDelta(text="a", choice=1)],
    ),
    (
        {"function_call": {"name": "f", "arguments": "{}"}},
        [ToolCallDelta(call=0, arguments="{}", name="f", choice=1)],
    ),
    (
        {"tool_calls": [{"function": {"name": "f"}}]},
        [ToolCallDelta(call=0, arguments="", id="call_r1_1_0", name="f", choice=1)],
    ),
    ({"annotations": [], "audio": None}, []),
]


@pytest.mark.parametrize(("delta", "events"), DELTAS)
def test_what_a_delta_says(delta: dict[str, Any], events: list[Event]) -> None:
    assert said(delta) == events
    one = answer(**{"content": None, **delta})
    told, fault = whole(completion({**one, "index": 1}))
    assert (told[1:-1], fault) == (events, None)


def test_what_has_no_word_comes_raw() -> None:
    odd = {"content": "a", "audio": {"id": "x"}}
    events = said(odd)
    assert events[0] == TextDelta(text="a", choice=1)
    assert isinstance(events[1], Unknown)
    assert json.loads(events[1].raw)["choices"][0]["delta"] == odd
    assert isinstance(said({}, logprobs={"content": []})[0], Unknown)
    body = completion(answer(annotations=[1]))
    assert whole(body)[0][-1] == Unknown(raw=body)
    assert stream(b'data: {"type":"ping"}\n\n' + chunk(speech("a"), ending()) + DONE)[
        0
    ] == [Unknown(raw=b'{"type":"ping"}'), STARTED, TextDelta(text="a"), STOP]


@pytest.mark.parametrize(
    "reason", ["stop", "length", "tool_calls", "content_filter", "function_call"]
)
def test_finish_reasons(reason: str) -> None:
    events, fault = stream(chunk(ending(reason)) + chunk(ending("stop")))
    assert fault is None
    assert [event.reason for event in events if isinstance(event, Finished)] == [reason]


def test_choices_end_each_for_itself() -> None:
    data = chunk(speech("a")) + chunk(speech("b", 1)) + chunk(ending(index=1))
    assert isinstance(stream(data)[1], ProviderCut)
    assert stream(data + chunk(ending()))[1] is None


def test_usage_may_come_often_and_null_takes_nothing_back() -> None:
    counts = {"prompt_tokens": 1, "completion_tokens": 2}
    events, fault = stream(
        chunk(speech("a"), usage=counts)
        + chunk(ending(), usage=None)
        + chunk(usage=counts)
    )
    assert fault is None
    reported = UsageReported(usage=Usage(fresh=1, answer=2))
    assert events == [STARTED, TextDelta(text="a"), reported, STOP, reported]


GOOD = chunk(speech("a")) + chunk(ending())

# (a stream, whether it is whole)
ENDINGS = [
    (GOOD + DONE, True),
    (GOOD, True),
    (GOOD + b"data: [DONE]", True),
    (GOOD + b"data:[DONE]\n", True),
    (GOOD + b"data: [DONE] \n\n", True),
    (GOOD + b": bye", True),
    (GOOD.replace(b"\n", b"\r") + b"data: [DONE]\r\r", True),
    (GOOD.replace(b"\n", b"\r"), True),
    (GOOD + b"data: {", False),
    (GOOD[:-1], False),
    (chunk(speech("a")) + DONE, False),
    (chunk(speech("a")), False),
    (chunk(ending(reason="")), False),
    (chunk(usage=None), False),
    (DONE, False),
    (b"", False),
    (b": hi\n\n", False),
]


@pytest.mark.parametrize(("data", "complete"), ENDINGS)
def test_endings(data: bytes, *, complete: bool) -> None:
    for pieces in ([data], singly(data)):
        _, fault = read(DIALECT.reader(stream_call()), pieces)
        assert isinstance(fault, ProviderCut) is not complete


def test_nothing_counts_after_done() -> None:
    reader = DIALECT.reader(stream_call())
    assert reader.feed(GOOD + DONE + b"data: {garbage\n\n") == [
        STARTED,
        TextDelta(text="a"),
        STOP,
    ]
    assert list(reader.feed(b"data: {garbage\n\n")) == []
    assert list(reader.finish()) == []


# (a stream, the fault)
BROKEN: list[tuple[bytes, type[Fault]]] = [
    (b"<html><body>Bad gateway</body></html>", ProviderGarbage),
    (completion(answer()), ProviderGarbage),
    (GOOD + b"data: {garbage\n\n", ProviderGarbage),
    (GOOD + b"data: 5\n\n", ProviderGarbage),
    (chunk({"index": 0, "delta": {"content": ["x"]}}), ProviderGarbage),
    (chunk({"index": 0, "delta": {"tool_calls": "x"}}), ProviderGarbage),
    (chunk({"index": 0, "delta": {"function_call": "x"}}), ProviderGarbage),
    (chunk({"index": 0, "delta": {"tool_calls": [{"index": 0}]}}), ProviderGarbage),
    (chunk(ending("eos")), ProviderGarbage),
    (GOOD + b'data: {"error":{"message":"x"}}\n\n', ProviderRefused),
    (b'data: {"error":"overloaded"}\n\n' + DONE, ProviderRefused),
]


@pytest.mark.parametrize(("data", "kind"), BROKEN)
def test_broken_streams(data: bytes, kind: type[Fault]) -> None:
    events, fault = stream(data)
    assert type(fault) is kind
    assert read(DIALECT.reader(stream_call()), singly(data))[0] == events
    reader = DIALECT.reader(stream_call())
    with pytest.raises(kind):
        reader.feed(data)
        reader.feed(b"data: {}\n\n")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", ProviderGarbage),
        (b"<html>", ProviderGarbage),
        (b"[]", ProviderGarbage),
        (b"{}", ProviderGarbage),
        (completion(), ProviderGarbage),
        (completion(speech("a")), ProviderGarbage),
        (GOOD, ProviderGarbage),
        (completion(answer())[:-1], ProviderGarbage),
        (completion(answer(None)), ProviderCut),
        (completion(answer("")), ProviderCut),
        (completion(answer("eos")), ProviderGarbage),
        (b'{"error":{"message":"x"}}', ProviderRefused),
        (completion(answer(), error={"message": "x"}), ProviderRefused),
    ],
)
def test_broken_whole_answers(body: bytes, kind: type[Fault]) -> None:
    assert type(whole(body)[1]) is kind


def test_a_whole_answer() -> None:
    call_one = {"id": "a", "type": "function"}
    body = completion(
        answer(
            "tool_calls",
            content="Hi.",
            reasoning_content="Hm.",
            tool_calls=[
                {**call_one, "function": {"name": "f", "arguments": "{}"}},
                {"id": "b", "type": "custom", "custom": {"name": "g", "input": "x"}},
            ],
        ),
        usage={"prompt_tokens": 1, "completion_tokens": 2},
        error=None,
    )
    assert whole(body) == (
        [
            STARTED,
            ReasoningDelta(text="Hm."),
            TextDelta(text="Hi."),
            ToolCallDelta(call=0, arguments="{}", id="a", name="f"),
            ToolCallDelta(call=1, arguments="x", id="b", name="g", custom=True),
            Finished(reason="tool_calls"),
            UsageReported(usage=Usage(fresh=1, answer=2)),
        ],
        None,
    )


SOURCES = st.sampled_from(
    [(TRANSCRIPTS / name).read_bytes() for name in TOLD]
    + [data for data, _ in ENDINGS]
    + [data for data, _ in BROKEN]
)


@given(SOURCES, damages(), PLACES)
def test_events_do_not_depend_on_the_network(
    data: bytes, spoil: Damage, places: list[int]
) -> None:
    spoilt = spoil(data)
    events, fault = stream(spoilt)
    assert fault is None or isinstance(fault, ProviderFault)
    for pieces in (singly(spoilt), cut(spoilt, places)):
        again, other = read(DIALECT.reader(stream_call()), pieces)
        assert (again, type(other)) == (events, type(fault))


@given(st.binary() | st.binary().map(lambda data: b"data: " + data + b"\n\n"))
def test_any_bytes_are_events_or_a_fault_of_the_provider(data: bytes) -> None:
    for result in (stream(data), whole(data)):
        assert isinstance(result[1], ProviderFault)
