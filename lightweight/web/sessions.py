"""Who is signed in, and what a browser must show before it may change anything.

The cookie is ``__Host-lw`` over TLS. Browsers take a name with that prefix only with
``Secure``, which not all of them allow on plain loopback: there it is ``lw``, which is
read nowhere else, so that no neighbour can plant one.
"""

import hmac
from base64 import urlsafe_b64encode
from ipaddress import ip_address
from urllib.parse import urlsplit

from msgspec import Struct

from lightweight.errors import BadRequest, Forbidden, NotSignedIn, RateLimited
from lightweight.records import Headers, Person
from lightweight.store.invites import accept_invite, invite_of_secret
from lightweight.store.passwords import check_password
from lightweight.store.people import (
    has_password,
    person_of_link,
    set_password,
    signature,
    use_password_link,
)
from lightweight.store.sessions import (
    LIFE_S,
    Credential,
    begin_session,
    credential_of,
    end_session,
    keep_session,
    session_of,
    try_sign_in,
    wait_to_sign_in,
)
from lightweight.store.tokens import mint_token
from lightweight.web.office import Office, told_as_faults
from lightweight.web.site_request import GatewayRequest

COOKIE = "lw"

CSRF_HEADER = "x-csrf-token"
CSRF_FIELD = "csrf"
"""The name of the same in a form."""

WRONG = "This name and password do not belong together."


class Door(Struct, frozen=True, kw_only=True):
    """The way by which a browser came in."""

    host: str
    """Host, with a port where it is not the scheme's."""
    secure: bool
    """Over TLS, all the way from the browser."""
    address: str
    """The client's."""

    def cookie_name(self, name: str = COOKIE) -> str:
        """Say which cookie counts here."""
        return f"__Host-{name}" if self.secure else name

    @property
    def why_closed(self) -> str | None:
        """Say why nobody can sign in here; None where one can."""
        if self.secure or _is_loopback(self.host):
            return None
        return (
            "Signing in needs TLS here: over plain HTTP anyone on the way could read "
            "your password. Open this page with https://, or on the machine itself as "
            "http://localhost. Operators: put a TLS endpoint in 'listen', or a proxy "
            "that is in 'trusted_proxies' and sends X-Forwarded-Proto in front."
        )


class SignedIn(Struct, frozen=True, kw_only=True):
    """Somebody who is signed in."""

    person: Person
    secret: str
    """Of the session: what the cookie holds."""
    csrf: str
    """What forms and scripts of our own pages send with every change."""


def door_of(request: GatewayRequest, public_url: str | None) -> Door:
    """Say how a browser came; ``public_url`` is the operator's word for our address."""
    host = (request.sent(b"host") or "").lower()
    public = urlsplit(public_url or "")
    # A proxy may not say that it has TLS; a Secure cookie would not come without.
    promised = public.scheme == "https" and public.netloc.lower() == host
    return Door(
        host=host, secure=request.over_tls() or promised, address=request.peer()
    )


# -- the cookie --------------------------------------------------------------------


def session_cookie(door: Door, secret: str) -> str:
    """Give the Set-Cookie that signs a browser in."""
    return cookie(door, COOKIE, secret, int(LIFE_S))


def no_cookie(door: Door) -> str:
    """Give the Set-Cookie that signs a browser out."""
    return cookie(door, COOKIE, "", 0)


def presented_secret(headers: Headers, door: Door, name: str = COOKIE) -> str | None:
    """Give the secret that a browser sent; None where it sent none."""
    # Not http.cookies: it gives up at what other programs on this host may have set.
    for part in headers.get("cookie", "").split(";"):
        found, _, value = part.strip().partition("=")
        if found == door.cookie_name(name) and value:
            return value
    return None


def cookie(door: Door, name: str, value: str, seconds: int) -> str:
    """Give a Set-Cookie of ours: no script reads it and no other site sends it."""
    flags = "Path=/; HttpOnly; SameSite=Lax"
    if door.secure:
        flags += "; Secure"
    return f"{door.cookie_name(name)}={value}; Max-Age={seconds}; {flags}"


