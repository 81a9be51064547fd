import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.chat import PLACES, Damage, cut, damages, read, singly
from support.messages import (
    DIALECT,
    PING,
    block,
    call,
    end,
    event,
    start,
    stream_call,
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
)
from lightweight.events import (
    Event,
    Finished,
    FinishReason,
    ReasoningDelta,
    ReasoningSealed,
    Started,
    TextDelta,
    ToolCallDelta,
    Unknown,
    UsageReported,
)
from lightweight.records import Usage

STARTED = Started(id="msg_1", created=0, model="up")
STOP = Finished(reason="stop")
REPORTED = UsageReported(usage=Usage(fresh=5, cached=3, cache_write=2, answer=9))
SEARCH = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}


def stream(data: bytes) -> tuple[list[Event], Fault | None]:
    return read(DIALECT.reader(stream_call()), [data])


def whole_read(data: bytes) -> tuple[list[Event], Fault | None]:
    return read(DIALECT.reader(call()), [data[:9], data[9:]])


# What stands between the first event and the last two, and what is heard of it.
TOLD: dict[str, tuple[bytes, list[Event]]] = {
    "nothing": (b"", []),
    "text": (text(0, "He", "y"), [TextDelta(text="He"), TextDelta(text="y")]),
    "pings": (PING + text(0, "a") + PING, [TextDelta(text="a")]),
    "thoughts": (
        thinking(0, "Hm", "sig"),
        [ReasoningDelta(text="Hm"), ReasoningSealed(seal="sig", sealed_by="anthropic")],
    ),
    "thoughts nobody may read": (
        block(0, {"type": "redacted_thinking", "data": "xyz"}),
        [ReasoningSealed(seal="xyz", sealed_by="anthropic", redacted=True)],
    ),
    "thoughts left out, with their seal": (
        block(
            0,
            {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "signature_delta", "signature": "sig"},
        ),
        [ReasoningSealed(seal="sig", sealed_by="anthropic")],
    ),
    "calls are numbered among themselves, not among blocks": (
        text(0, "a") + tool_use(1, "t1", "f", '{"x":', "1}") + tool_use(2, "t2", "g"),
        [
            TextDelta(text="a"),
            ToolCallDelta(call=0, arguments="", id="t1", name="f"),
            ToolCallDelta(call=0, arguments='{"x":'),
            ToolCallDelta(call=0, arguments="1}"),
            ToolCallDelta(call=1, arguments="", id="t2", name="g"),
            ToolCallDelta(call=1, arguments="{}"),
        ],
    ),
    "an input that comes whole": (
        block(0, {"type": "tool_use", "id": "t", "name": "f", "input": {"x": 1}}),
        [
            ToolCallDelta(call=0, arguments="", id="t", name="f"),
            ToolCallDelta(call=0, arguments='{"x": 1}'),
        ],
    ),
    "what has no word": (
        event("content_block_start", index=0, content_block=SEARCH),
        [
            Unknown(
                raw=json.dumps(
                    {
                        "type": "content_block_start",
                        "index": 0,
                        "content_block": SEARCH,
                    }
                ).encode()
            )
        ],
    ),
    "an event of tomorrow": (event("surprise"), [Unknown(raw=b'{"type": "surprise"}')]),
}


@pytest.mark.parametrize("name", TOLD)
def test_what_is_heard_of_a_stream(name: str) -> None:
    data, heard = TOLD[name]
    assert stream(start() + data + end()) == ([STARTED, *heard, STOP, REPORTED], None)


REASONS: list[tuple[str, FinishReason]] = [
    ("end_turn", "stop"),
    ("stop_sequence", "stop"),
    ("max_tokens", "length"),
    ("model_context_window_exceeded", "length"),
    ("pause_turn", "length"),
    ("tool_use", "tool_calls"),
    ("refusal", "content_filter"),
]


@pytest.mark.parametrize(("told", "reason"), REASONS)
def test_why_it_ended(told: str, reason: FinishReason) -> None:
    for events, fault in (
        stream(start() + end(told)),
        whole_read(whole(stop_reason=told)),
    ):
        assert fault is None
        assert [e for e in events if isinstance(e, Finished)] == [
            Finished(reason=reason)
        ]


def test_a_stream_ends_with_message_stop_and_not_before() -> None:
    reader = DIALECT.reader(stream_call())
    *_, last = (start() + end()).partition(b"event: message_stop")
    reader.feed(start() + end().removesuffix(b"event: message_stop" + last))
    assert not reader.complete
    reader.feed(b"event: message_stop" + last + b"data: garbage\n\n")
    assert reader.complete
    assert reader.finish() == []


