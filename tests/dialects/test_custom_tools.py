import json

import pytest
from msgspec import Raw

from lightweight.dialects.custom_tools import as_function, call_as_function, input_of
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
