"""How much to think, by each generation of models."""

from typing import Any

import pytest

from lightweight.dialects.gemini_models import abilities_of
from lightweight.dialects.gemini_thinking import thinking_of
from lightweight.prompts import Thinking


def told(model: str, **wanted: Any) -> Any:
    return thinking_of(Thinking(**wanted), abilities_of(model))


@pytest.mark.parametrize(
    ("effort", "pro", "flash"),
    [
        ("none", "LOW", "MINIMAL"),
        ("minimal", "LOW", "MINIMAL"),
        ("low", "LOW", "LOW"),
        ("medium", "MEDIUM", "MEDIUM"),
        ("high", "HIGH", "HIGH"),
        ("max", "HIGH", "HIGH"),
    ],
)
def test_levels(effort: str, pro: str, flash: str) -> None:
    shown = effort != "none"
    for model, level in (("gemini-3.1-pro-preview", pro), ("gemini-3-flash", flash)):
        assert told(model, effort=effort) == {
            "thinkingLevel": level,
            "includeThoughts": shown,
        }


@pytest.mark.parametrize(
    ("effort", "pro", "flash"),
    [
        ("none", 128, 0),
        ("minimal", 1024, 1024),
        ("low", 1024, 1024),
        ("medium", 8192, 8192),
        ("high", 32768, 24576),
    ],
)
def test_budgets(effort: str, pro: int, flash: int) -> None:
    for model, budget in (("gemini-2.5-pro", pro), ("gemini-2.5-flash", flash)):
        assert told(model, effort=effort)["thinkingBudget"] == budget


@pytest.mark.parametrize(
    ("budget", "kept", "level"),
    [
        (0, 128, "LOW"),
        (1024, 1024, "LOW"),
        (4096, 4096, "MEDIUM"),
        (31999, 31999, "HIGH"),
        (99999, 32768, "HIGH"),
    ],
)
def test_a_budget_stays_one_or_becomes_a_level(
    budget: int, kept: int, level: str
) -> None:
    assert told("gemini-2.5-pro", budget=budget)["thinkingBudget"] == kept
    assert told("gemini-3.1-pro", budget=budget)["thinkingLevel"] == level


def test_on_and_off_without_an_amount() -> None:
    assert told("gemini-2.5-pro", enabled=True) == {"includeThoughts": True}
    assert told("gemini-3.1-pro", enabled=True) == {"includeThoughts": True}
    off = {"thinkingLevel": "LOW", "includeThoughts": False}
    assert told("gemini-3.1-pro", enabled=False) == off
    off = {"thinkingBudget": 0, "includeThoughts": False}
    assert told("gemini-2.5-flash", enabled=False) == off


def test_the_client_says_whether_it_reads_them() -> None:
    assert told("gemini-3-pro", effort="low", shown=False)["includeThoughts"] is False


def test_nothing_is_said_where_nothing_was_asked() -> None:
    assert thinking_of(None, abilities_of("gemini-3-pro")) is None
    assert told("gemini-2.0-flash", effort="high") is None