def test_usage_grows_and_the_last_word_counts() -> None:
    events, _ = stream(
        start(usage={"input_tokens": 1, "output_tokens": 1})
        + end(input_tokens=7, output_tokens_details={"thinking_tokens": 4})
    )
    assert events[-1] == UsageReported(usage=Usage(fresh=7, answer=5, reasoning=4))


def test_odd_usage_does_not_spoil_an_answer() -> None:
    events, fault = stream(start(usage="none") + end(output_tokens="many"))
    assert (events, fault) == ([STARTED, STOP], None)


BROKEN: list[tuple[bytes, type[Fault]]] = [
    (b"", ProviderCut),
    (start(), ProviderCut),
    (start() + text(0, "a"), ProviderCut),
    (start() + event("message_stop"), ProviderCut),
    (start() + end(None), ProviderCut),
    (start() + end()[:-1], ProviderCut),
    (start() + end("mystery"), ProviderGarbage),
    (text(0, "a"), ProviderGarbage),
    (start() + event("content_block_delta", index=3, delta={}), ProviderGarbage),
    (
        start() + block(0, {"type": "tool_use", "id": "t", "input": {}}),
        ProviderGarbage,
    ),
    (b"data: {}\n\n", ProviderGarbage),
    (b"data: [DONE]\n\n", ProviderGarbage),
    (b'data: {"type": "ping\xff"}\n\n', ProviderGarbage),
    (b"<html>", ProviderGarbage),
    (start() + event("error", error={"type": "overloaded_error"}), ProviderRefused),
    (event("error"), ProviderRefused),
]


@pytest.mark.parametrize(("data", "kind"), BROKEN)
def test_broken_streams(data: bytes, kind: type[Fault]) -> None:
    events, fault = stream(data)
    assert type(fault) is kind
    assert read(DIALECT.reader(stream_call()), singly(data))[0] == events


def test_after_a_fault_it_stays_broken() -> None:
    reader = DIALECT.reader(stream_call())
    assert reader.feed(start() + b"data: {}\n\n") == [STARTED]
    for _ in range(2):
        with pytest.raises(ProviderGarbage):
            reader.feed(end())
    with pytest.raises(ProviderGarbage):
        reader.finish()


def test_a_whole_answer() -> None:
    body = whole(
        {"type": "thinking", "thinking": "Hm", "signature": "sig"},
        {"type": "text", "text": "Hi", "citations": None},
        {"type": "tool_use", "id": "t", "name": "f", "input": {"x": [1]}},
        SEARCH,
        stop_reason="tool_use",
    )
    assert whole_read(body) == (
        [
            STARTED,
            ReasoningDelta(text="Hm"),
            ReasoningSealed(seal="sig", sealed_by="anthropic"),
            TextDelta(text="Hi"),
            ToolCallDelta(call=0, arguments="", id="t", name="f"),
            ToolCallDelta(call=0, arguments='{"x": [1]}'),
            Unknown(raw=json.dumps(SEARCH).encode()),
            Finished(reason="tool_calls"),
            UsageReported(
                usage=Usage(fresh=5, cached=3, cache_write=2, answer=1),
            ),
        ],
        None,
    )


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", ProviderGarbage),
        (b"<html>", ProviderGarbage),
        (b"{}", ProviderGarbage),
        (b"[]", ProviderGarbage),
        (whole()[:-1], ProviderGarbage),
        (whole({"type": 1}), ProviderGarbage),
        (whole(stop_reason=None), ProviderCut),
        (whole(stop_reason="mystery"), ProviderGarbage),
        (whole(type="error", error={"type": "api_error"}), ProviderRefused),
    ],
)
def test_broken_whole_answers(body: bytes, kind: type[Fault]) -> None:
    assert type(whole_read(body)[1]) is kind


SOURCES = st.sampled_from(
    [start() + data + end("tool_use") for data, _ in TOLD.values()]
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
    for read_it in (stream, whole_read):
        _, fault = read_it(data)
        assert isinstance(fault, ProviderFault)


@given(damages())
def test_a_damaged_whole_answer_is_events_or_a_fault(spoil: Damage) -> None:
    tool = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
    body = spoil(whole({"type": "text", "text": "Hi"}, tool))
    _, fault = whole_read(body)
    assert fault is None or isinstance(fault, ProviderFault)
