"""The verbs on admin tokens: what programs use the admin API with.

As in ``directory``.
"""

from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select

from lightweight.records import AdminToken, Role
from lightweight.store.accounts import find_account
from lightweight.store.audit import note
from lightweight.store.directory import DirectoryProblem, Missing, check_name, take_turn
from lightweight.store.keys import digest, shown
from lightweight.store.pages import Place, page_of
from lightweight.store.rows import revoke_row, row_of_id
from lightweight.store.schema import admin_tokens


def create_admin_token(
    connection: Connection,
    *,
    token_id: str,
    secret: str,
    pepper: bytes,
    name: str,
    role: Role,
    account: str | None = None,
    expires_at: float | None = None,
    now: float,
    who: str,
) -> AdminToken:
    """Make a token; one that is no operator's is confined to ``account``."""
    check_name(name)
    if not name:
        raise DirectoryProblem("A token needs a name: say what uses it.")
    if (account is None) != (role == "operator"):
        raise DirectoryProblem(
            "An operator's token is for the whole server, any other for one account: "
            "name the account or leave it out."
        )
    if expires_at is not None and expires_at <= now:
        raise DirectoryProblem("The token would have expired already: let it live.")
    owner = None if account is None else find_account(connection, account)
    token = AdminToken(
        id=token_id,
        name=name,
        shown=shown(secret),
        role=role,
        account_id=None if owner is None else owner.id,
        created_at=now,
        expires_at=expires_at,
    )
    connection.execute(
        insert(admin_tokens).values(
            id=token.id,
            name=token.name,
            digest=digest(pepper, secret),
            shown=token.shown,
            role=token.role,
            account_id=token.account_id,
            created_at=token.created_at,
            expires_at=token.expires_at,
        )
    )
    details = {"name": name, "role": role, "account": token.account_id}
    note(connection, now, who, "admin_token.create", token.id, **details)
    return token


def admin_tokens_page(
    connection: Connection, *, after: Place | None = None, most: int | None = 50
) -> list[AdminToken]:
    """Give a page of tokens, the newest first."""
    found = page_of(connection, admin_tokens, after=after, most=most)
    return [_token_of(row) for row in found]


def find_admin_token(connection: Connection, token_id: str) -> AdminToken:
    """Give the token of an id."""
    row = row_of_id(connection, admin_tokens, token_id)
    if row is None:
        # Somebody may have given the secret instead: it must not be repeated.
        raise Missing(
            "There is no token of that id: 'lightweight admin-token list' shows them."
        )
    return _token_of(row)


def revoke_admin_token(
    connection: Connection, token_id: str, *, now: float, who: str
) -> AdminToken:
    """End a token now; one that is revoked already stays as it is."""
    take_turn(connection)
    token = find_admin_token(connection, token_id)
    if token.revoked_at is not None:
        return token
    what = "admin_token.revoke"
    revoke_row(connection, admin_tokens, token.id, what, now=now, who=who)
    return find_admin_token(connection, token.id)


def admin_token_of(
    connection: Connection, secret: str, *, pepper: bytes, now: float
) -> AdminToken | None:
    """Give whose secret this is; None where it is nobody's, or no longer."""
    table = admin_tokens.c
    query = (
        select(admin_tokens)
        .where(table.digest == digest(pepper, secret))
        .where(table.revoked_at.is_(None))
        .where(or_(table.expires_at.is_(None), table.expires_at > now))
    )
    row = connection.execute(query).first()
    return None if row is None else _token_of(row)


def _token_of(row: Row[Any]) -> AdminToken:
    return AdminToken(
        id=row.id,
        name=row.name,
        shown=row.shown,
        role=row.role,
        account_id=row.account_id,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
