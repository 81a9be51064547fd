"""Who uses the admin API, and what is theirs.

``sees`` is the one rule about that: whoever is no operator sees what belongs to their
own account and no operator in it. For everybody else it is as if it did not exist.
"""

from typing import TypeVar

from msgspec import Struct

from lightweight.errors import BadRequest, Forbidden, NotSignedIn
from lightweight.records import (
    Account,
    ApiKey,
    Invite,
    Person,
    Role,
    Use,
)
from lightweight.store.accounts import find_account
from lightweight.store.admin_tokens import admin_token_of
from lightweight.store.api_keys import find_key
from lightweight.store.connect import Connection
from lightweight.store.directory import Missing
from lightweight.store.invites import find_invite
from lightweight.store.people import find_person, signature
from lightweight.store.tokens import ADMIN_PREFIX
from lightweight.store.usage import find_use
from lightweight.web.office import Office, told_as_faults
from lightweight.web.sessions import (
    CSRF_HEADER,
    check_csrf,
    check_origin,
    door_of,
    signed_in,
)
from lightweight.web.site_request import GatewayRequest

T = TypeVar("T")

RANK: dict[Role, int] = {"member": 0, "owner": 1, "operator": 2}

SAFE = (b"GET", b"HEAD")
"""What changes nothing, wherever it was asked from."""


class Actor(Struct, frozen=True, kw_only=True):
    """Somebody, or a program of somebody's."""

    who: str
    """For the audit log."""
    role: Role
    account_id: str | None
    person: Person | None = None
    """None: a program with a token."""

    @property
    def scope(self) -> str | None:
        """The one account that lists are about; None: all there are."""
        return None if self.role == "operator" else self.account_id


def actor_for(person: Person) -> Actor:
    """Give what somebody who is signed in acts as."""
    return Actor(
        who=signature(person),
        role=person.role,
        account_id=person.account_id,
        person=person,
    )


async def actor_of(request: GatewayRequest, office: Office) -> Actor:
    """Give who asks: the holder of an admin token, or who is signed in.

    Raises NotSignedIn, Forbidden for a change that another site's page asked for, and
    Overloaded. Cancelling is harmless.
    """
    headers = request.fields()
    if "authorization" in headers:
        return await _holder(headers["authorization"], office)
    door = door_of(request, office.current().config.public_url)
    signed = await signed_in(headers, door, office)
    if signed is None:
        raise NotSignedIn(
            "Sign in at /dashboard, or send an admin token as 'Authorization: Bearer "
            "TOKEN': 'lightweight admin-token create' makes one."
        )
    if request.method not in SAFE:
        check_origin(headers, door)
        check_csrf(signed, headers.get(CSRF_HEADER))
    return actor_for(signed.person)


def require_role(actor: Actor, least: Role) -> None:
    """Raise Forbidden for who has less than this role."""
    if RANK[actor.role] < RANK[least]:
        raise Forbidden(f"This takes the role '{least}': ask somebody who has it.")


# -- what is theirs ----------------------------------------------------------------


def sees(actor: Actor, account_id: str | None, role: Role | None = None) -> bool:
    """Tell whether what belongs to an account is theirs to see.

    ``role`` is that of a person, or what an invite makes of one.
    """
    if actor.role == "operator":
        return True
    ours = actor.account_id is not None and account_id == actor.account_id
    return ours and role != "operator"


def account_for(actor: Actor, connection: Connection, account: str) -> Account:
    """Give an account by id or name; raise Missing where it is not theirs."""
    found = find_account(connection, account)
    return _theirs(found, actor, found.id)


def own_account(actor: Actor, account: str | None) -> str:
    """Give the account that is meant: by default one's own. Raises BadRequest."""
    meant = account or actor.account_id
    if meant is None:
        raise BadRequest(
            "Say which 'account' you mean: you belong to none.", param="account"
        )
    return meant


def scope_for(actor: Actor, connection: Connection, account: str | None) -> str | None:
    """Give the id of the account that a list is about; None: of all there are.

    ``account`` is an id or name; None: all that are theirs. Raises Missing.
    """
    if account is None:
        return actor.scope
    return account_for(actor, connection, account).id


def key_for(actor: Actor, connection: Connection, key_id: str) -> ApiKey:
    """Give a key; raise Missing where it is not theirs."""
    found = find_key(connection, key_id)
    return _theirs(found, actor, found.account_id)


def person_for(actor: Actor, connection: Connection, person: str) -> Person:
    """Give somebody by id or name; raise Missing where they are not theirs."""
    found = find_person(connection, person)
    return _theirs(found, actor, found.account_id, found.role)


def invite_for(actor: Actor, connection: Connection, invite_id: str) -> Invite:
    """Give an invite; raise Missing where it is not theirs."""
    found = find_invite(connection, invite_id)
    return _theirs(found, actor, found.account_id, found.role)


def use_for(actor: Actor, connection: Connection, request_id: str) -> Use:
    """Give a request; raise Missing where it is not theirs, or no longer kept."""
    found = find_use(connection, request_id)
    if found is None:
        raise Missing
    return _theirs(found, actor, found.outcome.account_id)


def _theirs(
    found: T, actor: Actor, account_id: str | None, role: Role | None = None
) -> T:
    if not sees(actor, account_id, role):
        raise Missing
    return found


async def _holder(authorization: str, office: Office) -> Actor:
    scheme, _, secret = authorization.partition(" ")
    found = None
    # What cannot be a token is not worth a look into the database.
    if scheme.lower() == "bearer" and secret.startswith(ADMIN_PREFIX):
        with told_as_faults():
            found = await office.database.read(
                lambda c: admin_token_of(
                    c, secret, pepper=office.pepper, now=office.wall()
                )
            )
    if found is None:
        raise NotSignedIn(
            "This is no admin token that works. Keys (lw-…) are for /v1 only: "
            "'lightweight admin-token create' makes a token."
        )
    return Actor(
        who=f"token {found.name} ({found.id})",
        role=found.role,
        account_id=found.account_id,
    )
