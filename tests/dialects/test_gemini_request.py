"""A Prompt as Gemini's request: each mapping, and what is refused."""

import json
from typing import Any

import pytest
from msgspec import Raw
from support.chat import call, stream_call
from support.gemini import DIALECT, target
from support.gemini_schema import request_errors

from lightweight.dialects.openai_chat_prompt import read_prompt
from lightweight.errors import BadRequest
from lightweight.prompts import (
    JsonFormat,
    Prompt,
    Text,
    Thinking,
    Tool,
    ToolChoice,
    Turn,
)
from lightweight.records import Target

HI = Turn(role="user", parts=(Text(text="Hi"),))
SCHEMA = b'{"type" : "object","properties":{"a":{"const":1}}}'


def body(made: Prompt, to: Target | None = None) -> Any:
    sent = json.loads(DIALECT.write_prompt(made, call(), to or target()).body)
    assert request_errors(sent) == []
    return sent


def prompt(**fields: Any) -> Prompt:
    return Prompt(turns=(HI,), **fields)


def config(**fields: Any) -> Any:
    return body(prompt(**fields))["generationConfig"]


def test_where_it_goes() -> None:
    made = DIALECT.write_prompt(prompt(), call(), target("gemini-3-flash"))
    assert (made.path, made.stream) == ("/models/gemini-3-flash:generateContent", False)
    assert json.loads(made.body) == {
        "contents": [{"role": "user", "parts": [{"text": "Hi"}]}]
    }
    made = DIALECT.write_prompt(prompt(), stream_call(), target("tunedModels/a b"))
    assert made.path == "/tunedModels/a%20b:streamGenerateContent?alt=sse"
    assert made.stream
    assert made.headers["accept"] == "text/event-stream"


def test_how_it_is_tuned() -> None:
    made = config(
        max_tokens=9,
        temperature=1.5,
        top_p=0.5,
        top_k=4,
        stop=("a", "b"),
        rest={
            "n": Raw(b"2"),
            "seed": Raw(b"7"),
            "presence_penalty": Raw(b"0.5"),
            "frequency_penalty": Raw(b"-1"),
        },
    )
    assert made == {
        "maxOutputTokens": 9,
        "temperature": 1.5,
        "topP": 0.5,
        "topK": 4,
        "stopSequences": ["a", "b"],
        "candidateCount": 2,
        "seed": 7,
        "presencePenalty": 0.5,
        "frequencyPenalty": -1,
    }


def test_json_with_and_without_a_schema() -> None:
    assert config(format=JsonFormat()) == {"responseMimeType": "application/json"}
    assert config(format=JsonFormat(schema=Raw(SCHEMA), name="n", strict=True)) == {
        "responseMimeType": "application/json",
        "responseJsonSchema": json.loads(SCHEMA),
    }


@pytest.mark.parametrize(
    ("schema", "made"),
    [
        ({"$schema": "x", "type": "object"}, {"type": "object"}),
        (
            {"properties": {"$schema": {}}},
            {"type": "object", "properties": {"$schema": {}}},
        ),
        ({}, {"type": "object"}),
        (5, 5),
    ],
)
def test_schemas_are_of_objects(schema: Any, made: Any) -> None:
    tool = Tool(name="f", parameters=Raw(json.dumps(schema).encode()))
    (declared,) = body(prompt(tools=(tool,)))["tools"][0]["functionDeclarations"]
    assert declared["parametersJsonSchema"] == made


def test_tools_keep_their_schemas_untouched() -> None:
    made = DIALECT.write_prompt(
        prompt(
            tools=(
                Tool(name="f", description="d", parameters=Raw(SCHEMA), strict=True),
                Tool(name="g"),
                Tool(name="p", custom=True),
            )
        ),
        call(),
        target(),
    ).body
    assert b'"parametersJsonSchema":' + SCHEMA in made
    first, second, third = json.loads(made)["tools"][0]["functionDeclarations"]
    assert set(first) == {"name", "description", "parametersJsonSchema"}
    assert second == {"name": "g"}
    assert third["parametersJsonSchema"]["required"] == ["input"]


@pytest.mark.parametrize(
    ("choice", "made"),
    [
        (ToolChoice(mode="auto"), {"mode": "AUTO"}),
        (ToolChoice(mode="none"), {"mode": "NONE"}),
        (ToolChoice(mode="required"), {"mode": "ANY"}),
        (
            ToolChoice(mode="named", name="f"),
            {"mode": "ANY", "allowedFunctionNames": ["f"]},
        ),
    ],
)
def test_which_tool_must_be_called(choice: ToolChoice, made: Any) -> None:
    sent = body(prompt(tools=(Tool(name="f"),), tool_choice=choice))
    assert sent["toolConfig"] == {"functionCallingConfig": made}
    assert "toolConfig" not in body(prompt(tool_choice=choice))


def test_thinking_is_asked_for() -> None:
    assert config(thinking=Thinking(effort="high")) == {
        "thinkingConfig": {"thinkingLevel": "HIGH", "includeThoughts": True}
    }


def test_a_chat_call_crosses() -> None:
    asked = call(
        messages=[
            {"role": "system", "content": "S"},
            {"role": "user", "content": "Hi"},
        ],
        seed=3,
        user="u",
        store=True,
        parallel_tool_calls=False,
    )
    assert body(read_prompt(asked)) == {
        "systemInstruction": {"parts": [{"text": "S"}]},
        "contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
        "generationConfig": {"seed": 3},
    }


@pytest.mark.parametrize("field", ["logprobs", "logit_bias", "modalities"])
def test_what_has_no_counterpart_is_refused_by_name(field: str) -> None:
    with pytest.raises(BadRequest) as caught:
        body(prompt(rest={field: Raw(b'{"1":2}')}))
    assert (caught.value.param, caught.value.code) == (field, "unsupported_parameter")


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(BadRequest) as caught:
        body(prompt(rest={"seed": Raw(b'"x"')}))
    assert caught.value.param == "seed"
