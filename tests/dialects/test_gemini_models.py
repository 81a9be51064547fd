"""Which Gemini model can what, by its id."""

import pytest

from lightweight.dialects.gemini_models import abilities_of


@pytest.mark.parametrize(
    ("model", "thinking", "sealed"),
    [
        ("gemini-1.5-pro-002", "none", False),
        ("gemini-2.0-flash", "none", False),
        ("gemini-2.5-pro", "budget", False),
        ("models/gemini-2.5-flash-preview-09-2025", "budget", False),
        ("gemini-3-pro-preview", "level", True),
        ("gemini-3.1-pro-preview", "level", True),
        ("gemini-flash-latest", "level", True),
        ("somebody-s-tuned", "level", True),
    ],
)
def test_by_version(model: str, thinking: str, *, sealed: bool) -> None:
    can = abilities_of(model)
    assert (can.thinking, can.sealed_calls) == (thinking, sealed)


def test_only_the_large_one_cannot_stop_thinking() -> None:
    assert abilities_of("gemini-2.5-pro").least == 128
    assert abilities_of("gemini-2.5-flash").least == 0
