import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.anthropic_schema import error_errors, event_errors, message_errors
from support.messages import DIALECT, call, events, stream_call

from lightweight.dialects.anthropic_writer import PING
from lightweight.dialects.seals import without_carried
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
from lightweight.records import Call, Usage

STARTED = Started(id="chatcmpl-1", created=7, model="up")
STOP = Finished(reason="stop")
USAGE = Usage(fresh=5, cached=3, cache_write=2, answer=4, reasoning=6)


def write(made: Call, said: list[Event]) -> bytes:
    writer = DIALECT.writer(made)
    return b"".join([*map(writer.write, said), writer.finish()])


def streamed(said: list[Event]) -> list[Any]:
    told = events(write(stream_call(), said))
    assert [error for event in told for error in event_errors(event)] == []
    return told


def whole(said: list[Event]) -> Any:
    message = json.loads(write(call(), said))
    assert message_errors(message) == []
    return message


def assembled(told: list[Any]) -> list[Any]:
    """Give the blocks as an SDK makes them of a stream; check their order."""
    blocks: list[Any] = []
    open_at: int | None = None
    for event in told[1:-2]:
        match event["type"]:
            case "content_block_start":
                assert (open_at, event["index"]) == (None, len(blocks))
                open_at = event["index"]
                blocks.append({**event["content_block"], "json": ""})
            case "content_block_delta":
                assert event["index"] == open_at
                delta = event["delta"]
                for key in ("text", "thinking", "signature"):
                    if key in delta:
                        blocks[-1][key] += delta[key]
                blocks[-1]["json"] += delta.get("partial_json", "")
            case "content_block_stop":
                assert event["index"] == open_at
                open_at = None
    assert open_at is None
    for block in blocks:
        text = block.pop("json")
        if text:
            block["input"] = json.loads(text)
    return blocks


def test_the_exact_bytes_of_a_stream() -> None:
    told = streamed([STARTED, TextDelta(text="Hü"), STOP, UsageReported(usage=USAGE)])
    assert [event["type"] for event in told] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    begun = told[0]["message"]
    assert (begun["id"], begun["model"]) == ("msg_req_1", "m")
    assert (begun["content"], begun["stop_reason"]) == ([], None)
    assert told[2]["delta"] == {"type": "text_delta", "text": "Hü"}
    assert told[-2]["delta"]["stop_reason"] == "end_turn"
    assert told[-2]["usage"] == {
        "input_tokens": 5,
        "cache_creation_input_tokens": 2,
        "cache_read_input_tokens": 3,
        "output_tokens": 10,
        "output_tokens_details": {"thinking_tokens": 6},
        "server_tool_use": None,
    }


def tool(n: int, arguments: str, **first: Any) -> ToolCallDelta:
    return ToolCallDelta(call=n, arguments=arguments, **first)


def block_of_call(n: int, **given: Any) -> dict[str, Any]:
    shown = {"type": "tool_use", "id": f"c{n}", "name": "f"}
    return {**shown, "input": given, "caller": {"type": "direct"}}


FIRST_A = tool(0, "", id="c0", name="f")
FIRST_B = tool(1, "", id="c1", name="f")
TEXT_A: dict[str, Any] = {"type": "text", "text": "a", "citations": None}

# What is said and the blocks it makes, whole and streamed.
BLOCKS: dict[str, tuple[list[Event], list[Any]]] = {
    "nothing": ([], []),
    "text": ([TextDelta(text="He"), TextDelta(text="y")], [{**TEXT_A, "text": "Hey"}]),
    "a refusal is text": ([RefusalDelta(text="a")], [TEXT_A]),
    "other choices are left out": (
        [TextDelta(text="a"), TextDelta(text="b", choice=1)],
        [TEXT_A],
    ),
    "what has no word is left out": (
        [Unknown(raw=b"{}"), TextDelta(text="a")],
        [TEXT_A],
    ),
    "one call after the other": (
        [FIRST_A, tool(0, '{"x":'), tool(0, "1}"), FIRST_B, tool(1, "{}")],
        [block_of_call(0, x=1), block_of_call(1)],
    ),
    "calls at once": (
        [FIRST_A, FIRST_B, tool(1, '{"y":2'), tool(0, '{"x":1}'), tool(1, "}")],
        [block_of_call(0, x=1), block_of_call(1, y=2)],
    ),
    "text amid a call waits": (
        [FIRST_A, tool(0, '{"x":'), TextDelta(text="a"), tool(0, "1}")],
        [block_of_call(0, x=1), TEXT_A],
    ),
    "a call without arguments": ([FIRST_A], [block_of_call(0)]),
    "own thoughts": (
        [
            ReasoningDelta(text="Hm"),
            ReasoningSealed(seal="sig", sealed_by="anthropic"),
            TextDelta(text="a"),
        ],
        [{"type": "thinking", "thinking": "Hm", "signature": "sig"}, TEXT_A],
    ),
    "thoughts after a seal are new ones": (
        [
            ReasoningSealed(seal="s1", sealed_by="anthropic"),
            ReasoningDelta(text="b"),
            ReasoningSealed(seal="s2", sealed_by="anthropic"),
        ],
        [
            {"type": "thinking", "thinking": "", "signature": "s1"},
            {"type": "thinking", "thinking": "b", "signature": "s2"},
        ],
    ),
    "own thoughts nobody may read": (
        [ReasoningSealed(seal="x", sealed_by="anthropic", redacted=True)],
        [{"type": "redacted_thinking", "data": "x"}],
    ),
}


