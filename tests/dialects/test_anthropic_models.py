import pytest

from lightweight.dialects.anthropic_models import abilities_of, always_thinks


@pytest.mark.parametrize(
    ("model", "thinking", "schemas", "sampling"),
    [
        ("claude-3-haiku-20240307", "none", False, True),
        ("claude-3-5-sonnet-20241022", "none", False, True),
        ("claude-3-7-sonnet-20250219", "budget", False, True),
        ("claude-sonnet-4-20250514", "budget", False, True),
        ("claude-opus-4@20250514", "budget", False, True),
        ("claude-opus-4-1-20250805", "budget", False, True),
        ("claude-sonnet-4-5-20250929", "budget", True, True),
        ("claude-haiku-4-5-20251001", "budget", True, True),
        ("claude-opus-4-5", "budget", True, True),
        ("claude-opus-4-6", "adaptive", True, True),
        ("claude-sonnet-4-6", "adaptive", True, True),
        ("anthropic/claude-sonnet-4.6", "adaptive", True, True),
        ("us.anthropic.claude-opus-4-6-v1", "adaptive", True, True),
        ("claude-opus-4-7", "adaptive", True, False),
        ("claude-sonnet-5", "adaptive", True, False),
        ("claude-fable-5-1", "adaptive", True, False),
        ("claude-mythos-preview", "adaptive", True, False),
        ("something-of-tomorrow", "adaptive", True, False),
    ],
)
def test_the_version_decides(
    model: str, thinking: str, *, schemas: bool, sampling: bool
) -> None:
    can = abilities_of(model)
    assert (can.thinking, can.schemas, can.sampling) == (thinking, schemas, sampling)


def test_only_newer_ones_know_the_effort_between_high_and_max() -> None:
    assert not abilities_of("claude-opus-4-6").extra_high
    assert abilities_of("claude-opus-4-8").extra_high


def test_who_cannot_stop_thinking() -> None:
    assert always_thinks("claude-mythos-preview")
    assert not always_thinks("claude-opus-4-7")
