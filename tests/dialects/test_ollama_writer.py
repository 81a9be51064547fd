"""Events as Ollama's lines; each is judged by the types of Ollama's own SDK."""

import json
from collections.abc import Sequence
from typing import Any

import ollama
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.ollama import AT, call, generate_call, lines

from lightweight.dialects.ollama_writer import OllamaWriter
from lightweight.dialects.seals import without_carried
from lightweight.errors import ProviderCut
from lightweight.events import (
    Event,
    Finished,
    ReasoningDelta,
    ReasoningSealed,
    RefusalDelta,
    Started,
    TextDelta,
    ToolCallDelta,
    Unknown,
    UsageReported,
)
from lightweight.records import Usage

STARTED = Started(id="x", created=1_700_000_000, model="up")
STOP = Finished(reason="stop")
USED = UsageReported(usage=Usage(fresh=5, cached=2, answer=1, reasoning=1))


def streamed(*events: Event, shape: Any = "chat") -> list[Any]:
    writer = OllamaWriter(call(), shape)
    said = lines(b"".join(map(writer.write, events)) + writer.finish())
    kind = ollama.ChatResponse if shape == "chat" else ollama.GenerateResponse
    for each in said:
        kind.model_validate(each, strict=True)
    return said


def whole(*events: Event) -> Any:
    writer = OllamaWriter(call(stream=False), "chat")
    assert b"".join(map(writer.write, events)) == b""
    answer = json.loads(writer.finish())
    ollama.ChatResponse.model_validate(answer, strict=True)
    return answer


def test_a_stream() -> None:
    said = {"model": "m", "created_at": AT}
    assert streamed(STARTED, TextDelta(text="Hi"), STOP, USED) == [
        {**said, "message": {"role": "assistant", "content": "Hi"}, "done": False},
        {
            **said,
            "message": {"role": "assistant", "content": ""},
            "done": True,
            "done_reason": "stop",
            "prompt_eval_count": 7,
            "eval_count": 2,
        },
    ]


def test_a_completion() -> None:
    events = (STARTED, ReasoningDelta(text="hm"), TextDelta(text="Hi"), STOP)
    first, second, end = streamed(*events, shape="generate")
    assert (first["response"], first["thinking"]) == ("", "hm")
    assert second["response"] == "Hi"
    assert (end["response"], end["done"]) == ("", True)
    assert "message" not in end


def test_a_whole_answer() -> None:
    calls = [ToolCallDelta(call=0, id="c", name="f", arguments='{"a":1}')]
    texts: list[Event] = [
        ReasoningDelta(text="hm"),
        TextDelta(text="H"),
        RefusalDelta(text="!"),
    ]
    answer = whole(STARTED, *texts, *calls, Finished(reason="tool_calls"), USED)
    assert answer["message"] == {
        "role": "assistant",
        "content": "H!",
        "thinking": "hm",
        "tool_calls": [
            {"id": "c", "function": {"index": 0, "name": "f", "arguments": {"a": 1}}}
        ],
    }
    assert (answer["done"], answer["done_reason"]) == (True, "stop")


def test_calls_are_written_whole_however_their_pieces_mingle() -> None:
    said = streamed(
        STARTED,
        ToolCallDelta(call=0, id="a", name="f", arguments='{"x"'),
        ToolCallDelta(call=1, id="b", name="g", arguments=""),
        ToolCallDelta(call=0, arguments=":1}"),
        ToolCallDelta(call=2, id="c", name="h", arguments="not JSON"),
        Finished(reason="tool_calls"),
    )
    assert len(said) == 2
    assert [each["function"] for each in said[0]["message"]["tool_calls"]] == [
        {"index": 0, "name": "f", "arguments": {"x": 1}},
        {"index": 1, "name": "g", "arguments": {}},
        {"index": 2, "name": "h", "arguments": {"input": "not JSON"}},
    ]
    assert said[1]["done_reason"] == "stop"


def test_an_id_carries_the_sealed_thoughts_before_it() -> None:
    said = streamed(
        STARTED,
        ReasoningDelta(text="hm"),
        ReasoningSealed(seal="s", sealed_by="anthropic"),
        ToolCallDelta(call=0, id="a", name="f", arguments="{}"),
        Finished(reason="tool_calls"),
    )
    (told,) = said[1]["message"]["tool_calls"]
    call_id, carried = without_carried(told["id"])
    assert call_id == "a"
    assert [(t.text, t.seal) for t in carried.thoughts] == [("hm", "s")]


@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_other_reasons_are_told(reason: Any) -> None:
    assert streamed(STARTED, Finished(reason=reason))[-1]["done_reason"] == reason


def test_an_ending_is_never_made_up() -> None:
    writer = OllamaWriter(call(), "chat")
    writer.write(TextDelta(text="Hi"))
    with pytest.raises(ProviderCut):
        writer.finish()
    assert writer.broken(ProviderCut("Cut.")) == b'{"error":"Cut."}\n'
    silent = OllamaWriter(generate_call(stream=False), "generate")
    assert silent.broken(ProviderCut("Cut.")) == b""


EVENTS = st.lists(
    st.sampled_from(
        [
            STARTED,
            TextDelta(text="a"),
            TextDelta(text="b", choice=1),
            ReasoningDelta(text="t"),
            ReasoningSealed(seal="s", sealed_by="gemini"),
            RefusalDelta(text="no"),
            ToolCallDelta(call=0, id="c", name="f", arguments="{"),
            ToolCallDelta(call=0, arguments="}"),
            Unknown(raw=b"?"),
            USED,
        ]
    )
)


@given(EVENTS)
def test_any_order_makes_sound_lines(events: Sequence[Event]) -> None:
    said = streamed(*events, STOP)
    assert [each["done"] for each in said] == [False] * (len(said) - 1) + [True]
    text = "".join(each["message"]["content"] for each in said)
    assert text == whole(*events, STOP)["message"]["content"]