@pytest.mark.parametrize("name", BLOCKS)
def test_blocks(name: str) -> None:
    said, blocks = BLOCKS[name]
    assert assembled(streamed([STARTED, *said, STOP])) == blocks
    assert whole([STARTED, *said, STOP])["content"] == blocks


def test_the_first_call_streams_live() -> None:
    writer = DIALECT.writer(stream_call())
    writer.write(FIRST_A)
    assert b'"partial_json":"{"' in writer.write(tool(0, "{"))
    assert writer.write(FIRST_B) == b""


REASONS: list[tuple[FinishReason, str]] = [
    ("stop", "end_turn"),
    ("length", "max_tokens"),
    ("tool_calls", "tool_use"),
    ("function_call", "tool_use"),
    ("content_filter", "refusal"),
]


@pytest.mark.parametrize(("reason", "told"), REASONS)
def test_why_it_ended(reason: FinishReason, told: str) -> None:
    said: list[Event] = [STARTED, Finished(reason=reason)]
    assert streamed(said)[-2]["delta"]["stop_reason"] == told
    assert whole(said)["stop_reason"] == told


def test_a_stop_after_calls_is_a_call() -> None:
    assert whole([FIRST_A, STOP])["stop_reason"] == "tool_use"


def test_an_end_is_never_made_up() -> None:
    for made in (call(), stream_call()):
        writer = DIALECT.writer(made)
        writer.write(TextDelta(text="a"))
        writer.write(Finished(reason="stop", choice=1))
        with pytest.raises(ProviderCut):
            writer.finish()


def test_the_end_comes_from_finish_alone() -> None:
    writer = DIALECT.writer(stream_call())
    opening: list[Event] = [STARTED, TextDelta(text="a"), STOP]
    said = b"".join(map(writer.write, opening))
    assert b"message_delta" not in said
    assert b"message_stop" not in said


def test_foreign_thoughts_come_back_as_they_were() -> None:
    """What another provider sealed stands in the signature's place."""
    seal = ReasoningSealed(seal="enc", sealed_by="openai_responses", id="rs_1")
    said: list[Event] = [STARTED, ReasoningDelta(text="Hm"), seal, STOP]
    shown = whole(said)["content"]
    assert assembled(streamed(said)) == shown
    messages = [{"role": "assistant", "content": shown}]
    (turn,) = DIALECT.read_prompt(call(messages=messages)).turns
    (thought,) = turn.parts
    assert json.dumps(shown[0]["signature"]).startswith('"_lw1_')
    assert (thought.text, thought.seal, thought.sealed_by, thought.id) == (  # type: ignore[union-attr]  # a Reasoning has all four
        "Hm",
        "enc",
        "openai_responses",
        "rs_1",
    )


def test_thoughts_that_nobody_sealed_are_known_again() -> None:
    shown = whole([ReasoningDelta(text="Hm"), STOP])["content"]
    messages = [{"role": "assistant", "content": shown}]
    (turn,) = DIALECT.read_prompt(call(messages=messages)).turns
    (thought,) = turn.parts
    assert (thought.text, thought.seal, thought.sealed_by) == ("Hm", None, None)  # type: ignore[union-attr]  # a Reasoning


def test_a_calls_own_seal_travels_in_its_id() -> None:
    shown = whole([tool(0, "{}", id="c", name="f", seal="gem"), STOP])["content"]
    call_id, carried = without_carried(shown[0]["id"])
    assert (call_id, carried.seal, carried.sealed_by) == ("c", "gem", "gemini")


def test_a_foreign_id_is_made_sound() -> None:
    shown = whole([tool(0, "{}", id="functions.f:0", name="f"), STOP])["content"]
    assert shown[0]["id"] == "functions_f_0"


def test_arguments_that_are_no_object() -> None:
    for said, shown in (("[1]", {"input": "[1]"}), ('{"x":', {"input": '{"x":'})):
        message = whole([FIRST_A, tool(0, said), Finished(reason="length")])
        assert message["content"][0]["input"] == shown


def test_a_broken_stream_ends_with_an_error_event() -> None:
    writer = DIALECT.writer(stream_call())
    (told,) = events(writer.broken(ProviderTimeout("Too slow.")))
    assert error_errors(told) == []
    assert told["error"] == {"type": "timeout_error", "message": "Too slow."}
    assert told["request_id"] == "req_1"
    assert DIALECT.writer(call()).broken(ProviderTimeout("x")) == b""


def test_a_ping_is_an_event_that_clients_read_over() -> None:
    assert DIALECT.keep_alive == PING
    assert events(PING) == [{"type": "ping"}]


SAID = st.lists(
    st.one_of(
        st.builds(TextDelta, text=st.text(max_size=3)),
        st.builds(RefusalDelta, text=st.text(max_size=3)),
        st.builds(ReasoningDelta, text=st.text(max_size=3)),
        st.builds(
            ReasoningSealed,
            seal=st.text(max_size=3),
            sealed_by=st.sampled_from(["anthropic", "gemini"]),
            redacted=st.booleans(),
        ),
        st.builds(
            ToolCallDelta,
            call=st.integers(0, 2),
            arguments=st.just(""),
            id=st.just("c"),
            name=st.just("f"),
        ),
        st.just(UsageReported(usage=USAGE)),
        st.just(STARTED),
    ),
    max_size=12,
)


@given(SAID)
def test_whatever_the_order_both_forms_are_sound_and_say_the_same(
    said: list[Event],
) -> None:
    assert assembled(streamed([*said, STOP])) == whole([*said, STOP])["content"]
