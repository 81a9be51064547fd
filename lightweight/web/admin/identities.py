"""Whose limits and models count where no key was used."""

from lightweight.records import Account, ApiKey, Identity


def without_key(account: Account) -> Identity:
    """Give an account as if it used a key that limits nothing."""
    key = ApiKey(
        id="", account_id=account.id, name="", shown="", created_at=account.created_at
    )
    return Identity(account, key)
