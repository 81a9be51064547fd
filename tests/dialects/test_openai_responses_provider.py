"""A Prompt as a request for a response: each mapping, and what is lost or refused."""

import json
from typing import Any

import pytest
from msgspec import Raw
from support.chat import call as chat_call
from support.chat import stream_call
from support.openai_schema import response_request_errors
from support.responses import target

from lightweight.dialects.openai_responses_provider import write_prompt
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

CODEX = target("gpt-5.3-codex")
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
RAW_SCHEMA = Raw(json.dumps(SCHEMA).encode())


def body(made: Prompt, model: str = "gpt-4o") -> Any:
    written = json.loads(write_prompt(made, chat_call(), target(model)).body)
    assert response_request_errors(written) == []
    return written


def written(*turns: Turn) -> Any:
    return body(Prompt(turns=turns))["input"]


def asked(model: str = "gpt-4o", **members: Any) -> Any:
    made = body(Prompt(turns=(), **members), model)
    for name in ("model", "input", "store", "include"):
        made.pop(name, None)
    return made


def turn(role: Any, *parts: Part) -> Turn:
    return Turn(role=role, parts=parts)


def test_where_it_goes() -> None:
    made = write_prompt(Prompt(turns=()), chat_call(), CODEX)
    assert (made.path, made.stream) == ("/responses", False)
    assert json.loads(made.body) == {
        "model": "gpt-5.3-codex",
        "input": [],
        "store": False,
        "include": ["reasoning.encrypted_content"],
    }
    streamed = write_prompt(Prompt(turns=()), stream_call(usage=True), CODEX)
    assert streamed.headers["accept"] == "text/event-stream"
    assert json.loads(streamed.body)["stream"] is True
    assert b"stream_options" not in streamed.body


def test_models_that_do_not_think_are_not_asked_for_seals() -> None:
    assert "include" not in body(Prompt(turns=()), "gpt-4o")


def test_words_pictures_and_files() -> None:
    assert written(
        turn("system", Text(text="Be brief.")),
        turn(
            "user",
            Text(text="What is it?"),
            Image(data="aGk=", media_type="image/png", detail="low"),
            Image(url="https://x/y"),
            File(data="aGk=", media_type="application/pdf", name="a.pdf"),
            File(url="https://x/a.pdf"),
        ),
    ) == [
        {
            "type": "message",
            "role": "system",
            "content": [{"type": "input_text", "text": "Be brief."}],
        },
        {
            "type": "message",
            "role": "user",
            "content": [
                {"type": "input_text", "text": "What is it?"},
                {
                    "type": "input_image",
                    "image_url": "data:image/png;base64,aGk=",
                    "detail": "low",
                },
                {"type": "input_image", "image_url": "https://x/y", "detail": "auto"},
                {
                    "type": "input_file",
                    "filename": "a.pdf",
                    "file_data": "data:application/pdf;base64,aGk=",
                },
                {"type": "input_file", "file_url": "https://x/a.pdf"},
            ],
        },
    ]


def test_a_turn_of_tools() -> None:
    picture = Image(data="aGk=", media_type="image/png")
    seal = Reasoning(text="Hm.", seal="s", sealed_by="openai_responses", id="rs_1")
    assert written(
        turn(
            "assistant",
            seal,
            Text(text="I look."),
            Text(text=""),
            ToolCall(id="c1", name="f", arguments=""),
            ToolCall(id="c2", name="p", arguments="raw", custom=True),
            Refusal(text="No."),
        ),
        turn(
            "tool",
            ToolResult(call_id="c1", parts=(Text(text="a"), picture)),
            ToolResult(call_id="c2", parts=(Text(text="done"),), error=True),
            ToolResult(call_id="c3", parts=()),
        ),
    ) == [
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "Hm."}],
            "encrypted_content": "s",
        },
        {
            "type": "message",
            "role": "assistant",
            "content": "I look.",
        },
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
        {"type": "custom_tool_call", "call_id": "c2", "name": "p", "input": "raw"},
        {
            "type": "message",
            "role": "assistant",
            "content": "No.",
        },
        {
            "type": "function_call_output",
            "call_id": "c1",
            "output": [
                {"type": "input_text", "text": "a"},
                {
                    "type": "input_image",
                    "image_url": "data:image/png;base64,aGk=",
                    "detail": "auto",
                },
            ],
        },
        {"type": "custom_tool_call_output", "call_id": "c2", "output": "done"},
        {"type": "function_call_output", "call_id": "c3", "output": ""},
    ]


@pytest.mark.parametrize(
    "thought",
    [
        Reasoning(text="Hm."),
        Reasoning(text="Hm.", seal="s", sealed_by="anthropic"),
    ],
)
def test_thoughts_that_nobody_here_can_read_are_left_out(thought: Reasoning) -> None:
    assert written(turn("assistant", thought)) == []


