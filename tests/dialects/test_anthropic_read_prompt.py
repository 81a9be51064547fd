import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from support.messages import HELLO, prompt

from lightweight.dialects.seals import Carried, with_carried, wrapped
from lightweight.errors import BadRequest
from lightweight.prompts import (
    File,
    Image,
    JsonFormat,
    Part,
    Reasoning,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)

MARK = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
PNG = {"type": "base64", "media_type": "image/png", "data": "iVBO"}
SCHEMA = {"type": "object", "properties": {"x": {"type": "number"}}}


def turns(role: str, content: Any) -> tuple[Turn, ...]:
    return prompt(messages=[{"role": role, "content": content}]).turns


def raw(value: object) -> Raw:
    return Raw(json.dumps(value).encode())


def test_plain_words() -> None:
    assert prompt(system="Be brief.").turns == (
        Turn(role="system", parts=(Text(text="Be brief."),)),
        Turn(role="user", parts=(Text(text="hi"),)),
    )


def test_system_blocks_and_messages() -> None:
    assert prompt(
        system=[{"type": "text", "text": "a", **MARK}, {"type": "text", "text": "b"}],
        messages=[*HELLO, {"role": "system", "content": "c"}],
    ).turns == (
        Turn(role="system", parts=(Text(text="a", cached=True), Text(text="b"))),
        Turn(role="user", parts=(Text(text="hi"),)),
        Turn(role="system", parts=(Text(text="c"),)),
    )


USERS: list[tuple[dict[str, Any], Part]] = [
    ({"type": "text", "text": "a", **MARK}, Text(text="a", cached=True)),
    (
        {"type": "image", "source": {"type": "url", "url": "https://x"}},
        Image(url="https://x"),
    ),
    (
        {"type": "image", "source": PNG, **MARK},
        Image(data="iVBO", media_type="image/png", cached=True),
    ),
    (
        {"type": "document", "source": {**PNG, "media_type": "application/pdf"}},
        File(data="iVBO", media_type="application/pdf"),
    ),
    (
        {"type": "document", "source": {"type": "url", "url": "u"}, "title": "t"},
        File(url="u", name="t"),
    ),
    (
        {
            "type": "document",
            "source": {"type": "text", "media_type": "text/plain", "data": "Hü"},
        },
        File(data=base64.b64encode("Hü".encode()).decode(), media_type="text/plain"),
    ),
]


@pytest.mark.parametrize(("block", "part"), USERS)
def test_what_a_user_says(block: dict[str, Any], part: Part) -> None:
    assert turns("user", [block]) == (Turn(role="user", parts=(part,)),)


FOREIGN = Reasoning(seal="enc", sealed_by="openai_responses", id="rs_1")
SPOKEN: list[tuple[dict[str, Any], Part]] = [
    (
        {"type": "thinking", "thinking": "Hm", "signature": "sig"},
        Reasoning(text="Hm", seal="sig", sealed_by="anthropic"),
    ),
    ({"type": "thinking", "thinking": "Hm", "signature": ""}, Reasoning(text="Hm")),
    (
        {"type": "thinking", "thinking": "Hm", "signature": wrapped(FOREIGN)},
        Reasoning(text="Hm", seal="enc", sealed_by="openai_responses", id="rs_1"),
    ),
    (
        {"type": "redacted_thinking", "data": "x"},
        Reasoning(seal="x", sealed_by="anthropic", redacted=True),
    ),
    ({"type": "redacted_thinking", "data": wrapped(FOREIGN)}, FOREIGN),
    (
        {"type": "tool_use", "id": "t", "name": "f", "input": {"x": 1}, **MARK},
        ToolCall(id="t", name="f", arguments='{"x": 1}', cached=True),
    ),
    (
        {
            "type": "tool_use",
            "id": with_carried("t", Carried(seal="gem", sealed_by="gemini")),
            "name": "f",
            "input": {},
        },
        ToolCall(id="t", name="f", arguments="{}", seal="gem"),
    ),
]


@pytest.mark.parametrize(("block", "part"), SPOKEN)
def test_what_the_model_said(block: dict[str, Any], part: Part) -> None:
    assert turns("assistant", [block]) == (Turn(role="assistant", parts=(part,)),)


def test_thoughts_that_an_id_carried_stand_before_its_call() -> None:
    thought = Reasoning(text="Hm", seal="s", sealed_by="gemini")
    shown = with_carried("t", Carried(thoughts=(thought,)))
    (turn,) = turns(
        "assistant", [{"type": "tool_use", "id": shown, "name": "f", "input": {}}]
    )
    assert turn.parts == (thought, ToolCall(id="t", name="f", arguments="{}"))


