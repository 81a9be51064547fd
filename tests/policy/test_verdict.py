"""Verdicts on tallies; through the book the contract of homes tries all of them."""

from collections.abc import Mapping

import pytest
from support.limits_contract import KEY, NOW, ask, refusal_of

from lightweight.policy.pace import Verdict
from lightweight.policy.period import month_of, start_of
from lightweight.policy.tally import Tally
from lightweight.policy.verdict import CONCURRENCY_WAIT_MS, ORDER, refusal, verdict
from lightweight.policy.window import Clock
from lightweight.records import Limits

MONTH = month_of(NOW)
END = start_of(MONTH + 1) - NOW
TIGHT = Limits(rpm=1, tpm=10, concurrency=1, quota_tokens=10, quota_micro_usd=10)


def full() -> Tally:
    tally = Tally(MONTH)
    tally.requests.add(NOW // 1000 - 10, 1)
    tally.tokens.add(NOW // 1000 - 20, 10)
    tally.leases["r0"] = None
    for purse in (tally.monthly, tally.prepaid):
        purse.tokens.used = purse.micro_usd.reserved = 10
    return tally


def judged(account: Limits, key: Limits) -> Verdict:
    of = ask("r1", account=account, key=key, tokens=1, micro_usd=1)
    standing = [(subject, full()) for subject in of.subjects]
    clock = Clock(NOW)
    return verdict(standing, clock, NOW, refusal(standing, of, clock, NOW))


WAITS: Mapping[str, tuple[Limits, int | None]] = {
    "requests": (Limits(rpm=1), 50_750),
    "tokens": (Limits(tpm=10), 40_750),
    "concurrency": (Limits(concurrency=1), CONCURRENCY_WAIT_MS),
    "quota_tokens": (Limits(quota_tokens=10), END),
    "quota_usd": (Limits(quota_micro_usd=10), END),
}


@pytest.mark.parametrize("limit", ORDER)
def test_each_limit_has_its_wait(limit: str) -> None:
    tight, wait = WAITS[limit]
    for account, key, subject in ((tight, Limits(), ""), (Limits(), tight, KEY)):
        assert refusal_of(judged(account, key))[:2] == (subject, limit)
        assert refusal_of(judged(account, key))[3] == wait


def test_a_prepaid_quota_is_not_waited_for() -> None:
    for prepaid in (
        Limits(quota_tokens=10, prepaid=True),
        Limits(quota_micro_usd=10, prepaid=True),
    ):
        assert refusal_of(judged(Limits(rpm=1), prepaid)) == ("", "requests", 1, None)


def test_the_first_is_named_and_the_slowest_waited_for() -> None:
    assert refusal_of(judged(TIGHT, TIGHT)) == ("", "requests", 1, END)
    assert refusal_of(judged(Limits(tpm=10), Limits(rpm=1))) == (
        KEY,
        "requests",
        1,
        50_750,
    )


def test_of_equals_the_accounts_is_told() -> None:
    told = judged(Limits(rpm=9, tpm=20), Limits(rpm=9, tpm=19))
    assert told.refused is None
    assert told.requests is not None
    assert told.tokens is not None
    assert (told.requests.remaining, told.tokens.limit) == (8, 19)