def test_tools_are_flat_and_loose() -> None:
    grammar = {"type": "grammar", "syntax": "lark", "definition": "start: X"}
    nested = {
        "type": "grammar",
        "grammar": {"syntax": "lark", "definition": "start: X"},
    }
    tools = (
        Tool(name="f", description="Does.", parameters=RAW_SCHEMA, strict=True),
        Tool(name="g"),
        Tool(name="p", custom=True, format=Raw(json.dumps(grammar).encode())),
        Tool(name="q", custom=True, format=Raw(json.dumps(nested).encode())),
        Tool(name="r", custom=True),
    )
    assert asked(tools=tools, parallel=False, tool_choice=ToolChoice(mode="auto")) == {
        "tools": [
            {
                "type": "function",
                "name": "f",
                "description": "Does.",
                "parameters": SCHEMA,
                "strict": True,
            },
            {
                "type": "function",
                "name": "g",
                "parameters": {"type": "object", "properties": {}},
                "strict": False,
            },
            {"type": "custom", "name": "p", "format": grammar},
            {"type": "custom", "name": "q", "format": grammar},
            {"type": "custom", "name": "r"},
        ],
        "tool_choice": "auto",
        "parallel_tool_calls": False,
    }


@pytest.mark.parametrize("odd", [b"7", b'"text"', b'{"grammar":7}'])
def test_a_format_of_another_form_is_refused(odd: bytes) -> None:
    tool = Tool(name="p", custom=True, format=Raw(odd))
    with pytest.raises(BadRequest):
        asked(tools=(tool,))


def test_which_tool_to_call() -> None:
    tools = (Tool(name="f"), Tool(name="p", custom=True))
    for name, kind in (("f", "function"), ("p", "custom")):
        choice = ToolChoice(mode="named", name=name)
        told = asked(tools=tools, tool_choice=choice)["tool_choice"]
        assert told == {"type": kind, "name": name}
    assert asked(tool_choice=ToolChoice(mode="required")) == {}


def test_tuning() -> None:
    tuned: dict[str, Any] = {
        "max_tokens": 5,
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 40,
        "user": "u",
        "verbosity": "low",
    }
    assert asked(**tuned) == {
        "max_output_tokens": 16,
        "temperature": 0.5,
        "top_p": 0.9,
        "user": "u",
        "text": {"verbosity": "low"},
    }
    assert asked("gpt-5.3-codex", **tuned) == {"max_output_tokens": 16, "user": "u"}
    assert asked(max_tokens=2000) == {"max_output_tokens": 2000}


@pytest.mark.parametrize(
    ("thinking", "reasoning"),
    [
        (Thinking(effort="high"), {"effort": "high", "summary": "auto"}),
        (Thinking(effort="none"), {"effort": "none"}),
        (Thinking(effort="low", shown=False), {"effort": "low"}),
        (Thinking(budget=1024), {"effort": "low", "summary": "auto"}),
        (Thinking(budget=8000), {"effort": "medium", "summary": "auto"}),
        (Thinking(budget=31999), {"effort": "high", "summary": "auto"}),
        (Thinking(enabled=True), {"summary": "auto"}),
        (Thinking(enabled=False), None),
        (Thinking(shown=False), None),
    ],
)
def test_thinking(thinking: Thinking, reasoning: Any) -> None:
    assert asked(thinking=thinking).get("reasoning") == reasoning


def test_formats() -> None:
    assert asked(format=JsonFormat())["text"] == {"format": {"type": "json_object"}}
    wanted = JsonFormat(schema=RAW_SCHEMA, strict=True)
    assert asked(format=wanted)["text"]["format"] == {
        "type": "json_schema",
        "name": "answer",
        "schema": SCHEMA,
        "strict": True,
    }


def test_fields_that_both_have_and_hints() -> None:
    rest = {"metadata": Raw(b'{"a":"b"}'), "seed": Raw(b"7"), "store": Raw(b"true")}
    assert asked(rest=rest) == {"metadata": {"a": "b"}}
    assert body(Prompt(turns=(), rest=rest))["store"] is False


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"stop": ("x",)}, "stop"),
        ({"rest": {"logit_bias": Raw(b'{"1":2}')}}, "logit_bias"),
        ({"rest": {"n": Raw(b"2")}}, "n"),
        (
            {"turns": (turn("user", Audio(data="a", format="wav")),)},
            "messages",
        ),
    ],
)
def test_what_has_no_counterpart(members: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        write_prompt(Prompt(**{"turns": (), **members}), chat_call(), CODEX)
    assert (caught.value.param, caught.value.code) == (param, "unsupported_parameter")
