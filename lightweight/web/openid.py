"""Signing in by a provider of OpenID Connect: there, and back in the same browser.

Between the two nothing is kept here. The browser holds a ticket: a secret, where to go
after, an end and our signature. What the provider is given (state, nonce, and the hash
of PKCE's verifier) is derived from that secret, so whatever comes back belongs to the
browser that left. A code works once, at the provider (RFC 6749 section 4.1.2).
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from urllib.parse import quote, unquote

from twisted.logger import Logger

from msgspec import Struct

from lightweight.errors import (
    BadRequest,
    Forbidden,
    NotFound,
    NotSignedIn,
    ProviderFault,
)
from lightweight.records import Claims, Headers
from lightweight.store.connect import Connection
from lightweight.store.identities import Unrecognised, recognise
from lightweight.store.sessions import begin_session, credential_of
from lightweight.store.tokens import mint_token
from lightweight.upstream.openid import OpenIdProblem, OpenIdProvider, Round
from lightweight.web.links import BACK
from lightweight.web.office import Office, told_as_faults
from lightweight.web.sessions import (
    Door,
    SignedIn,
    cookie,
    count_attempt,
    csrf_of,
    presented_secret,
)

TICKET = "lw-openid"
"""The cookie's name, as that of ``sessions``."""

LIFE_S = 600
"""Seconds to come back in."""

LOST = "This sign-in took too long, or began in another browser: begin again."

_LONGEST = 2000
"""Characters of the way to go after: browsers take cookies of 4096 bytes."""

_log = Logger()


class Departure(Struct, frozen=True):
    """How a browser leaves for the provider."""

    url: str
    cookie: str
    """Set-Cookie of the ticket."""


async def depart(onwards: str, door: Door, office: Office) -> Departure:
    """Begin a sign-in that ends at ``onwards``, a screen of ours.

    Raises NotFound where no provider is configured, Forbidden where nobody can sign in
    here, ProviderFault where the provider cannot be asked. Cancelling is harmless.
    """
    provider = _provider(office, door)
    secret = mint_token(office.random_bytes)
    kept = quote(onwards, safe="").replace(".", "%2E")
    if len(kept) > _LONGEST:
        kept = ""
    body = f"{secret}.{int(office.wall()) + LIFE_S}.{kept}"
    ticket = f"{body}.{_signature(body, provider, office)}"
    try:
        url = await provider.page(_round(secret, office))
    except OpenIdProblem as problem:
        raise _told(problem, provider) from None
    return Departure(url, cookie(door, TICKET, ticket, LIFE_S))


async def arrive(
    query: Mapping[str, Sequence[str]], headers: Headers, door: Door, office: Office
) -> tuple[SignedIn, str]:
    """Let in who comes back, as whom the provider says; give where they wanted to go.

    A session of before ends. Raises BadRequest where this browser did not leave,
    NotSignedIn where the provider or we do not let them in, RateLimited after too many
    attempts, ProviderFault where the provider fails, else as ``depart``. Cancelling
    may leave a session that nobody knows the secret of.
    """
    provider = _provider(office, door)
    secret, onwards = _ticket(headers, door, provider, office)
    begun = _round(secret, office)
    said = {name: values[-1] for name, values in query.items()}
    state = said.get("state", "").encode("utf-8", "surrogatepass")
    if not hmac.compare_digest(state, begun.state.encode()):
        raise BadRequest(LOST)
    issuer, name = provider.config.issuer, provider.config.name
    # RFC 9207: where it says who it is, it must be the one that was asked.
    if said.get("iss", issuer) != issuer or "code" not in said:
        why = said.get("error", "no code")[:64]
        _log.warn("{issuer} let nobody in: {why!r}", issuer=issuer, why=why)
        raise NotSignedIn(f"{name} did not let you in.")
    await count_attempt(None, door, office)
    try:
        claims = await provider.claims(said["code"], begun)
    except OpenIdProblem as problem:
        raise _told(problem, provider) from None
    signed = await _recognised(claims, provider, headers, door, office)
    return signed, onwards


async def _recognised(
    claims: Claims,
    provider: OpenIdProvider,
    headers: Headers,
    door: Door,
    office: Office,
) -> SignedIn:
    secret = mint_token(office.random_bytes)
    before = presented_secret(headers, door)
    now = office.wall()

    def work(connection: Connection) -> SignedIn:
        person = recognise(
            connection,
            claims,
            provider.config,
            person_id=office.new_id("person"),
            new_account_id=office.new_id("acct"),
            now=now,
        )
        checked = credential_of(connection, person.name)
        assert checked is not None, "nobody else has a turn"
        begin_session(
            connection,
            checked,
            secret=secret,
            replaces=before,
            address=door.address,
            pepper=office.pepper,
            now=now,
            by=claims.issuer,
        )
        return SignedIn(person=person, secret=secret, csrf=csrf_of(secret))

    with told_as_faults():
        try:
            return await office.database.run(work)
        except Unrecognised as problem:
            _log.warn(
                "{issuer} knows {subject!r}, but here: {problem}",
                issuer=claims.issuer,
                subject=claims.subject,
                problem=problem,
            )
            raise NotSignedIn(str(problem)) from None


def _provider(office: Office, door: Door) -> OpenIdProvider:
    provider = office.openid()
    if provider is None:
        raise NotFound("People sign in with a password here.")
    if door.why_closed is not None:
        raise Forbidden(door.why_closed)
    return provider


def _told(problem: OpenIdProblem, provider: OpenIdProvider) -> ProviderFault:
    _log.warn(
        "Nobody can come in by {issuer}: {problem}",
        issuer=provider.config.issuer,
        problem=problem,
    )
    return ProviderFault(
        f"{provider.config.name} could not tell who you are: try again, or tell an "
        "operator, whose log says why."
    )


# -- the ticket --------------------------------------------------------------------


def _round(secret: str, office: Office) -> Round:
    def derived(purpose: bytes) -> str:
        found = hmac.digest(secret.encode(), purpose, "sha256")
        return urlsafe_b64encode(found).rstrip(b"=").decode("ascii")

    return Round(
        back=f"{office.current().config.public_url}{BACK}",
        state=derived(b"state"),
        nonce=derived(b"nonce"),
        verifier=derived(b"verifier"),
    )


def _signature(body: str, provider: OpenIdProvider, office: Office) -> str:
    signed = f"openid {provider.config.issuer} {body}".encode("utf-8", "surrogatepass")
    return hmac.digest(office.pepper, signed, "sha256").hex()


def _ticket(
    headers: Headers, door: Door, provider: OpenIdProvider, office: Office
) -> tuple[str, str]:
    """Give the secret of this browser's ticket and where it wanted to go."""
    held = presented_secret(headers, door, TICKET) or ""
    body, _, signature = held.rpartition(".")
    right = _signature(body, provider, office)
    if not hmac.compare_digest(signature.encode("utf-8", "replace"), right.encode()):
        raise BadRequest(LOST)
    secret, end, onwards = body.split(".")
    if int(end) <= office.wall():
        raise BadRequest(LOST)
    return secret, unquote(onwards)
