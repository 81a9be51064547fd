"""Whose limits count: tier, account and key laid together."""

import pytest
from support.identities import someone

from lightweight.policy.admission import Tier, subjects_of, tier_of
from lightweight.policy.pace import ACCOUNT, Subject
from lightweight.records import Limits

PRO = Limits(rpm=250, tpm=1000, quota_tokens=5000, quota_micro_usd=700)
TIERS = {
    "pro": Tier(limits=PRO),
    "beta": Tier(limits=Limits(rpm=60), models=frozenset({"a", "b"})),
    "some": Tier(limits=Limits(concurrency=3), models=frozenset({"b", "c"})),
    "free": Tier(),
}


def test_the_tiers_limits_are_the_accounts() -> None:
    assert subjects_of(someone(), TIERS) == (Subject(ACCOUNT, PRO),)


def test_nobody_limits_whom_nothing_limits() -> None:
    assert subjects_of(someone(tier="free"), TIERS) == ()


@pytest.mark.parametrize(
    ("own", "held"),
    [
        (
            Limits(rpm=7, concurrency=2),
            Limits(
                rpm=7, tpm=1000, concurrency=2, quota_tokens=5000, quota_micro_usd=700
            ),
        ),
        (
            Limits(quota_tokens=9),
            Limits(rpm=250, tpm=1000, quota_tokens=9, quota_micro_usd=700),
        ),
        (
            Limits(quota_tokens=9, prepaid=True),
            Limits(rpm=250, tpm=1000, quota_tokens=9, prepaid=True),
        ),
        (
            Limits(quota_micro_usd=9, prepaid=True, rpm=1),
            Limits(rpm=1, tpm=1000, quota_micro_usd=9, prepaid=True),
        ),
    ],
)
def test_an_accounts_own_limits_lie_over_its_tiers(own: Limits, held: Limits) -> None:
    assert subjects_of(someone(own=own), TIERS) == (Subject(ACCOUNT, held),)


def test_a_key_with_limits_is_a_subject_beside_its_account() -> None:
    keys = Limits(rpm=1)
    limited = someone(keys=keys)
    assert subjects_of(limited, TIERS) == (
        Subject(ACCOUNT, PRO),
        Subject(limited.key.id, keys),
    )
    alone = someone(tier="free", keys=keys)
    assert subjects_of(alone, TIERS)[0] == Subject(ACCOUNT, Limits())


def test_a_tier_that_is_gone_is_the_strictest_of_all() -> None:
    assert tier_of("gone", TIERS) == Tier(
        limits=Limits(
            rpm=60, tpm=1000, concurrency=3, quota_tokens=5000, quota_micro_usd=700
        ),
        models=frozenset({"b"}),
    )
    assert tier_of("gone", {"free": Tier()}) == Tier()
