"""The rows that the first start makes."""

from sqlalchemy import Connection, func, select

from lightweight.store.accounts import create_account
from lightweight.store.api_keys import create_key
from lightweight.store.directory import take_turn
from lightweight.store.first_run import FirstRun
from lightweight.store.invites import create_invite
from lightweight.store.schema import accounts

WHO = "first start"

TIER = "enterprise"
"""The tier without limits of its own: nobody is refused before limits were chosen."""


def first_run(
    connection: Connection,
    *,
    account_id: str,
    key_id: str,
    secret: str,
    invite_id: str,
    invite: str,
    pepper: bytes,
    now: float,
) -> FirstRun | None:
    """Make account ``default`` with key ``first`` where there is no account at all.

    And an invite for who is to be its operator.

    Call ``write_first_run`` before the transaction ends: a key that nobody can read
    must not be committed.
    """
    take_turn(connection)  # other machines may start now, too
    if connection.execute(select(func.count()).select_from(accounts)).scalar_one():
        return None
    account = create_account(
        connection,
        account_id=account_id,
        name="default",
        tier=TIER,
        now=now,
        who=WHO,
    )
    key = create_key(
        connection,
        key_id=key_id,
        account=account.id,
        name="first",
        secret=secret,
        pepper=pepper,
        now=now,
        who=WHO,
    )
    create_invite(
        connection,
        invite_id=invite_id,
        secret=invite,
        pepper=pepper,
        role="operator",
        account=account.id,
        whom="the first operator",
        now=now,
        who=WHO,
    )
    return FirstRun(account, key, secret, invite)
