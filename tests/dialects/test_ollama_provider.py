"""A Prompt as a request of Ollama's chat API: each mapping, and what is refused."""

import json
from typing import Any

import pytest
from msgspec import Raw
from support.chat import call, stream_call
from support.ollama import target

from lightweight.dialects.ollama_provider import write_prompt
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
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)

SCHEMA = Raw(b'{"type":"object"}')
HI = Turn(role="user", parts=(Text(text="Hi"),))


def body(made: Prompt) -> Any:
    return json.loads(write_prompt(made, call(), target("up")).body)


def written(*turns: Turn) -> Any:
    return body(Prompt(turns=turns))["messages"]


def turn(role: Any, *parts: Part) -> Turn:
    return Turn(role=role, parts=parts)


def test_where_it_goes() -> None:
    whole = write_prompt(Prompt(turns=(HI,)), call(), target("up"))
    assert (whole.path, whole.stream) == ("/api/chat", False)
    assert json.loads(whole.body) == {
        "model": "up",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": False,
    }
    streamed = write_prompt(Prompt(turns=(HI,)), stream_call(), target("up"))
    assert streamed.stream
    assert json.loads(streamed.body)["stream"] is True


def test_texts_and_pictures() -> None:
    picture = Image(data="aGk", media_type="image/png", detail="low")
    assert written(
        turn("system", Text(text="a", cached=True), Text(text="b")),
        turn("user", Text(text="See:"), picture),
    ) == [
        {"role": "system", "content": "a\nb"},
        {"role": "user", "content": "See:", "images": ["aGk"]},
    ]


def test_a_turn_with_tools() -> None:
    thought = Reasoning(text="hm", seal="s", sealed_by="anthropic")
    called = ToolCall(id="c1", name="f", arguments='{"a":1}')
    odd = ToolCall(id="c2", name="g", arguments="not JSON")
    custom = ToolCall(id="c3", name="h", arguments="free", custom=True)
    picture = Image(data="aGk", media_type="image/png")
    results = [
        ToolResult(call_id="c1", parts=(Text(text="one"), picture)),
        ToolResult(call_id="c2", parts=(Text(text="two"),), error=True),
    ]
    assert written(
        turn("assistant", thought, Text(text="Wait."), called, odd, custom),
        turn("tool", *results),
    ) == [
        {
            "role": "assistant",
            "content": "Wait.",
            "thinking": "hm",
            "tool_calls": [
                {"id": "c1", "function": {"name": "f", "arguments": {"a": 1}}},
                {
                    "id": "c2",
                    "function": {"name": "g", "arguments": {"input": "not JSON"}},
                },
                {"id": "c3", "function": {"name": "h", "arguments": {"input": "free"}}},
            ],
        },
        {"role": "tool", "content": "one", "tool_name": "f", "tool_call_id": "c1"},
        {"role": "tool", "content": "two", "tool_name": "g", "tool_call_id": "c2"},
        {"role": "user", "content": "", "images": ["aGk"]},
    ]


def test_a_refusal_is_what_was_said() -> None:
    said = {"role": "assistant", "content": "No."}
    assert written(turn("assistant", Refusal(text="No."))) == [said]


def test_tools() -> None:
    tools = (
        Tool(name="f", description="d", parameters=SCHEMA, strict=True),
        Tool(name="g"),
        Tool(name="h", custom=True),
    )
    made = body(Prompt(turns=(HI,), tools=tools))["tools"]
    assert made[0] == {
        "type": "function",
        "function": {"name": "f", "description": "d", "parameters": {"type": "object"}},
    }
    assert made[1]["function"]["parameters"] == {"type": "object", "properties": {}}
    assert "input" in made[2]["function"]["parameters"]["properties"]
    none = ToolChoice(mode="none")
    assert "tools" not in body(Prompt(turns=(HI,), tools=tools, tool_choice=none))


def test_tuning() -> None:
    made = Prompt(
        turns=(HI,),
        max_tokens=9,
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        stop=("END",),
        format=JsonFormat(schema=SCHEMA),
        user="u",
        verbosity="low",
        rest={"seed": Raw(b"7"), "presence_penalty": Raw(b"0.1"), "store": Raw(b"{}")},
    )
    read = body(made)
    assert read["format"] == {"type": "object"}
    assert read["options"] == {
        "num_predict": 9,
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 40,
        "stop": ["END"],
        "seed": 7,
        "presence_penalty": 0.1,
    }
    assert body(Prompt(turns=(HI,), format=JsonFormat()))["format"] == "json"


@pytest.mark.parametrize(
    ("thinking", "expected"),
    [
        (Thinking(effort="none"), False),
        (Thinking(effort="minimal"), "low"),
        (Thinking(effort="max"), "high"),
        (Thinking(effort="odd"), True),
        (Thinking(enabled=False), False),
        (Thinking(budget=1024), True),
        (Thinking(budget=0), False),
    ],
)
def test_thinking(thinking: Thinking, expected: object) -> None:
    assert body(Prompt(turns=(HI,), thinking=thinking))["think"] == expected


@pytest.mark.parametrize(
    ("prompt", "param"),
    [
        (Prompt(turns=(turn("user", Image(url="https://a/b")),)), "messages"),
        (Prompt(turns=(turn("user", Audio(data="", format="wav")),)), "messages"),
        (Prompt(turns=(turn("user", File(data="")),)), "messages"),
        (
            Prompt(turns=(HI,), tool_choice=ToolChoice(mode="required")),
            "tool_choice",
        ),
        (
            Prompt(turns=(HI,), tools=(Tool(name="f"),), parallel=False),
            "parallel_tool_calls",
        ),
        (Prompt(turns=(HI,), rest={"logit_bias": Raw(b"{1:1}")}), "logit_bias"),
    ],
)
def test_what_has_no_counterpart_is_refused(prompt: Prompt, param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        body(prompt)
    assert (caught.value.param, caught.value.code) == (param, "unsupported_parameter")