# -- changes from elsewhere --------------------------------------------------------


def csrf_of(secret: str) -> str:
    """Give the token that goes with a session; nobody else can know it."""
    token = hmac.digest(secret.encode(), b"csrf", "sha256")
    return urlsafe_b64encode(token).rstrip(b"=").decode("ascii")


def check_origin(headers: Headers, door: Door) -> None:
    """Raise Forbidden for a change that a page of somebody else asked for.

    Every browser sends ``Origin`` with a POST (Fetch standard, section 3.2).
    """
    _, _, origin = headers.get("origin", "").partition("://")
    if not door.host or origin.lower() != door.host:
        raise Forbidden(
            "This was not sent by a page of this server. Reload the page and try "
            "again; programs use an admin token instead of a cookie."
        )


def check_csrf(signed: SignedIn, given: str | None) -> None:
    """Raise Forbidden where ``given`` is not the token of this session."""
    said = (given or "").encode("utf-8", "surrogatepass")
    if not hmac.compare_digest(said, signed.csrf.encode()):
        raise Forbidden("This page is out of date: reload it and try again.")


# -- signing in and out ------------------------------------------------------------


async def signed_in(headers: Headers, door: Door, office: Office) -> SignedIn | None:
    """Give who is signed in; None where nobody is, or no longer.

    Raises Overloaded where the database cannot be asked. Cancelling is harmless.
    """
    secret = presented_secret(headers, door)
    if secret is None:
        return None
    now = office.wall()
    with told_as_faults():
        seen = await office.database.read(
            lambda c: session_of(c, secret, pepper=office.pepper, now=now)
        )
        if seen is None:
            return None
        if seen.stale:
            await office.database.run(
                lambda c: keep_session(c, secret, pepper=office.pepper, now=now)
            )
    return SignedIn(person=seen.person, secret=secret, csrf=csrf_of(secret))


async def sign_in(
    name: str, password: str, *, headers: Headers, door: Door, office: Office
) -> SignedIn:
    """Let somebody in who knows the password; a session of before ends.

    Raises NotSignedIn for a wrong name or password, told apart by nothing, RateLimited
    after too many of them, Forbidden where the door is closed or the request came from
    elsewhere, BadRequest where too many sign in at once, and Overloaded. Cancelling may
    leave a session that nobody knows the secret of.
    """
    _check_door(headers, door)
    checked = await _checked(name, password, door, office)
    return await _begin(checked, headers=headers, door=door, office=office)


async def sign_out(signed: SignedIn, office: Office) -> None:
    """End a session. Raises Overloaded. Cancelling does not undo it."""
    with told_as_faults():
        await office.database.run(
            lambda c: end_session(
                c, signed.secret, pepper=office.pepper, now=office.wall()
            )
        )


async def join(
    invite: str,
    name: str,
    password: str,
    *,
    headers: Headers,
    door: Door,
    office: Office,
) -> SignedIn:
    """Make the person of an invite and sign them in.

    Raises NotFound for an invite that does not work, Conflict for a name that cannot
    be had, BadRequest for a bad password, Forbidden as ``sign_in``, and Overloaded.
    Cancelling may leave the person made.
    """
    _check_door(headers, door)
    pepper = office.pepper
    with told_as_faults():
        check_password(password)
        # Before the work of a hash, which strangers are not to cause.
        await office.database.read(
            lambda c: invite_of_secret(c, invite, pepper=pepper, now=office.wall())
        )
        hashed = await office.passwords.hashed(password)
        person = await office.database.run(
            lambda c: accept_invite(
                c,
                invite,
                pepper=pepper,
                person_id=office.new_id("person"),
                new_account_id=office.new_id("acct"),
                name=name,
                password=hashed,
                now=office.wall(),
            )
        )
    made = Credential(person, hashed)
    return await _begin(made, headers=headers, door=door, office=office)


