"""A chat request as a Prompt: each mapping, and the blame for what is wrong."""

import json
from typing import Any

import pytest
from support.chat import call

from lightweight.dialects.openai_chat_prompt import read_prompt
from lightweight.dialects.seals import Carried, with_carried
from lightweight.errors import BadRequest
from lightweight.prompts import (
    Audio,
    File,
    Image,
    JsonFormat,
    Part,
    Prompt,
    Reasoning,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)

PNG = "data:image/png;base64,aGk="
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}


def prompt(*messages: dict[str, Any], **fields: Any) -> Prompt:
    if messages:
        fields["messages"] = list(messages)
    return read_prompt(call(**fields))


def user_parts(*content: dict[str, Any]) -> tuple[Part, ...]:
    return prompt({"role": "user", "content": list(content)}).turns[0].parts


@pytest.mark.parametrize("role", ["system", "developer"])
def test_who_instructs(role: str) -> None:
    made = prompt({"role": role, "content": "Be brief."})
    assert made.turns == (Turn(role="system", parts=(Text(text="Be brief."),)),)


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"type": "text", "text": "hi"}, Text(text="hi")),
        (
            {"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}},
            Text(text="hi", cached=True),
        ),
        (
            {"type": "image_url", "image_url": {"url": "https://x/y", "detail": "low"}},
            Image(url="https://x/y", detail="low"),
        ),
        (
            {"type": "image_url", "image_url": {"url": PNG}},
            Image(data="aGk=", media_type="image/png"),
        ),
        (
            {"type": "image_url", "image_url": PNG},
            Image(data="aGk=", media_type="image/png"),
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}},
            Audio(data="aGk=", format="wav"),
        ),
        (
            {"type": "file", "file": {"file_data": "aGk=", "filename": "a.pdf"}},
            File(data="aGk=", media_type="application/pdf", name="a.pdf"),
        ),
        (
            {"type": "file", "file": {"file_data": "data:text/csv;base64,aGk="}},
            File(data="aGk=", media_type="text/csv"),
        ),
    ],
)
def test_what_a_user_shows(part: dict[str, Any], expected: Part) -> None:
    assert user_parts(part) == (expected,)


