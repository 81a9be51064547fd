import json
from typing import Any

import pytest
from support.messages import HELLO, call

from lightweight.dialects.anthropic_history import without_foreign_thoughts
from lightweight.dialects.seals import wrapped
from lightweight.prompts import Reasoning

FOREIGN = wrapped(Reasoning(seal="enc", sealed_by="openai_responses"))
THOUGHT = {"type": "thinking", "thinking": "Hm", "signature": FOREIGN}
REDACTED = {"type": "redacted_thinking", "data": FOREIGN}
OWN = {"type": "thinking", "thinking": "Hm", "signature": "sig"}
TEXT = {"type": "text", "text": "Hi"}
CALL = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
RESULT = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t"}]}
BUDGET = {"type": "enabled", "budget_tokens": 2000}


def kept(*content: Any, **more: Any) -> Any:
    messages = [*HELLO, {"role": "assistant", "content": [*content]}, RESULT]
    fields = without_foreign_thoughts(call(messages=messages, **more).fields)
    return {name: json.loads(bytes(raw)) for name, raw in fields.items()}


@pytest.mark.parametrize("foreign", [THOUGHT, REDACTED])
def test_what_others_thought_is_left_out(foreign: Any) -> None:
    assert kept(foreign, TEXT)["messages"][1]["content"] == [TEXT]


def test_claudes_own_thoughts_stay() -> None:
    assert kept(OWN, TEXT)["messages"][1]["content"] == [OWN, TEXT]
    made = call(messages=[*HELLO, {"role": "assistant", "content": [OWN]}])
    assert without_foreign_thoughts(made.fields) == made.fields


def test_a_text_that_only_speaks_of_a_seal_stays() -> None:
    text = {"type": "text", "text": FOREIGN}
    assert kept(text)["messages"][1]["content"] == [text]
    assert kept(THOUGHT, text)["messages"][1]["content"] == [text]


def test_a_message_of_such_thoughts_alone_goes() -> None:
    assert kept(THOUGHT)["messages"] == [*HELLO, RESULT]


def test_a_budget_is_turned_off_where_the_last_thoughts_are_gone() -> None:
    assert "thinking" not in kept(THOUGHT, CALL, thinking=BUDGET)
    assert kept(OWN, CALL, thinking=BUDGET)["thinking"] == BUDGET
    adaptive = {"type": "adaptive"}
    assert kept(THOUGHT, CALL, thinking=adaptive)["thinking"] == adaptive


def test_earlier_turns_do_not_matter_for_that() -> None:
    messages = [
        {"role": "assistant", "content": [THOUGHT, CALL]},
        RESULT,
        {"role": "assistant", "content": [OWN, TEXT]},
    ]
    fields = without_foreign_thoughts(call(messages=messages, thinking=BUDGET).fields)
    assert "thinking" in fields


def test_odd_content_is_the_providers_to_judge() -> None:
    for content in (FOREIGN, {"x": FOREIGN}, [FOREIGN], [{"type": 1, "x": FOREIGN}]):
        messages = [{"role": "assistant", "content": content}]
        made = call(messages=messages, thinking=7)
        fields = without_foreign_thoughts(made.fields)
        assert json.loads(bytes(fields["messages"])) == messages
