"""What a refused client reads."""

import pytest

from lightweight.errors import QuotaExceeded, RateLimited
from lightweight.policy.pace import ACCOUNT, Ask, Balance, LimitName, Refusal, Verdict
from lightweight.policy.refusal import fault_of

ASK = Ask(id="req_1", account="acc", subjects=(), tokens=1500, micro_usd=250_000)
DECEMBER = 1_796_083_200_000


def refused(
    limit: LimitName, wait: int | None, *, allowed: int = 60, subject: str = ACCOUNT
) -> Refusal:
    return Refusal(subject=subject, limit=limit, allowed=allowed, retry_after_ms=wait)


@pytest.mark.parametrize(
    ("limit", "wait", "seconds", "said"),
    [
        ("requests", 1, 1, "may use 60 requests in any 60 seconds. Try again in 1 s."),
        ("requests", 1001, 2, "Try again in 2 s."),
        ("tokens", 59_000, 59, "may take 1,500 tokens. Try again in 59 s."),
        ("concurrency", 1000, 1, "may have 60 calls at the same time. Try again when"),
    ],
)
def test_a_rate_says_what_how_much_and_when(
    limit: LimitName, wait: int, seconds: int, said: str
) -> None:
    fault = fault_of(refused(limit, wait), Verdict(), ASK)
    assert isinstance(fault, RateLimited)
    assert said in fault.message
    assert (fault.type, fault.code) == (limit, "rate_limit_exceeded")
    assert (fault.retry_after, fault.retry_after_ms) == (seconds, wait)
    assert fault.should_retry is True


@pytest.mark.parametrize(
    ("limit", "said"),
    [("tokens", "can never pass"), ("requests", "Waiting does not help")],
)
def test_what_can_never_pass_is_not_tried_again(limit: LimitName, said: str) -> None:
    fault = fault_of(refused(limit, None, subject="key_1"), Verdict(), ASK)
    assert "this key" in fault.message
    assert said in fault.message
    assert (fault.retry_after, fault.should_retry) == (None, False)


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ("requests", "may use 1 request in any 60 seconds."),
        ("tokens", "may use 1 token in any 60 seconds."),
        ("concurrency", "may have 1 call at the same time."),
    ],
)
def test_one_is_one(limit: LimitName, said: str) -> None:
    assert said in fault_of(refused(limit, 1, allowed=1), Verdict(), ASK).message


def test_a_quota_says_which_how_much_and_when() -> None:
    left = Balance(limit=2000, used=900, reserved=100, resets_at_ms=DECEMBER)
    fault = fault_of(
        refused("quota_tokens", DECEMBER, allowed=2000),
        Verdict(quota_tokens=left),
        ASK,
    )
    assert isinstance(fault, QuotaExceeded)
    assert fault.message == (
        "The quota of this account is 2,000 tokens a calendar month, with 1,000 tokens "
        "left and this request may take 1,500 tokens. It resets at 2026-12-01 00:00 "
        "UTC."
    )
    assert fault.should_retry is False


def test_a_prepaid_quota_of_money_does_not_reset() -> None:
    left = Balance(limit=10_000_000, used=10_000_000, reserved=0, resets_at_ms=None)
    fault = fault_of(
        refused("quota_usd", None, allowed=10_000_000), Verdict(quota_usd=left), ASK
    )
    assert fault.message == (
        "The quota of this account is $10.00 in all, prepaid, with $0.00 left. It does "
        "not reset: ask for a top-up."
    )


def test_a_quota_without_its_balance_still_says_something() -> None:
    fault = fault_of(refused("quota_tokens", None, allowed=5), Verdict(), ASK)
    assert fault.message == (
        "The quota of this account is 5 tokens and has no room for this request."
    )
