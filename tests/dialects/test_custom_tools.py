import json
from typing import Any

import pytest
from msgspec import Raw
from support.chat import call

from lightweight.dialects.custom_tools import (
    Restored,
    as_function,
    call_as_function,
    custom_names,
    input_of,
)
from lightweight.events import Event, Finished, TextDelta, ToolCallDelta
from lightweight.prompts import Tool, ToolCall


def test_a_custom_tool_becomes_a_function_with_one_text() -> None:
    grammar = Raw(b'{"type":"grammar","syntax":"lark","definition":"start: X"}')
    tool = as_function(Tool(name="patch", custom=True, format=grammar))
    assert not tool.custom
    assert tool.format is None
    assert "start: X" in (tool.description or "")
    schema = json.loads(bytes(tool.parameters or b""))
    assert schema["required"] == ["input"]


def test_a_custom_tool_without_words_has_none_made_up() -> None:
    assert as_function(Tool(name="patch", custom=True)).description is None


def test_a_call_goes_there_and_back() -> None:
    said = ToolCall(id="c", name="patch", arguments='*** "Begin"\n', custom=True)
    sent = call_as_function(said)
    assert not sent.custom
    assert input_of(sent.arguments) == said.arguments


@pytest.mark.parametrize("odd", ["plain", "[1]", '{"other":1}', '{"input":7}', ""])
def test_arguments_of_another_form_are_the_input(odd: str) -> None:
    assert input_of(odd) == odd


@pytest.mark.parametrize(
    ("tools", "names"),
    [
        ([{"type": "custom", "name": "p"}, {"type": "function", "name": "f"}], {"p"}),
        ([{"type": "custom", "custom": {"name": "p"}}], {"p"}),
        ([{"type": "function", "function": {"name": "custom"}}], set()),
        ([{"type": "custom"}, {"type": "custom", "name": "p"}], {"p"}),
        ("custom", set()),
        (None, set()),
    ],
)
def test_which_tools_are_custom(tools: Any, names: set[str]) -> None:
    assert custom_names(call(tools=tools)) == names


def restored(*events: Event, bare: bool = False) -> list[Event]:
    filter_ = Restored(frozenset({"p"}), bare=bare)
    return [heard for event in events for heard in filter_.hear(event)]


STOP = Finished(reason="tool_calls")
PIECES = (
    ToolCallDelta(call=0, arguments='{"in', id="a", name="p"),
    ToolCallDelta(call=1, arguments="{}", id="b", name="f"),
    ToolCallDelta(call=0, arguments='put":"*** x"}'),
    STOP,
)


def test_a_function_becomes_custom_again_at_the_end_of_its_choice() -> None:
    assert restored(*PIECES) == [
        ToolCallDelta(call=0, arguments="", id="a", name="p", custom=True),
        PIECES[1],
        ToolCallDelta(call=0, arguments="*** x", custom=True),
        STOP,
    ]


def test_choices_end_by_themselves() -> None:
    begun = ToolCallDelta(call=0, arguments="raw", id="a", name="p", choice=1)
    assert len(restored(begun, STOP)) == 2
    other = Finished(reason="tool_calls", choice=1)
    held = restored(begun, STOP, other)[2]
    assert held == ToolCallDelta(call=0, arguments="raw", custom=True, choice=1)


def test_clients_that_know_functions_only_get_the_bare_text() -> None:
    custom = ToolCallDelta(call=0, arguments="raw", id="a", name="p", custom=True)
    plain = ToolCallDelta(call=0, arguments="raw", id="a", name="p")
    assert restored(custom, bare=True) == [plain]
    assert restored(*PIECES, bare=True)[2] == ToolCallDelta(call=0, arguments="*** x")


def test_everything_else_is_left_alone() -> None:
    events = (TextDelta(text="p"), PIECES[1], STOP)
    assert restored(*events) == list(events)
    custom = ToolCallDelta(call=0, arguments="raw", id="a", name="p", custom=True)
    assert restored(custom) == [custom]
