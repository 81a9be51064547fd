import json
from typing import Any

import pytest
from msgspec import Raw
from support.anthropic_schema import request_errors
from support.chat import call, stream_call
from support.messages import target

from lightweight.dialects.anthropic_write_prompt import JSON_ONLY, write_prompt
from lightweight.errors import BadRequest
from lightweight.prompts import (
    JsonFormat,
    Prompt,
    Reasoning,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)

HI = (Turn(role="user", parts=(Text(text="hi"),)),)
SCHEMA = {"type": "object", "properties": {"x": {"type": "number"}}}
NEW = "claude-opus-4-6"
TOOLS = (Tool(name="f", parameters=Raw(json.dumps(SCHEMA).encode())),)


def body(prompt: Prompt, model: str = NEW, *quirks: str) -> Any:
    made = json.loads(write_prompt(prompt, call(), target(model, *quirks)).body)
    assert request_errors(made) == []
    return made


def asked(model: str = NEW, **fields: Any) -> Any:
    return body(Prompt(turns=HI, **fields), model)


def test_the_least_request() -> None:
    out = write_prompt(Prompt(turns=HI), call(), target(NEW))
    assert (out.path, out.stream) == ("/messages", False)
    assert out.headers == {
        "anthropic-version": "2023-06-01",
        "content-type": "application/json",
        "accept": "application/json",
    }
    assert json.loads(out.body) == {
        "model": NEW,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
        "max_tokens": 32000,
    }


def test_a_streamed_request() -> None:
    out = write_prompt(Prompt(turns=HI), stream_call(), target(NEW))
    assert out.stream
    assert out.headers["accept"] == "text/event-stream"
    assert json.loads(out.body)["stream"] is True


def test_a_whole_conversation_is_sound() -> None:
    """The document's own schema judges every kind of block."""
    own = Reasoning(text="Hm", seal="sig", sealed_by="anthropic")
    made = body(
        Prompt(
            turns=(
                Turn(role="system", parts=(Text(text="Be brief.", cached=True),)),
                *HI,
                Turn(
                    role="assistant",
                    parts=(own, ToolCall(id="a.b", name="f", arguments='{"x":1}')),
                ),
                Turn(
                    role="tool",
                    parts=(ToolResult(call_id="a.b", parts=(Text(text="2"),)),),
                ),
            ),
            tools=TOOLS,
            thinking=Thinking(effort="high"),
            max_tokens=9000,
            stop=("END",),
            user="u",
        )
    )
    assert made["system"][0]["text"] == "Be brief."
    assert made["output_config"] == {"effort": "high"}
    assert made["stop_sequences"] == ["END"]
    assert made["metadata"] == {"user_id": "u"}
    assert made["messages"][1]["content"][0]["signature"] == "sig"


@pytest.mark.parametrize(
    ("tool", "written"),
    [
        (TOOLS[0], {"name": "f", "input_schema": SCHEMA}),
        (
            Tool(name="f"),
            {"name": "f", "input_schema": {"type": "object", "properties": {}}},
        ),
        (
            Tool(name="f", parameters=Raw(b"{}")),
            {"name": "f", "input_schema": {"type": "object"}},
        ),
        (
            Tool(name="f", description="d", strict=True, cached=True),
            {
                "name": "f",
                "description": "d",
                "input_schema": {"type": "object", "properties": {}},
                "strict": True,
                "cache_control": {"type": "ephemeral"},
            },
        ),
    ],
)
def test_tools(tool: Tool, written: dict[str, Any]) -> None:
    assert asked(tools=(tool,))["tools"] == [written]


def test_older_models_know_no_strict_tools() -> None:
    (tool,) = asked("claude-sonnet-4-20250514", tools=(Tool(name="f", strict=True),))[
        "tools"
    ]
    assert "strict" not in tool


def test_a_custom_tool_is_a_function_with_one_text() -> None:
    (tool,) = asked(tools=(Tool(name="f", custom=True),))["tools"]
    assert tool["input_schema"]["required"] == ["input"]


def test_a_schema_that_is_none_is_the_providers_to_judge() -> None:
    prompt = Prompt(turns=HI, tools=(Tool(name="f", parameters=Raw(b"7")),))
    out = write_prompt(prompt, call(), target())
    assert json.loads(out.body)["tools"][0]["input_schema"] == 7


@pytest.mark.parametrize(
    ("choice", "parallel", "written"),
    [
        (None, None, None),
        (None, True, None),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        (ToolChoice(mode="auto"), None, {"type": "auto"}),
        (ToolChoice(mode="required"), None, {"type": "any"}),
        (ToolChoice(mode="none"), False, {"type": "none"}),
        (
            ToolChoice(mode="named", name="f"),
            False,
            {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
        ),
    ],
)
def test_tool_choice(choice: Any, parallel: Any, written: Any) -> None:
    made = asked(tools=TOOLS, tool_choice=choice, parallel=parallel)
    assert made.get("tool_choice") == written


def test_no_choice_without_tools() -> None:
    made = asked(tool_choice=ToolChoice(mode="auto"), parallel=False)
    assert "tool_choice" not in made


@pytest.mark.parametrize(
    ("fields", "written"),
    [
        ({"temperature": 1.7}, {"temperature": 1}),
        ({"temperature": 0.0, "top_p": 0.5}, {"temperature": 0.0}),
        ({"top_p": 0.5, "top_k": 7}, {"top_p": 0.5, "top_k": 7}),
        ({"temperature": 0.5, "thinking": Thinking(effort="low")}, {}),
        (
            {"temperature": 0.5, "thinking": Thinking(effort="none")},
            {"temperature": 0.5},
        ),
    ],
)
def test_sampling(fields: dict[str, Any], written: dict[str, Any]) -> None:
    names = ("temperature", "top_p", "top_k")
    made = asked(**fields)
    assert {name: made[name] for name in names if name in made} == written
    newest = asked("claude-opus-4-7", **fields)
    assert not set(names) & set(newest)


def test_a_schema_for_the_answer() -> None:
    schema = JsonFormat(schema=Raw(json.dumps(SCHEMA).encode()), name="n", strict=True)
    shape = {"type": "json_schema", "schema": SCHEMA}
    assert asked(format=schema)["output_config"] == {"format": shape}
    made = asked(format=schema, thinking=Thinking(effort="low"))
    assert made["output_config"] == {"effort": "low", "format": shape}
    with pytest.raises(BadRequest) as caught:
        asked("claude-sonnet-4-20250514", format=schema)
    assert caught.value.param == "response_format"


def test_json_without_a_schema_is_asked_for_in_words() -> None:
    made = asked(format=JsonFormat())
    assert made["system"] == [{"type": "text", "text": JSON_ONLY}]
    assert "output_config" not in made


def test_a_fast_target_is_asked_to_be_fast() -> None:
    out = write_prompt(Prompt(turns=HI), call(), target(NEW, "fast_speed"))
    assert json.loads(out.body)["speed"] == "fast"
    assert out.headers["anthropic-beta"] == "fast-mode-2026-02-01"


def test_hints_are_dropped_and_the_rest_is_refused() -> None:
    hints = {"seed": Raw(b"7"), "store": Raw(b"true"), "logprobs": Raw(b"false")}
    assert asked(rest=hints, verbosity="low") == asked()
    with pytest.raises(BadRequest) as caught:
        asked(rest={"logit_bias": Raw(b'{"1":2}')})
    assert caught.value.param == "logit_bias"
