"""How much to think, in Gemini's words.

Gemini API reference, ``ThinkingConfig``. Efforts become budgets as Google's own
OpenAI-compatible endpoint makes them; a budget becomes a level by the same figures.
Where thinking cannot be turned off the least of it is asked for. A model without
thoughts is asked without any of this.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

from lightweight.dialects.gemini_models import Abilities, Level
from lightweight.prompts import Thinking

_Json: TypeAlias = dict[str, Any]

_LEVELS: Mapping[str, Level] = {
    "low": "LOW",
    "medium": "MEDIUM",
    "high": "HIGH",
    "xhigh": "HIGH",
    "max": "HIGH",
}
_BUDGETS = {"minimal": 1024, "low": 1024, "medium": 8192}
_OFF = ("none", "minimal")


def thinking_of(wanted: Thinking | None, can: Abilities) -> _Json | None:
    """Give ``thinkingConfig``; None where there is nothing to say."""
    if wanted is None or can.thinking == "none":
        return None
    amount = (
        _level(wanted, can)
        if can.thinking == "level"
        else _budget(wanted, can.least, can.most)
    )
    off = wanted.enabled is False or wanted.effort == "none" or wanted.budget == 0
    shown = not off if wanted.shown is None else wanted.shown
    return {**amount, "includeThoughts": shown}


def _level(wanted: Thinking, can: Abilities) -> _Json:
    if wanted.enabled is False or wanted.effort in _OFF:
        return {"thinkingLevel": can.lowest}
    if wanted.effort is not None:
        return {"thinkingLevel": _LEVELS.get(wanted.effort, "HIGH")}
    if wanted.budget is None:
        return {}
    if wanted.budget == 0:
        return {"thinkingLevel": can.lowest}
    if wanted.budget <= _BUDGETS["low"]:
        return {"thinkingLevel": "LOW"}
    medium = wanted.budget <= _BUDGETS["medium"]
    return {"thinkingLevel": "MEDIUM" if medium else "HIGH"}


def _budget(wanted: Thinking, least: int, most: int) -> _Json:
    if wanted.enabled is False or wanted.effort == "none":
        return {"thinkingBudget": least}
    if wanted.budget is not None:
        return {"thinkingBudget": min(max(wanted.budget, least), most)}
    if wanted.effort is not None:
        return {"thinkingBudget": _BUDGETS.get(wanted.effort, most)}
    return {}
