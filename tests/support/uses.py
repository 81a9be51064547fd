"""Uses to record, and what a journal writer is in tests."""

from typing import Any

from msgspec.structs import replace

from lightweight.records import Attempted, Dispatch, Outcome, Usage, Use

NOON = 1_793_534_400.0
"""2026-11-01T12:00:00Z."""
DAY = 86_400.0

ASKED = Attempted(
    provider="openai", model="gpt-up", status=200, fault=None, seconds=1.5
)


def dispatch(name: str, **changes: Any) -> Dispatch:
    """Give the start of a use: 100 tokens and 250 micro-USD reserved."""
    made = Dispatch(
        id=name,
        account_id="acct_1",
        key_id="key_1",
        model="gpt",
        dialect="openai_chat",
        stream=True,
        at=NOON,
        tokens=100,
        micro_usd=250,
    )
    return replace(made, **changes)


def use(
    name: str, *, at: float = NOON, micro_usd: int | None = 120, **changes: Any
) -> Use:
    """Give the end of a use: 10 fresh, 5 cached, 20 answer and 7 reasoning tokens."""
    outcome = Outcome(
        request_id=name,
        account_id="acct_1",
        key_id="key_1",
        model="gpt",
        provider="openai",
        upstream_model="gpt-up",
        dialect="openai_chat",
        stream=True,
        status=200,
        ending="finished",
        fault=None,
        usage=Usage(fresh=10, cached=5, answer=20, reasoning=7),
        provenance="reported",
        first_byte_s=0.5,
        duration_s=1.5,
        attempts=(ASKED,),
    )
    return Use(outcome=replace(outcome, **changes), at=at, micro_usd=micro_usd)