def test_a_turn_of_tools() -> None:
    made = prompt(
        {"role": "user", "content": "?"},
        {
            "role": "assistant",
            "content": None,
            "reasoning_content": "Hm.",
            "tool_calls": [
                {
                    "id": "c1",
                    "type": "function",
                    "function": {"name": "weather", "arguments": '{"a":1}'},
                    "extra_content": {"google": {"thought_signature": "sig"}},
                },
                {"id": "c2", "type": "custom", "custom": {"name": "p", "input": "x"}},
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "mild"},
    )
    assert made.turns[1].parts == (
        Reasoning(text="Hm."),
        ToolCall(id="c1", name="weather", arguments='{"a":1}', seal="sig"),
        ToolCall(id="c2", name="p", arguments="x", custom=True),
    )
    assert made.turns[2] == Turn(
        role="tool", parts=(ToolResult(call_id="c1", parts=(Text(text="mild"),)),)
    )


def test_what_a_call_carries_comes_before_it() -> None:
    thought = Reasoning(text="Hm", seal="s", sealed_by="anthropic")
    shown = with_carried("c1", Carried(thoughts=(thought,), seal="g"))
    made = prompt(
        {
            "role": "assistant",
            "reasoning_content": "Hm",
            "content": "Let me see.",
            "tool_calls": [
                {"id": shown, "function": {"name": "f", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "tool_call_id": shown, "content": []},
    )
    assert made.turns[0].parts == (
        thought,
        Text(text="Let me see."),
        ToolCall(id="c1", name="f", arguments="{}", seal="g"),
    )
    assert made.turns[1].parts == (ToolResult(call_id="c1", parts=()),)


def test_a_refusal_is_one() -> None:
    made = prompt({"role": "assistant", "content": None, "refusal": "No."})
    assert made.turns[0].parts == (Refusal(text="No."),)


@pytest.mark.parametrize(
    "told",
    [
        WEATHER,
        {"type": "function", "name": "weather", "parameters": SCHEMA},
        {"name": "weather", "parameters": SCHEMA},
    ],
)
def test_tools_nested_and_flat(told: dict[str, Any]) -> None:
    (tool,) = prompt(tools=[told]).tools
    assert (tool.name, tool.custom, tool.strict) == ("weather", False, None)
    assert json.loads(bytes(tool.parameters or b"")) == SCHEMA


@pytest.mark.parametrize(
    "told",
    [
        {"type": "custom", "custom": {"name": "p", "format": {"type": "text"}}},
        {"type": "custom", "name": "p", "format": {"type": "text"}},
    ],
)
def test_custom_tools_nested_and_flat(told: dict[str, Any]) -> None:
    (tool,) = prompt(tools=[told]).tools
    assert (tool.name, tool.custom, tool.parameters) == ("p", True, None)
    assert json.loads(bytes(tool.format or b"")) == {"type": "text"}


def test_null_tools_are_none() -> None:
    assert prompt(tools=None, tool_choice="auto").tools == ()


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("auto", ToolChoice(mode="auto")),
        ("none", ToolChoice(mode="none")),
        ("required", ToolChoice(mode="required")),
        (
            {"type": "function", "function": {"name": "f"}},
            ToolChoice(mode="named", name="f"),
        ),
        ({"type": "function", "name": "f"}, ToolChoice(mode="named", name="f")),
        (
            {"type": "custom", "custom": {"name": "f"}},
            ToolChoice(mode="named", name="f"),
        ),
    ],
)
def test_the_choice_of_tools(told: object, expected: ToolChoice) -> None:
    assert prompt(tool_choice=told).tool_choice == expected


def test_the_tuning() -> None:
    made = prompt(
        max_tokens=5,
        max_completion_tokens=7,
        temperature=0.5,
        top_p=0.9,
        top_k=3,
        stop="X",
        parallel_tool_calls=False,
        reasoning_effort="high",
        verbosity="low",
        user="u",
        n=1,
        logit_bias=None,
        seed=4,
    )
    assert (made.max_tokens, made.temperature, made.top_p) == (7, 0.5, 0.9)
    assert (made.top_k, made.stop, made.parallel) == (3, ("X",), False)
    assert made.thinking == Thinking(effort="high")
    assert (made.verbosity, made.user) == ("low", "u")
    assert set(made.rest) == {"seed"}


def test_what_has_no_word_is_kept_by_name() -> None:
    assert set(prompt(n=2, logprobs=True, functions=[]).rest) == {
        "n",
        "logprobs",
        "functions",
    }


def test_the_answers_form() -> None:
    assert prompt(response_format={"type": "text"}).format is None
    assert prompt(response_format={"type": "json_object"}).format == JsonFormat()
    wanted = {"name": "n", "schema": SCHEMA, "strict": True, "description": "d"}
    made = prompt(response_format={"type": "json_schema", "json_schema": wanted}).format
    assert made is not None
    assert (made.name, made.strict, made.description) == ("n", True, "d")
    assert json.loads(bytes(made.schema or b"")) == SCHEMA


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content"),
        (
            {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
            "messages[0].content[0].type",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "smell"}]}]},
            "messages[0].content[0].type",
        ),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [{"type": "file", "file": {"file_id": "f"}}],
                    }
                ]
            },
            "messages[0].content[0].file.file_id",
        ),
        ({"messages": [{"role": "tool"}]}, "messages[0].tool_call_id"),
        (
            {"messages": [{"role": "function", "name": "f"}]},
            "messages[0].function_call",
        ),
        (
            {"messages": [{"role": "assistant", "tool_calls": [{"id": "c"}]}]},
            "messages[0].tool_calls[0].function",
        ),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
        ({"tools": [{"type": "function"}]}, "tools[0].function.name"),
        ({"tools": 7}, "tools"),
        ({"tool_choice": {"type": "allowed_tools"}}, "tool_choice"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"temperature": "hot"}, "temperature"),
        ({"stop": [1]}, "stop[0]"),
    ],
)
def test_the_blame(fields: dict[str, Any], param: str) -> None:
    made = call(**fields)
    with pytest.raises(BadRequest) as caught:
        read_prompt(made)
    assert caught.value.param == param
