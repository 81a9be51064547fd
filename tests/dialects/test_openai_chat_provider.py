"""A Prompt as a chat request: each mapping, and what is refused."""

import json
from typing import Any

import pytest
from msgspec import Raw
from support.chat import call, stream_call, target

from lightweight.dialects.openai_chat_prompt import read_prompt
from lightweight.dialects.openai_chat_provider import write_prompt
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
from lightweight.records import Target

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}


def body(made: Prompt, to: Target | None = None) -> Any:
    return json.loads(write_prompt(made, call(), to or target("up")).body)


def written(*turns: Turn, to: Target | None = None) -> Any:
    return body(Prompt(turns=turns), to)["messages"]


def quirky(*quirks: str) -> Target:
    return Target(
        provider="p", model="up", dialect="openai_chat", quirks=frozenset(quirks)
    )


def turn(role: Any, *parts: Part) -> Turn:
    return Turn(role=role, parts=parts)


def test_where_it_goes() -> None:
    whole = write_prompt(Prompt(turns=()), call(), target("up"))
    assert (whole.path, whole.stream) == ("/chat/completions", False)
    assert json.loads(whole.body) == {"model": "up", "messages": []}
    streamed = write_prompt(Prompt(turns=()), stream_call(), target("up"))
    assert streamed.headers["accept"] == "text/event-stream"
    assert json.loads(streamed.body)["stream_options"] == {"include_usage": True}


def test_words_stand_alone_and_parts_in_a_list() -> None:
    assert written(
        turn("system", Text(text="Be brief.")),
        turn(
            "user",
            Text(text="What is it?"),
            Image(data="aGk=", media_type="image/png", detail="low"),
            Image(url="https://x/y"),
            Audio(data="aGk=", format="wav"),
            File(data="aGk=", media_type="application/pdf", name="a.pdf"),
        ),
    ) == [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is it?"},
                {
                    "type": "image_url",
                    "image_url": {"url": "data:image/png;base64,aGk=", "detail": "low"},
                },
                {"type": "image_url", "image_url": {"url": "https://x/y"}},
                {
                    "type": "input_audio",
                    "input_audio": {"data": "aGk=", "format": "wav"},
                },
                {
                    "type": "file",
                    "file": {
                        "file_data": "data:application/pdf;base64,aGk=",
                        "filename": "a.pdf",
                    },
                },
            ],
        },
    ]


def test_a_turn_of_tools() -> None:
    picture = Image(data="aGk=", media_type="image/png")
    messages = written(
        turn(
            "assistant",
            Reasoning(text="Hm.", seal="s", sealed_by="anthropic"),
            ToolCall(id="c1", name="f", arguments="", seal="g"),
            ToolCall(id="c2", name="p", arguments="raw", custom=True),
        ),
        turn(
            "tool",
            ToolResult(call_id="c1", parts=(Text(text="a"), picture, Text(text="b"))),
            ToolResult(call_id="c2", parts=(), error=True),
        ),
    )
    assert messages[0]["content"] is None
    assert "reasoning_content" not in messages[0]
    assert messages[0]["tool_calls"] == [
        {
            "id": "c1",
            "type": "function",
            "function": {"name": "f", "arguments": "{}"},
            "extra_content": {"google": {"thought_signature": "g"}},
        },
        {
            "id": "c2",
            "type": "function",
            "function": {"name": "p", "arguments": '{"input":"raw"}'},
        },
    ]
    assert messages[1] == {"role": "tool", "tool_call_id": "c1", "content": "a\nb"}
    assert messages[2]["content"] == "(no text)"
    assert messages[3]["role"] == "user"
    assert [part["type"] for part in messages[3]["content"]] == ["image_url"]


def test_thoughts_return_to_who_wants_them() -> None:
    said = turn("assistant", Reasoning(text="Hm."), Text(text="Yes."))
    (message,) = written(said, to=quirky("returns_reasoning"))
    assert message["reasoning_content"] == "Hm."
    assert message["content"] == "Yes."


