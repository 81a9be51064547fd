import json
from typing import Any

import pytest
from msgspec import Raw

from lightweight.dialects.openai_responses_tools import (
    flat_name,
    namespaces,
    read_choice,
    read_tools,
    repeated_tools,
)
from lightweight.errors import BadRequest
from lightweight.prompts import Tool, ToolChoice

SCHEMA = {"type": "object", "properties": {}}


def fields(**members: Any) -> dict[str, Raw]:
    return {name: Raw(json.dumps(value).encode()) for name, value in members.items()}


def read(*tools: Any) -> tuple[Tool, ...]:
    return read_tools(fields(tools=list(tools)))


def names(*tools: Any) -> list[str]:
    return [tool.name for tool in read(*tools)]


FLAT = {"type": "function", "name": "f", "description": "Does.", "parameters": SCHEMA}
NESTED = {"type": "function", "function": {"name": "g", "strict": True}}
GRAMMAR = {"type": "grammar", "syntax": "lark", "definition": "start: X"}
CUSTOM = {"type": "custom", "name": "p", "format": GRAMMAR}
SPACE = {
    "type": "namespace",
    "name": "mcp__mail",
    "description": "Mail.",
    "tools": [{"type": "function", "name": "send", "parameters": SCHEMA}],
}


def test_flat_nested_custom_and_spaced_tools_mixed() -> None:
    flat, nested, custom, spaced = read(FLAT, NESTED, CUSTOM, SPACE)
    assert (flat.name, flat.description, flat.strict) == ("f", "Does.", None)
    assert json.loads(bytes(flat.parameters or b"")) == SCHEMA
    assert nested == Tool(name="g", strict=True)
    assert (custom.name, custom.custom) == ("p", True)
    assert json.loads(bytes(custom.format or b"")) == GRAMMAR
    assert spaced.name == "mcp__mail__send"


@pytest.mark.parametrize("none", [None, []])
def test_no_tools(none: Any) -> None:
    assert read_tools(fields(tools=none)) == ()
    assert read_tools({}) == ()


def test_what_agents_offer_unasked_is_left_out() -> None:
    offered = ["web_search", "web_search_preview_2025_03_11", "tool_search"]
    assert names(*({"type": kind} for kind in offered), FLAT) == ["f"]


@pytest.mark.parametrize(
    ("tool", "param"),
    [
        ({"type": "file_search", "vector_store_ids": []}, "tools[1].type"),
        ({"type": "mcp", "tools": 7}, "tools[1].type"),
        ({"type": "function"}, "tools[1].name"),
        ({"type": "function", "name": 7}, "tools[1].name"),
        (7, "tools[1]"),
        ({"type": "namespace", "name": "n", "tools": [{}]}, "tools[1].tools[0].name"),
    ],
)
def test_what_cannot_be_translated(tool: Any, param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read(FLAT, tool)
    assert caught.value.param == param


def test_long_names_stay_apart() -> None:
    one, other = (flat_name("mcp__a_long_server_name", f"{'x' * 60}{n}") for n in "12")
    assert len(one) == len(other) == 64
    assert one != other
    assert flat_name(None, "x" * 70) == "x" * 70


def test_names_find_their_space_again() -> None:
    known = namespaces(fields(tools=[FLAT, SPACE]))
    assert known == {"mcp__mail__send": ("mcp__mail", "send")}


def choose(choice: Any) -> Any:
    tools = read(FLAT, NESTED, CUSTOM)
    return read_choice(fields(tool_choice=choice), tools)


@pytest.mark.parametrize("mode", ["auto", "none", "required"])
def test_choices(mode: Any) -> None:
    choice, tools = choose(mode)
    assert choice == ToolChoice(mode=mode)
    assert len(tools) == 3


@pytest.mark.parametrize(
    "named",
    [
        {"type": "function", "name": "f"},
        {"type": "function", "function": {"name": "f"}},
        {"type": "custom", "name": "f"},
    ],
)
def test_a_named_tool(named: Any) -> None:
    assert choose(named)[0] == ToolChoice(mode="named", name="f")


def test_allowed_tools() -> None:
    allowed = {
        "type": "allowed_tools",
        "mode": "required",
        "tools": [{"type": "function", "name": "g"}],
    }
    choice, tools = choose(allowed)
    assert choice == ToolChoice(mode="required")
    assert [tool.name for tool in tools] == ["g"]


def test_no_choice() -> None:
    assert choose(None)[0] is None


@pytest.mark.parametrize("odd", ["any", {"type": "web_search"}, {"type": "function"}])
def test_a_choice_that_cannot_be_translated(odd: Any) -> None:
    with pytest.raises(BadRequest) as caught:
        choose(odd)
    assert caught.value.param == "tool_choice"


@pytest.mark.parametrize("odd", [b"{}", b"[1]", b'"x"', b"[{}]"])
def test_tools_that_are_none_are_repeated_as_they_are(odd: bytes) -> None:
    assert bytes(repeated_tools(Raw(odd))) == odd
