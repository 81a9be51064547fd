import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.chat import call as chat_call
from support.responses import DIALECT, call, target

from lightweight.dialects.openai_chat_prompt import read_prompt as read_chat
from lightweight.dialects.openai_chat_provider import write_prompt as write_chat
from lightweight.errors import BadRequest, ClientFault
from lightweight.prompts import (
    JsonFormat,
    Prompt,
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


def read(**fields: Any) -> Prompt:
    return DIALECT.read_prompt(call(**fields))


def test_everything_said() -> None:
    prompt = read(
        instructions="Be brief.",
        tools=[{"type": "function", "name": "f", "strict": False}],
        tool_choice="required",
        parallel_tool_calls=False,
        max_output_tokens=99,
        temperature=0.5,
        top_p=0.9,
        text={"format": {"type": "text"}, "verbosity": "low"},
        reasoning={"effort": "high", "summary": "auto"},
        user="u",
        stream=True,
        stream_options={"include_obfuscation": False},
        metadata={"a": "b"},
        truncation=None,
        new=1,
    )
    rest = {name: bytes(raw) for name, raw in prompt.rest.items()}
    assert rest == {"metadata": b'{"a": "b"}', "new": b"1"}
    assert prompt == Prompt(
        turns=(
            Turn(role="system", parts=(Text(text="Be brief."),)),
            Turn(role="user", parts=(Text(text="hi"),)),
        ),
        tools=(Tool(name="f", strict=False),),
        tool_choice=ToolChoice(mode="required"),
        parallel=False,
        max_tokens=99,
        temperature=0.5,
        top_p=0.9,
        verbosity="low",
        thinking=Thinking(effort="high", shown=True),
        user="u",
        rest=prompt.rest,
    )


@pytest.mark.parametrize(
    ("told", "format_"),
    [
        (None, None),
        ({"type": "text"}, None),
        ({"type": "json_object"}, JsonFormat()),
    ],
)
def test_formats(told: Any, format_: JsonFormat | None) -> None:
    assert read(text={"format": told}).format == format_


def test_a_schema() -> None:
    told = {"type": "json_schema", "name": "n", "schema": SCHEMA, "strict": True}
    made = read(text={"format": told}).format
    assert made is not None
    assert (made.name, made.strict) == ("n", True)
    assert json.loads(bytes(made.schema or b"")) == SCHEMA


@pytest.mark.parametrize(
    ("told", "thinking"),
    [
        (None, None),
        ({}, None),
        ({"effort": None, "summary": None}, None),
        ({"effort": "low"}, Thinking(effort="low", shown=False)),
        ({"summary": "auto"}, Thinking(shown=True)),
    ],
)
def test_thinking(told: Any, thinking: Thinking | None) -> None:
    assert read(reasoning=told).thinking == thinking


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"temperature": "hot"}, "temperature"),
        ({"text": {"format": {"type": "xml"}}}, "text.format.type"),
        ({"text": {"verbosity": 7}}, "text.verbosity"),
        ({"reasoning": {"effort": 7}}, "reasoning.effort"),
        ({"instructions": 7}, "instructions"),
        ({"input": [{"role": "user"}, {"role": 7}]}, "input[1].role"),
    ],
)
def test_the_blame_is_exact(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read(**fields)
    assert caught.value.param == param


# -- there and back ----------------------------------------------------------------

WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
TEXTS = st.builds(Text, text=WORDS)
CALLS = st.builds(
    ToolCall,
    id=st.uuids().map(lambda each: f"call_{each.hex}"),
    name=st.sampled_from(["f", "g"]),
    arguments=st.sampled_from(["{}", '{"a":1}']),
)


@st.composite
def rounds(draw: st.DrawFn) -> list[Turn]:
    """Make what one round of a conversation with tools says."""
    calls = draw(st.lists(CALLS, max_size=2))
    words = draw(TEXTS)
    turns = [
        Turn(role="user", parts=(draw(TEXTS),)),
        Turn(role="assistant", parts=(words, *calls)),
    ]
    if calls:
        results = [ToolResult(call_id=each.id, parts=(draw(TEXTS),)) for each in calls]
        turns.append(Turn(role="tool", parts=tuple(results)))
    return turns


CONVERSATIONS = st.lists(rounds(), min_size=1, max_size=3).map(
    lambda made: tuple(turn for each in made for turn in each)
)


@given(CONVERSATIONS)
def test_a_conversation_keeps_its_meaning(turns: tuple[Turn, ...]) -> None:
    prompt = Prompt(turns=turns, tools=(Tool(name="f"),), max_tokens=99)
    there = DIALECT.write_prompt(prompt, chat_call(), target("gpt-4o"))
    back = read(**json.loads(there.body))
    assert back.turns == turns
    assert (back.max_tokens, len(back.tools)) == (99, 1)


@given(CONVERSATIONS)
def test_chat_to_responses_and_back_to_chat(turns: tuple[Turn, ...]) -> None:
    to_chat = Target(provider="p", model="m", dialect="openai_chat")
    chat = json.loads(write_chat(Prompt(turns=turns), chat_call(), to_chat).body)
    first = read_chat(chat_call(**chat))
    there = DIALECT.write_prompt(first, chat_call(), target("gpt-4o"))
    second = read(**json.loads(there.body))
    again = json.loads(write_chat(second, chat_call(), to_chat).body)
    assert again["messages"] == chat["messages"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["function", "x", "f"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "content", "name", "role", "tools", "format"]),
            inner,
        )
    ),
    max_leaves=12,
)


@given(
    st.dictionaries(
        st.sampled_from(
            ["input", "tools", "tool_choice", "text", "reasoning", "top_p"]
        ),
        JSON,
    )
)
def test_any_request_is_a_prompt_or_a_fault(fields: dict[str, Any]) -> None:
    with suppress(ClientFault):
        DIALECT.write_prompt(read(**fields), chat_call(), target())
