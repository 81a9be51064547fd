"""Someone who asks, with the limits a test gives."""

from lightweight.records import Account, ApiKey, Identity, Limits


def someone(
    *, tier: str = "pro", own: Limits | None = None, keys: Limits | None = None
) -> Identity:
    """Make an Identity: ``own`` are its account's limits, ``keys`` its key's."""
    account = Account(
        id="acc_acme",
        name="acme",
        tier=tier,
        created_at=0,
        limits=own or Limits(),
    )
    key = ApiKey(
        id="key_acme",
        account_id=account.id,
        name="acme",
        shown="lw-…",
        created_at=0,
        limits=keys or Limits(),
    )
    return Identity(account, key)