async def replace_password(
    link: str, password: str, *, headers: Headers, door: Door, office: Office
) -> SignedIn:
    """Set a forgotten password by a one-time link; ends all sessions and signs in.

    Raises NotFound for a link that does not work, else as ``join``.
    """
    _check_door(headers, door)
    pepper = office.pepper
    with told_as_faults():
        check_password(password)
        await office.database.read(
            lambda c: person_of_link(c, link, pepper=pepper, now=office.wall())
        )
        hashed = await office.passwords.hashed(password)
        person = await office.database.run(
            lambda c: use_password_link(
                c, link, pepper=pepper, password=hashed, now=office.wall()
            )
        )
    changed = Credential(person, hashed)
    return await _begin(changed, headers=headers, door=door, office=office)


async def change_password(
    signed: SignedIn,
    current: str,
    password: str,
    *,
    headers: Headers,
    door: Door,
    office: Office,
) -> SignedIn:
    """Set another password; ends all sessions, this one gets a successor.

    Raises BadRequest for a password that is wrong, cannot be taken or was never there,
    RateLimited and Overloaded. Cancelling does not undo it.
    """
    person = signed.person
    with told_as_faults():
        check_password(password)
        has = await office.database.read(lambda c: has_password(c, person.id))
    if not has:
        raise BadRequest(
            "You sign in through another service and have no password here to change.",
            param="current_password",
        )
    try:
        await _checked(person.name, current, door, office)
    except NotSignedIn:
        raise BadRequest(
            "The current password is wrong.", param="current_password"
        ) from None
    with told_as_faults():
        hashed = await office.passwords.hashed(password)
        await office.database.run(
            lambda c: set_password(
                c, person.id, hashed, now=office.wall(), who=signature(person)
            )
        )
    changed = Credential(person, hashed)
    return await _begin(changed, headers=headers, door=door, office=office)


async def count_attempt(name: str | None, door: Door, office: Office) -> None:
    """Count an attempt to sign in before it is looked at; ``begin_session`` undoes it.

    Raises RateLimited after too many of them, and Overloaded. Cancelling may leave it
    counted.
    """
    pepper, now = office.pepper, office.wall()
    address, database = door.address, office.database
    with told_as_faults():
        # Who is refused anyway must not keep the database's only writer busy.
        wait = await database.read(
            lambda c: wait_to_sign_in(c, name, address, pepper=pepper, now=now)
        )
        if not wait:
            wait = await database.run(
                lambda c: try_sign_in(c, name, address, pepper=pepper, now=now)
            )
    if wait:
        raise RateLimited(
            "Too many attempts to sign in: wait, or ask an operator for a "
            "password link.",
            kind="requests",
            retry_after_ms=int(wait * 1000),
        )


async def _checked(name: str, password: str, door: Door, office: Office) -> Credential:
    """Give whose name and password these are; raise NotSignedIn, RateLimited."""
    await count_attempt(name, door, office)
    with told_as_faults():
        found = await office.database.read(lambda c: credential_of(c, name))
        stored = None if found is None else found.password
        right = await office.passwords.verified(password, stored)
    if found is None or not right:
        raise NotSignedIn(WRONG)
    return found


async def _begin(
    checked: Credential, *, headers: Headers, door: Door, office: Office
) -> SignedIn:
    secret = mint_token(office.random_bytes)
    before = presented_secret(headers, door)
    pepper, now = office.pepper, office.wall()
    with told_as_faults():
        begun = await office.database.run(
            lambda c: begin_session(
                c,
                checked,
                secret=secret,
                replaces=before,
                address=door.address,
                pepper=pepper,
                now=now,
            )
        )
    if not begun:
        raise NotSignedIn(WRONG)
    return SignedIn(person=checked.person, secret=secret, csrf=csrf_of(secret))


def _check_door(headers: Headers, door: Door) -> None:
    if door.why_closed is not None:
        raise Forbidden(door.why_closed)
    check_origin(headers, door)


def _is_loopback(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
        if name == "localhost" or name.endswith(".localhost"):
            return True
        return ip_address(name).is_loopback
    except ValueError:
        return False
