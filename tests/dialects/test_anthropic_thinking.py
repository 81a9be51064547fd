from typing import Any

import pytest

from lightweight.dialects.anthropic_thinking import thinking_of, thinks
from lightweight.prompts import (
    Prompt,
    Reasoning,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)

OLD, NEW = "claude-sonnet-4-5-20250929", "claude-opus-4-6"
NEWER, ALWAYS = "claude-opus-4-7", "claude-mythos-preview"
SHOWN = {"type": "adaptive", "display": "summarized"}


def asked(model: str, thinking: Thinking | None, **more: Any) -> Any:
    more.setdefault("max_tokens", 64000)
    written = thinking_of(Prompt(turns=(), thinking=thinking, **more), model)
    assert written.pop("max_tokens") == more["max_tokens"]
    return written


def budget(tokens: int) -> Any:
    return {"thinking": {"type": "enabled", "budget_tokens": tokens}}


@pytest.mark.parametrize(
    ("model", "told", "written"),
    [
        (NEW, None, {}),
        (NEW, Thinking(enabled=True), {"thinking": SHOWN}),
        (
            NEW,
            Thinking(effort="high"),
            {"thinking": SHOWN, "output_config": {"effort": "high"}},
        ),
        (
            NEW,
            Thinking(effort="minimal"),
            {"thinking": SHOWN, "output_config": {"effort": "low"}},
        ),
        (
            NEW,
            Thinking(effort="xhigh"),
            {"thinking": SHOWN, "output_config": {"effort": "high"}},
        ),
        (
            NEWER,
            Thinking(effort="xhigh"),
            {"thinking": SHOWN, "output_config": {"effort": "xhigh"}},
        ),
        (
            NEW,
            Thinking(budget=3000),
            {"thinking": SHOWN, "output_config": {"effort": "medium"}},
        ),
        (
            NEW,
            Thinking(budget=99999),
            {"thinking": SHOWN, "output_config": {"effort": "max"}},
        ),
        (
            NEW,
            Thinking(enabled=True, shown=False),
            {"thinking": {"type": "adaptive", "display": "omitted"}},
        ),
        (NEW, Thinking(effort="none"), {"thinking": {"type": "disabled"}}),
        (NEW, Thinking(enabled=False), {"thinking": {"type": "disabled"}}),
        (NEW, Thinking(budget=0), {"thinking": {"type": "disabled"}}),
        (ALWAYS, Thinking(effort="none"), {"output_config": {"effort": "low"}}),
        (OLD, None, {}),
        (OLD, Thinking(enabled=True), budget(4096)),
        (OLD, Thinking(effort="low"), budget(2048)),
        (OLD, Thinking(effort="max"), budget(32000)),
        (OLD, Thinking(budget=9000), budget(9000)),
        (OLD, Thinking(budget=500), {}),
        (OLD, Thinking(effort="none"), {}),
        (OLD, Thinking(enabled=False, budget=9000), {}),
        ("claude-3-5-haiku-20241022", Thinking(effort="high"), {}),
    ],
)
def test_how_to_think_is_said(
    model: str, told: Thinking | None, written: dict[str, Any]
) -> None:
    assert asked(model, told) == written
    assert thinks(written) == (
        written.get("thinking", {}).get("type") in {"enabled", "adaptive"}
    )


def test_a_limit_where_the_client_names_none() -> None:
    assert thinking_of(Prompt(turns=()), OLD) == {"max_tokens": 32000}
    assert thinking_of(Prompt(turns=()), "claude-3-5-haiku") == {"max_tokens": 8192}


def test_a_budget_leaves_room_for_the_answer() -> None:
    assert asked(OLD, Thinking(effort="high"), max_tokens=6000) == budget(3000)
    assert asked(OLD, Thinking(effort="high"), max_tokens=2000) == {}


@pytest.mark.parametrize("mode", ["required", "named"])
def test_a_forced_tool_excludes_a_budget_alone(mode: Any) -> None:
    choice = ToolChoice(mode=mode, name="f")
    told = Thinking(enabled=True)
    assert asked(OLD, told, tool_choice=choice) == {}
    assert asked(OLD, told, tool_choice=ToolChoice(mode="auto")) == budget(4096)
    assert asked(NEW, told, tool_choice=choice) == {"thinking": SHOWN}


def test_lost_thoughts_exclude_a_budget_alone() -> None:
    call = ToolCall(id="t", name="f", arguments="{}")
    own = Reasoning(text="Hm", seal="s", sealed_by="anthropic")
    results = Turn(role="tool", parts=(ToolResult(call_id="t", parts=()),))
    lost = (Turn(role="assistant", parts=(call,)), results)
    kept = (Turn(role="assistant", parts=(own, call)), results)
    told = Thinking(effort="medium")
    assert "thinking" not in thinking_of(Prompt(turns=lost, thinking=told), OLD)
    assert "thinking" in thinking_of(Prompt(turns=kept, thinking=told), OLD)
    assert "thinking" in thinking_of(Prompt(turns=lost, thinking=told), NEW)