def test_a_refusal_stays_one() -> None:
    (message,) = written(turn("assistant", Refusal(text="No.")))
    assert (message["content"], message["refusal"]) == (None, "No.")


def test_tools_and_their_choice() -> None:
    made = body(
        Prompt(
            turns=(),
            tools=(
                Tool(
                    name="f", parameters=Raw(json.dumps(SCHEMA).encode()), strict=True
                ),
                Tool(name="g"),
                Tool(name="p", custom=True),
            ),
            tool_choice=ToolChoice(mode="named", name="f"),
            parallel=False,
        )
    )
    functions = [tool["function"] for tool in made["tools"]]
    assert functions[0] == {"name": "f", "parameters": SCHEMA, "strict": True}
    assert functions[1]["parameters"] == {"type": "object", "properties": {}}
    assert functions[2]["parameters"]["required"] == ["input"]
    assert made["tool_choice"] == {"type": "function", "function": {"name": "f"}}
    assert made["parallel_tool_calls"] is False


def test_no_choice_without_tools() -> None:
    made = body(Prompt(turns=(), tool_choice=ToolChoice(mode="auto"), parallel=True))
    assert set(made) == {"model", "messages"}


def test_the_tuning() -> None:
    made = body(
        Prompt(
            turns=(),
            max_tokens=5,
            temperature=0.0,
            top_p=0.5,
            top_k=4,
            stop=("X",),
            thinking=Thinking(effort="high", budget=1024),
            verbosity="low",
            user="u",
            format=JsonFormat(),
        )
    )
    assert made == {
        "model": "up",
        "messages": [],
        "max_completion_tokens": 5,
        "temperature": 0.0,
        "top_p": 0.5,
        "stop": ["X"],
        "response_format": {"type": "json_object"},
        "verbosity": "low",
    }


def test_who_only_knows_max_tokens() -> None:
    made = body(Prompt(turns=(), max_tokens=5), quirky("max_tokens_only"))
    assert made["max_tokens"] == 5
    assert "max_completion_tokens" not in made


def test_a_schema_for_the_answer() -> None:
    wanted = JsonFormat(schema=Raw(json.dumps(SCHEMA).encode()), strict=True)
    assert body(Prompt(turns=(), format=wanted))["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True},
    }


def test_what_would_be_lost_is_refused() -> None:
    with pytest.raises(BadRequest) as caught:
        write_prompt(Prompt(turns=(), rest={"mcp": Raw(b"[1]")}), call(), target())
    assert caught.value.param == "mcp"


def test_what_a_chat_client_asks_stays_what_it_is() -> None:
    asked: dict[str, Any] = {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "?"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "c",
                        "type": "function",
                        "function": {"name": "f", "arguments": '{"a":1}'},
                    }
                ],
            },
            {"role": "tool", "tool_call_id": "c", "content": "7"},
        ],
        "tools": [
            {"type": "function", "function": {"name": "f", "parameters": SCHEMA}}
        ],
        "tool_choice": "auto",
        "max_completion_tokens": 9,
        "stop": ["X"],
    }
    assert body(read_prompt(call(**asked))) == {"model": "up", **asked}


def test_thoughts_alone_are_no_message() -> None:
    assert written(turn("assistant", Reasoning(text="Hm."))) == []


@pytest.mark.parametrize(("model", "told"), [("gpt-5.2", "high"), ("llama", None)])
def test_only_who_thinks_is_told_how_hard(model: str, told: str | None) -> None:
    asked = Prompt(turns=(), thinking=Thinking(effort="high"))
    assert body(asked, target(model)).get("reasoning_effort") == told


def test_pictures_come_after_the_results_of_all_turns() -> None:
    picture = Image(data="aGk=", media_type="image/png")
    messages = written(
        turn("tool", ToolResult(call_id="a", parts=(picture,))),
        turn("tool", ToolResult(call_id="b", parts=(Text(text="7"),))),
        turn("user", Text(text="And?")),
    )
    assert [message["role"] for message in messages] == ["tool", "tool", "user", "user"]
