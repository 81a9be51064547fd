"""Ollama's requests as a Prompt: each mapping, and what is refused."""

from typing import Any

import pytest
from msgspec import Raw
from support.ollama import CHAT, GENERATE, call, generate_call

from lightweight.dialects.ollama_prompt import LEFT_OUT
from lightweight.dialects.seals import Carried, with_carried
from lightweight.errors import BadRequest
from lightweight.prompts import (
    Image,
    JsonFormat,
    Part,
    Prompt,
    Reasoning,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    Turn,
)

PNG = "iVBORw0KGgoAAAA"
CALLED = {"function": {"name": "f", "arguments": {"a": 1}}}


def prompt(**fields: Any) -> Prompt:
    return CHAT.read_prompt(call(**fields))


def turns(*messages: dict[str, Any]) -> tuple[Turn, ...]:
    return prompt(messages=list(messages)).turns


def parts(message: dict[str, Any]) -> tuple[Part, ...]:
    (turn,) = turns(message)
    return turn.parts


def result(call_id: str, text: str) -> Turn:
    said = ToolResult(call_id=call_id, parts=(Text(text=text),))
    return Turn(role="tool", parts=(said,))


def test_roles_and_texts() -> None:
    assert turns(
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello", "thinking": "hm"},
    ) == (
        Turn(role="system", parts=(Text(text="Be kind."),)),
        Turn(role="user", parts=(Text(text="Hi"),)),
        Turn(role="assistant", parts=(Reasoning(text="hm"), Text(text="Hello"))),
    )


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (PNG, "image/png"),
        ("/9j/4AAQ", "image/jpeg"),
        ("R0lGODlh", "image/gif"),
        ("UklGRiQA", "image/webp"),
    ],
)
def test_pictures_are_known_by_their_first_bytes(data: str, media_type: str) -> None:
    picture = Image(data=data, media_type=media_type)
    assert parts({"role": "user", "content": "", "images": [data]}) == (picture,)


def test_calls_without_ids_are_numbered_and_found_by_name_or_order() -> None:
    asked = {"role": "assistant", "content": "", "tool_calls": [CALLED, CALLED]}
    other = {"role": "assistant", "tool_calls": [{"function": {"name": "g"}}]}
    assert turns(
        asked,
        {"role": "tool", "content": "one", "tool_name": "f"},
        other,
        {"role": "tool", "content": "three", "tool_name": "g"},
        {"role": "tool", "content": "two"},
    ) == (
        Turn(
            role="assistant",
            parts=(
                ToolCall(id="call_0", name="f", arguments='{"a":1}'),
                ToolCall(id="call_1", name="f", arguments='{"a":1}'),
            ),
        ),
        result("call_0", "one"),
        Turn(
            role="assistant",
            parts=(ToolCall(id="call_2", name="g", arguments="{}"),),
        ),
        result("call_2", "three"),
        result("call_1", "two"),
    )


def test_calls_with_ids_bring_back_what_travelled_in_them() -> None:
    thought = Reasoning(text="t", seal="s", sealed_by="anthropic")
    shown = with_carried("theirs", Carried(thoughts=(thought,), seal="sig"))
    first, second = turns(
        {"role": "assistant", "tool_calls": [{"id": shown, **CALLED}]},
        {"role": "tool", "content": "one", "tool_call_id": shown},
    )
    called = ToolCall(id="theirs", name="f", arguments='{"a":1}', seal="sig")
    assert first.parts == (thought, called)
    assert second == result("theirs", "one")


def test_a_result_without_its_call_is_refused() -> None:
    for told in ({}, {"tool_name": "f"}, {"tool_call_id": "x"}):
        with pytest.raises(BadRequest) as caught:
            turns({"role": "user"}, {"role": "tool", "content": "one", **told})
        assert caught.value.param == "messages[1]"


def test_tools() -> None:
    schema = {"type": "object"}
    body = {"name": "f", "description": "d", "parameters": schema}
    assert prompt(tools=[{"type": "function", "function": body}]).tools == (
        Tool(name="f", description="d", parameters=Raw(b'{"type": "object"}')),
    )
    assert prompt(tools=[]).tools == prompt(tools=None).tools == ()


def test_options() -> None:
    options = {
        "num_predict": 9,
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 40,
        "stop": "END",
        "seed": 7,
        "presence_penalty": 0,
        **dict.fromkeys(LEFT_OUT, 1),
    }
    read = prompt(options=options, keep_alive="5m")
    assert (read.max_tokens, read.temperature, read.top_p) == (9, 0.5, 0.9)
    assert (read.top_k, read.stop) == (40, ("END",))
    assert read.rest == {"seed": Raw(b"7")}
    assert prompt(options={"num_predict": -1}).max_tokens is None
    assert prompt(options={"stop": ["a", "b"]}).stop == ("a", "b")


def test_what_has_no_word_is_kept_by_its_name() -> None:
    read = prompt(options={"frequency_penalty": 0.5}, logprobs=True, template="")
    assert set(read.rest) == {"options.frequency_penalty", "logprobs"}


def test_formats() -> None:
    assert prompt(format="").format is prompt(format=None).format is None
    assert prompt(format="json").format == JsonFormat()
    schema = prompt(format={"type": "object"}).format
    assert schema == JsonFormat(schema=Raw(b'{"type": "object"}'))


@pytest.mark.parametrize(
    ("think", "expected"),
    [
        (None, None),
        (True, Thinking(enabled=True, shown=True)),
        (False, Thinking(enabled=False, shown=False)),
        ("high", Thinking(effort="high", shown=True)),
    ],
)
def test_thinking(think: object, expected: Thinking | None) -> None:
    assert prompt(think=think).thinking == expected


def test_a_completion_is_a_chat_of_one_turn() -> None:
    read = GENERATE.read_prompt(
        generate_call(prompt="Hi", system="Be kind.", images=[PNG], raw=False)
    )
    picture = Image(data=PNG, media_type="image/png")
    assert read.turns == (
        Turn(role="system", parts=(Text(text="Be kind."),)),
        Turn(role="user", parts=(Text(text="Hi"), picture)),
    )
    assert read.rest == {}
    more = GENERATE.read_prompt(generate_call(suffix="}", raw=True, context=[1]))
    assert set(more.rest) == {"suffix", "raw", "context"}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": [{"role": "user", "content": [1]}]}, "messages[0].content"),
        (
            {"messages": [{"role": "user", "images": ["PHN2Zz4"]}]},
            "messages[0].images[0]",
        ),
        (
            {"messages": [{"role": "assistant", "tool_calls": [{}]}]},
            "messages[0].tool_calls[0]",
        ),
        ({"tools": [{"type": "function"}]}, "tools[0]"),
        ({"options": {"temperature": "hot"}}, "options.temperature"),
        ({"options": 1}, "options"),
        ({"format": "xml"}, "format"),
        ({"format": 1}, "format"),
        ({"think": 3}, "think"),
    ],
)
def test_what_cannot_be_read_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        prompt(**fields)
    assert caught.value.param == param
