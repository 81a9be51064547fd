"""The nouns of limits: a machine's share, what is left of a quota."""

from lightweight.policy.pace import ACCOUNT, Ask, Balance, Subject, share
from lightweight.records import Limits

ASK = Ask(
    id="r1",
    account="acct_1",
    subjects=(
        Subject(ACCOUNT, Limits(rpm=60, tpm=1000, quota_tokens=5, prepaid=True)),
        Subject("key_1", Limits(concurrency=4)),
    ),
    tokens=1,
    micro_usd=2,
)


def test_a_share_is_rounded_up_and_leaves_quotas_whole() -> None:
    shared = share(ASK, 7)
    assert [subject.limits for subject in shared.subjects] == [
        Limits(rpm=9, tpm=143, quota_tokens=5, prepaid=True),
        Limits(concurrency=1),
    ]
    assert (shared.id, shared.account, shared.tokens) == ("r1", "acct_1", 1)


def test_one_machine_has_all() -> None:
    assert share(ASK, 1) is ASK


def test_a_share_of_nothing_is_nothing() -> None:
    none = Ask(
        id="r1",
        account="a",
        subjects=(Subject(ACCOUNT, Limits(rpm=0)),),
        tokens=1,
        micro_usd=0,
    )
    assert share(none, 3).subjects[0].limits.rpm == 0


def test_what_remains_of_an_overdrawn_quota_is_nothing() -> None:
    assert Balance(limit=9, used=5, reserved=3, resets_at_ms=None).remaining == 1
    assert Balance(limit=9, used=8, reserved=3, resets_at_ms=None).remaining == 0
