from lightweight.policy.admission import Tier, subjects_of
from lightweight.records import Account, Limits
from lightweight.web.admin.identities import without_key


def test_only_the_accounts_limits_count() -> None:
    account = Account(id="acct_1", name="acme", tier="pro", created_at=1.0)
    tiers = {"pro": Tier(limits=Limits(rpm=5))}
    [subject] = subjects_of(without_key(account), tiers)
    assert (subject.name, subject.limits.rpm) == ("", 5)
