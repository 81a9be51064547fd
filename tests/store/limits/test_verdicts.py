"""The line that a script answers with, word by word."""

import pytest
from support.limits_contract import KEY, ask

from lightweight.policy.pace import Balance, Refusal, Room, Verdict
from lightweight.records import Limits
from lightweight.store.limits.verdicts import read_verdict

ASK = ask("r1", key=Limits())


def test_nothing_to_say() -> None:
    assert read_verdict(" ".join("-" * 18), ASK) == Verdict()


def test_everything_to_say() -> None:
    line = "2 4 100 5000 1 2 3 4 5 6 7 8 9 10 11 12 13 -"
    assert read_verdict(line, ASK) == Verdict(
        refused=Refusal(
            subject=KEY, limit="quota_tokens", allowed=100, retry_after_ms=5000
        ),
        requests=Room(limit=1, remaining=2, reset_ms=3),
        tokens=Room(limit=4, remaining=5, reset_ms=6),
        quota_tokens=Balance(limit=7, used=8, reserved=9, resets_at_ms=10),
        quota_usd=Balance(limit=11, used=12, reserved=13, resets_at_ms=None),
    )


def test_a_wait_that_would_not_help() -> None:
    verdict = read_verdict("1 1 0 - " + " ".join("-" * 14), ASK)
    assert verdict.refused == Refusal(
        subject="", limit="requests", allowed=0, retry_after_ms=None
    )


@pytest.mark.parametrize("line", ["", "1 2 3", "x " * 17 + "x", "1 " * 18 + "1"])
def test_no_verdict(line: str) -> None:
    with pytest.raises(ValueError):
        read_verdict(line, ASK)