def result(**more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": "t", **more}


def test_results_are_a_turn_of_their_own() -> None:
    shown = with_carried("t", Carried(seal="gem", sealed_by="gemini"))
    content = [
        result(content="a", is_error=True),
        result(tool_use_id=shown, content=[{"type": "image", "source": PNG}], **MARK),
        {"type": "text", "text": "go on"},
        result(),
    ]
    image = Image(data="iVBO", media_type="image/png")
    assert turns("user", content) == (
        Turn(
            role="tool",
            parts=(
                ToolResult(call_id="t", parts=(Text(text="a"),), error=True),
                ToolResult(call_id="t", parts=(image,), cached=True),
            ),
        ),
        Turn(role="user", parts=(Text(text="go on"),)),
        Turn(role="tool", parts=(ToolResult(call_id="t", parts=()),)),
    )


def test_results_have_texts_images_and_documents() -> None:
    inner = [
        {"type": "text", "text": "a"},
        {"type": "document", "source": {"type": "url", "url": "u"}},
    ]
    (turn,) = turns("user", [result(content=inner)])
    assert turn.parts == (
        ToolResult(call_id="t", parts=(Text(text="a"), File(url="u"))),
    )


def test_tools() -> None:
    told = {"name": "f", "input_schema": SCHEMA}
    read = prompt(
        tools=[
            {**told, "type": "custom", "description": "d", "strict": True, **MARK},
            told,
        ]
    )
    assert read.tools == (
        Tool(
            name="f",
            description="d",
            parameters=raw(SCHEMA),
            strict=True,
            cached=True,
        ),
        Tool(name="f", parameters=raw(SCHEMA)),
    )


@pytest.mark.parametrize(
    ("told", "choice"),
    [
        ({"type": "auto"}, ToolChoice(mode="auto")),
        ({"type": "any"}, ToolChoice(mode="required")),
        ({"type": "none"}, ToolChoice(mode="none")),
        ({"type": "tool", "name": "f"}, ToolChoice(mode="named", name="f")),
    ],
)
def test_tool_choice(told: dict[str, Any], choice: ToolChoice) -> None:
    assert prompt(tool_choice=told).tool_choice == choice
    assert prompt(tool_choice=told).parallel is None
    told["disable_parallel_tool_use"] = True
    assert prompt(tool_choice=told).parallel is False


@pytest.mark.parametrize(
    ("told", "thinking"),
    [
        ({}, None),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 31999}},
            Thinking(enabled=True, budget=31999),
        ),
        (
            {
                "thinking": {"type": "adaptive", "display": "omitted"},
                "output_config": {"effort": "high"},
            },
            Thinking(enabled=True, effort="high", shown=False),
        ),
        ({"output_config": {"effort": "low"}}, Thinking(effort="low")),
        (
            {"thinking": {"type": "disabled"}, "output_config": {"effort": "high"}},
            Thinking(enabled=False),
        ),
    ],
)
def test_thinking(told: dict[str, Any], thinking: Thinking | None) -> None:
    assert prompt(**told).thinking == thinking


def test_tuning() -> None:
    read = prompt(
        temperature=0.5,
        top_p=1,
        top_k=7,
        stop_sequences=["a", "b"],
        metadata={"user_id": "u"},
        output_config={"format": {"type": "json_schema", "schema": SCHEMA}},
    )
    assert (read.max_tokens, read.temperature, read.top_p, read.top_k) == (
        100,
        0.5,
        1,
        7,
    )
    assert (read.stop, read.user) == (("a", "b"), "u")
    assert read.format == JsonFormat(schema=raw(SCHEMA))


def test_what_has_no_word_is_kept() -> None:
    read = prompt(container="c", stream=False, context_management={"edits": []})
    assert set(read.rest) == {"container", "context_management"}


REFUSED: list[tuple[dict[str, Any], str]] = [
    (
        {"messages": [*HELLO, {"role": "user", "content": [{"type": "audio"}]}]},
        "messages[1].content[0].type",
    ),
    ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content"),
    ({"messages": [{"role": "user"}]}, "messages[0]"),
    (
        {"messages": [{"role": "user", "content": [{"type": "text", "text": 7}]}]},
        "messages[0].content[0].text",
    ),
    (
        {
            "messages": [
                {"role": "user", "content": [{"type": "thinking", "thinking": "x"}]}
            ]
        },
        "messages[0].content[0].type",
    ),
    (
        {"messages": [{"role": "assistant", "content": [result()]}]},
        "messages[0].content[0].type",
    ),
    ({"tools": [{"type": "web_search_20250305", "name": "w"}]}, "tools[0].type"),
    ({"tools": [{"name": "w"}]}, "tools[0]"),
    ({"tool_choice": {"type": "tool"}}, "tool_choice.name"),
    ({"tool_choice": "auto"}, "tool_choice"),
    ({"thinking": {"type": "much"}}, "thinking.type"),
    ({"temperature": 1.5}, "temperature"),
    ({"stop_sequences": "a"}, "stop_sequences"),
    ({"system": {"type": "text"}}, "system"),
]


@pytest.mark.parametrize(("told", "param"), REFUSED)
def test_the_blame_names_the_place(told: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        prompt(**told)
    assert caught.value.param == param


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["text", "t", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "text", "source", "id", "name", "input", "content"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON, JSON, JSON)
def test_any_request_is_a_prompt_or_the_clients_fault(
    content: Any, tools: Any, thinking: Any
) -> None:
    messages = [{"role": "user", "content": content}]
    try:
        prompt(messages=messages, tools=tools, thinking=thinking, system=content)
    except BadRequest as fault:
        assert fault.param
