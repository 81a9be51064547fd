"""How a Prompt's wish for thoughts is said to a Claude model, and how long it may talk.

Platform docs, "Thinking" and "Effort". From 4.6 on thinking is adaptive, with
``output_config.effort``. Before, it is a budget of at least 1024 tokens, at most half
of ``max_tokens``, which thoughts and answer share. Without room for that, with a forced
tool, or where the thoughts before open tool calls are lost (the API refuses all three),
there is none.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

from lightweight.dialects.anthropic_models import (
    Abilities,
    abilities_of,
    always_thinks,
)
from lightweight.dialects.anthropic_turns import waits_for_thoughts
from lightweight.prompts import Prompt, Thinking

Json: TypeAlias = dict[str, Any]

BUDGETS: Mapping[str, int] = {
    "minimal": 1024,
    "low": 2048,
    "medium": 4096,
    "high": 8192,
    "xhigh": 16384,
    "max": 32768,
}
"""Tokens of thought for each effort, where a model counts them."""

LEAST_BUDGET = 1024
"""Fewer the API refuses."""

_OFF: Json = {"thinking": {"type": "disabled"}}


def thinking_of(prompt: Prompt, model: str) -> Json:
    """Give ``max_tokens`` and, where thoughts are wished for, how to think."""
    can = abilities_of(model)
    most = can.answer if prompt.max_tokens is None else prompt.max_tokens
    told = prompt.thinking
    written: Json = {"max_tokens": most}
    if told is None or can.thinking == "none":
        return written
    if can.thinking == "adaptive":
        return written | _adaptive(told, model, can)
    budget = _budget(told, most)
    if budget < LEAST_BUDGET or _forced(prompt) or waits_for_thoughts(prompt.turns):
        return written
    return written | {"thinking": {"type": "enabled", "budget_tokens": budget}}


def thinks(written: Json) -> bool:
    """Whether a request turns thinking on."""
    return "thinking" in written and written["thinking"] != _OFF["thinking"]


def _is_off(told: Thinking) -> bool:
    return told.enabled is False or told.effort == "none" or told.budget == 0


def _adaptive(told: Thinking, model: str, can: Abilities) -> Json:
    if _is_off(told):
        return {"output_config": {"effort": "low"}} if always_thinks(model) else _OFF
    display = "omitted" if told.shown is False else "summarized"
    written: Json = {"thinking": {"type": "adaptive", "display": display}}
    effort = told.effort or _effort_of(told.budget)
    if effort == "minimal":
        effort = "low"
    if effort == "xhigh" and not can.extra_high:
        effort = "high"
    if effort is not None:
        written["output_config"] = {"effort": effort}
    return written


def _effort_of(budget: int | None) -> str | None:
    """Give the effort whose budget is the next one up."""
    if budget is None:
        return None
    efforts = (effort for effort, tokens in BUDGETS.items() if tokens >= budget)
    return next(efforts, "max")


def _budget(told: Thinking, most: int) -> int:
    if _is_off(told):
        return 0
    wished = told.budget or BUDGETS.get(told.effort or "", BUDGETS["medium"])
    return min(wished, most // 2)


def _forced(prompt: Prompt) -> bool:
    choice = prompt.tool_choice
    return choice is not None and choice.mode in ("required", "named")
