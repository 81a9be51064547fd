"""The verbs on invites: nobody becomes a person here without one.

As in ``directory``. An invite works once, for a time, and carries a role and an
account: one there is, or the name and tier of one that is made with the person.
"""

from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select, update

from lightweight.records import Invite, InviteState, Person, Role
from lightweight.store.accounts import create_account, find_account
from lightweight.store.audit import note
from lightweight.store.directory import DirectoryProblem, Missing, check_name, take_turn
from lightweight.store.keys import digest
from lightweight.store.pages import Place, page_of
from lightweight.store.people import add_person, signature
from lightweight.store.rows import owned, revoke_row, row_of_id
from lightweight.store.schema import accounts, invites
from lightweight.store.tokens import INVITE_S

LONGEST_S = 90 * 86400.0


def create_invite(
    connection: Connection,
    *,
    invite_id: str,
    secret: str,
    pepper: bytes,
    role: Role,
    account: str | None = None,
    account_name: str | None = None,
    tier: str | None = None,
    whom: str = "",
    life: float = INVITE_S,
    now: float,
    who: str,
) -> Invite:
    """Invite somebody to ``account`` (name or id), or to a new one of that name.

    An operator may be invited to none. ``life`` is in seconds.
    """
    check_name(whom)
    if not 0 < life <= LONGEST_S:
        raise DirectoryProblem("An invite works for 90 days at most: choose fewer.")
    owner = None if account is None else find_account(connection, account)
    if account_name is not None:
        _check_new_account(connection, account_name, tier, alone=owner is None)
    elif tier is not None:
        raise DirectoryProblem("A tier belongs to a new account: name the account.")
    elif owner is None and role != "operator":
        raise DirectoryProblem("Only an operator may belong to no account: name one.")
    invite = Invite(
        id=invite_id,
        note=whom,
        role=role,
        account_id=None if owner is None else owner.id,
        account_name=account_name,
        tier=tier,
        created_at=now,
        expires_at=now + life,
    )
    connection.execute(
        insert(invites).values(
            id=invite.id,
            digest=digest(pepper, secret),
            note=invite.note,
            role=invite.role,
            account_id=invite.account_id,
            account_name=invite.account_name,
            tier=invite.tier,
            created_at=invite.created_at,
            expires_at=invite.expires_at,
        )
    )
    account_of = invite.account_id or account_name
    details = {"role": role, "account": account_of, "note": whom}
    note(connection, now, who, "invite.create", invite.id, **details)
    return invite


def invites_page(
    connection: Connection,
    *,
    account_id: str | None = None,
    operators: bool = True,
    after: Place | None = None,
    most: int | None = 50,
) -> list[Invite]:
    """Give a page of invites, the newest first: to one account, or all there are.

    ``operators``: also those that make one.
    """
    whose = owned(invites, account_id, operators=operators)
    found = page_of(connection, invites, *whose, after=after, most=most)
    return [invite_of(row) for row in found]


def find_invite(connection: Connection, invite_id: str) -> Invite:
    """Give the invite of an id."""
    row = row_of_id(connection, invites, invite_id)
    if row is None:
        # Somebody may have given the secret instead: it must not be repeated.
        raise Missing(
            "There is no invite of that id: 'lightweight invites list' shows them."
        )
    return invite_of(row)


def revoke_invite(
    connection: Connection, invite_id: str, *, now: float, who: str
) -> Invite:
    """End an invite; one that is used or ended already stays as it is."""
    take_turn(connection)
    invite = find_invite(connection, invite_id)
    if invite.used_at is not None or invite.revoked_at is not None:
        return invite
    revoke_row(connection, invites, invite.id, "invite.revoke", now=now, who=who)
    return find_invite(connection, invite.id)


def invite_of_secret(
    connection: Connection, secret: str, *, pepper: bytes, now: float
) -> Invite:
    """Give the invite that still works; using it up is ``accept_invite``."""
    query = _open(now).where(invites.c.digest == digest(pepper, secret))
    row = connection.execute(query).first()
    if row is None:
        raise Missing("This invite was used or has ended: ask for another one.")
    return invite_of(row)


def accept_invite(
    connection: Connection,
    secret: str,
    *,
    pepper: bytes,
    person_id: str,
    new_account_id: str,
    name: str,
    password: str,
    now: float,
) -> Person:
    """Make the person an invite is for, and their account where it is to be new.

    ``password`` is what ``passwords`` made of it. A problem leaves the invite unused.
    """
    take_turn(connection)
    invite = invite_of_secret(connection, secret, pepper=pepper, now=now)
    return use_invite(
        connection,
        invite,
        person_id=person_id,
        new_account_id=new_account_id,
        name=name,
        password=password,
        now=now,
    )


def invite_for_email(connection: Connection, email: str, now: float) -> Invite | None:
    """Give the newest open invite whose note is this address; None where none is."""
    query = (
        _open(now)
        .where(func.lower(invites.c.note) == email.lower())
        .order_by(invites.c.created_at.desc(), invites.c.id)
    )
    row = connection.execute(query).first()
    return None if row is None else invite_of(row)


def use_invite(
    connection: Connection,
    invite: Invite,
    *,
    person_id: str,
    new_account_id: str,
    name: str,
    password: str,
    now: float,
) -> Person:
    """Do what ``accept_invite`` does with an open invite, of whoever took a turn."""
    account_id = invite.account_id
    if invite.account_name is not None:
        assert invite.tier is not None
        account_id = create_account(
            connection,
            account_id=new_account_id,
            name=invite.account_name,
            tier=invite.tier,
            now=now,
            who=f"invite {invite.id}",
        ).id
    person = add_person(
        connection,
        person_id=person_id,
        name=name,
        role=invite.role,
        account_id=account_id,
        password=password,
        now=now,
    )
    connection.execute(
        update(invites)
        .where(invites.c.id == invite.id)
        .values(used_at=now, used_by=person.id, account_id=account_id)
    )
    note(
        connection,
        now,
        signature(person),
        "person.join",
        person.id,
        invite=invite.id,
        role=person.role,
        account=account_id,
    )
    return person


def state_of_invite(invite: Invite, now: float) -> InviteState:
    """Say whether an invite may still be used."""
    if invite.used_at is not None:
        return "used"
    if invite.revoked_at is not None:
        return "revoked"
    return "expired" if invite.expires_at <= now else "open"


def invite_of(row: Row[Any]) -> Invite:
    """Make the record of a row of ``invites``."""
    return Invite(
        id=row.id,
        note=row.note,
        role=row.role,
        account_id=row.account_id,
        account_name=row.account_name,
        tier=row.tier,
        created_at=row.created_at,
        expires_at=row.expires_at,
        used_at=row.used_at,
        used_by=row.used_by,
        revoked_at=row.revoked_at,
    )


def _open(now: float) -> Select[Any]:
    return (
        select(invites)
        .where(invites.c.used_at.is_(None))
        .where(invites.c.revoked_at.is_(None))
        .where(invites.c.expires_at > now)
    )


def _check_new_account(
    connection: Connection, name: str, tier: str | None, *, alone: bool
) -> None:
    check_name(name)
    if not name or tier is None or not alone:
        raise DirectoryProblem(
            "An invite is to an account there is, or to a new one with name and tier: "
            "give one of the two."
        )
    taken = select(accounts.c.id).where(accounts.c.name == name)
    if connection.execute(taken).first() is not None:
        raise DirectoryProblem(
            f'There is an account "{name}" already: invite to it, or choose another '
            "name."
        )
