"""A provider of OpenID Connect: where it sends people, and whom it says they are.

OpenID Connect Core 1.0 section 3.1 with PKCE (RFC 7636). Nothing is asked before
somebody signs in; what a provider tells of itself is kept for an hour.
"""

import math
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, TypeVar
from urllib.parse import quote_plus, urlencode, urlsplit

from twisted.internet.defer import CancelledError, DeferredLock

import msgspec
from msgspec import Struct

from lightweight.config.schema import Oidc
from lightweight.errors import ProviderFault
from lightweight.records import Claims
from lightweight.upstream.agent import ProviderAgent
from lightweight.upstream.body import read_start
from lightweight.upstream.failures import FAILURES, fault_of
from lightweight.upstream.incoming import Incoming
from lightweight.upstream.wire_request import Opening, Request, lines_of, origin_of

T = TypeVar("T")

SECONDS = 10.0
"""How long one answer may take, connecting included."""

ANSWER_BYTES = 256 * 1024

FRESH_S = 3600.0
"""How long what it told of itself and its keys are believed."""

KEYS_AGAIN_S = 60.0
"""How often at most strangers can make us ask for its keys."""

REST_S = 5.0
"""How long it is left alone after it failed."""

WELL_KNOWN = "/.well-known/openid-configuration"

_URL = re.compile(r"[!-~]+")
_OK = 200
_LONGEST_WORD = 64


class OpenIdProblem(Exception):
    """It could not be learnt who somebody is; the text is a sentence for the log."""


class Round(Struct, frozen=True, kw_only=True):
    """What one sign-in is known by, on the way there and back."""

    back: str
    """The address to come back to, as it is registered at the provider."""
    state: str
    nonce: str
    verifier: str
    """The secret of PKCE, which only we know until the end."""


class _Told(Struct):
    """Of itself (OpenID Connect Discovery 1.0, section 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class _Keys(Struct):
    keys: tuple[dict[str, Any], ...]


class _Tokens(Struct):
    id_token: str
    access_token: str | None = None


class _Refusal(Struct):
    error: str = ""


class _UserInfo(Struct):
    sub: str
    email: str | None = None
    email_verified: bool | str | None = None


class OpenIdProvider:
    """The one provider that is configured."""

    def __init__(
        self,
        reactor: Any,
        config: Oidc,
        *,
        wall: Callable[[], float],
        authorities: str | None = None,
    ) -> None:
        """``wall`` gives seconds since the epoch: tokens tell dates.

        TLS is verified against ``authorities`` (PEM), the system's where it is None.
        """
        self.config = config
        self._clock = reactor
        self._wall = wall
        self._agent = ProviderAgent(
            reactor, connect_timeout=SECONDS, authorities=authorities, persistent=False
        )
        self._turn = DeferredLock()
        self._told: _Told | None = None
        self._told_at = -math.inf
        self._keys: tuple[dict[str, Any], ...] = ()
        self._keys_at = -math.inf
        self._failed_at = -math.inf

    async def page(self, begun: Round) -> str:
        """Give the URL at which somebody signs in there.

        Raises OpenIdProblem. Cancelling is harmless.
        """
        told = await self._itself()
        challenge = urlsafe_b64encode(sha256(begun.verifier.encode()).digest())
        asked = {
            "response_type": "code",
            "client_id": self.config.client_id,
            "redirect_uri": begun.back,
            "scope": " ".join(dict.fromkeys(("openid", *self.config.scopes))),
            "state": begun.state,
            "nonce": begun.nonce,
            "code_challenge": challenge.rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        joint = "&" if urlsplit(told.authorization_endpoint).query else "?"
        return f"{told.authorization_endpoint}{joint}{urlencode(asked)}"

    async def claims(self, code: str, begun: Round) -> Claims:
        """Give whom the provider let in with this code, which works once.

        Raises OpenIdProblem. Cancelling resets the connection.
        """
        told = await self._itself()
        tokens = await self._exchanged(told, code, begun)
        claims = await self._judged(told, tokens.id_token, begun.nonce)
        # Claims of a scope need not be in the token (Core, section 5.4).
        if claims.email is None and told.userinfo_endpoint and tokens.access_token:
            bearer = {"authorization": f"Bearer {tokens.access_token}"}
            body = await self._get(told.userinfo_endpoint, bearer)
            info = _read(body, _UserInfo, "about somebody")
            if info.sub != claims.subject:
                raise OpenIdProblem("It told about somebody else than who signed in.")
            if info.email_verified in (True, "true"):
                return msgspec.structs.replace(claims, email=info.email)
        return claims

    # -- what it tells of itself ---------------------------------------------------

    async def _itself(self) -> _Told:
        """Give what the provider told of itself, asking where that is long ago."""
        await self._turn.acquire()
        try:
            now = self._clock.seconds()
            if self._told is None or now - self._told_at > FRESH_S:
                if now - self._failed_at < REST_S:
                    raise OpenIdProblem("It failed a moment ago and is left alone.")
                try:
                    self._told = await self._discovered()
                except OpenIdProblem:
                    self._failed_at = self._clock.seconds()
                    raise
                self._told_at = self._clock.seconds()
            return self._told
        finally:
            self._turn.release()

    async def _discovered(self) -> _Told:
        issuer = self.config.issuer
        told = _read(
            await self._get(issuer.rstrip("/") + WELL_KNOWN), _Told, "of itself"
        )
        if told.issuer != issuer:
            raise OpenIdProblem(
                f"It calls itself {told.issuer[:200]!r}: write that as 'issuer'."
            )
        for url in (
            told.authorization_endpoint,
            told.token_endpoint,
            told.jwks_uri,
            told.userinfo_endpoint or told.token_endpoint,
        ):
            # Plain HTTP only where the operator has it so, on this machine.
            if not url.startswith(("https://", f"{urlsplit(issuer).scheme}://")):
                raise OpenIdProblem("It names an address without TLS.")
            # One of them becomes a header of ours.
            if not _URL.fullmatch(url):
                raise OpenIdProblem("It names an address that is none.")
        return told

    async def _judged(self, told: _Told, token: str, nonce: str) -> Claims:
        # The library behind it is an extra, and its import takes a while.
        from lightweight.upstream.id_token import (  # noqa: PLC0415
            TokenProblem,
            UnknownKey,
            judged,
        )

        def judge() -> Claims:
            return judged(
                token,
                self._keys,
                issuer=told.issuer,
                client_id=self.config.client_id,
                nonce=nonce,
                now=self._wall(),
            )

        try:
            if self._clock.seconds() - self._keys_at > FRESH_S:
                await self._learn_keys(told)
            try:
                return judge()
            except UnknownKey:
                # Keys are replaced from time to time (Core, section 10.1.1).
                if self._clock.seconds() - self._keys_at < KEYS_AGAIN_S:
                    raise
            await self._learn_keys(told)
            return judge()
        except TokenProblem as problem:
            raise OpenIdProblem(f"It sent a token that {problem}.") from None

    async def _learn_keys(self, told: _Told) -> None:
        self._keys = _read(await self._get(told.jwks_uri), _Keys, "of its keys").keys
        self._keys_at = self._clock.seconds()

    # -- asking --------------------------------------------------------------------

    async def _exchanged(self, told: _Told, code: str, begun: Round) -> _Tokens:
        """Give the tokens for a code (RFC 6749, section 4.1.3)."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": begun.back,
            "code_verifier": begun.verifier,
        }
        name, secret = self.config.client_id, self.config.client_secret.reveal()
        fields = {"content-type": "application/x-www-form-urlencoded"}
        if "client_secret_basic" in told.token_endpoint_auth_methods_supported:
            pair = f"{quote_plus(name)}:{quote_plus(secret)}".encode()
            fields["authorization"] = f"Basic {b64encode(pair).decode()}"
        else:
            form |= {"client_id": name, "client_secret": secret}
        body = await self._asked(
            "POST", told.token_endpoint, fields, urlencode(form).encode()
        )
        return _read(body, _Tokens, "about tokens")

    async def _get(self, url: str, fields: Mapping[str, str] | None = None) -> bytes:
        return await self._asked("GET", url, fields or {}, None)

    async def _asked(
        self, method: str, url: str, fields: Mapping[str, str], body: bytes | None
    ) -> bytes:
        """Give the body of a good answer; redirects are none."""
        told = {"accept": "application/json", **fields}
        try:
            origin, path = origin_of(url)
            lines = lines_of({name.title(): value for name, value in told.items()})
            length = None if body is None else len(body)
            head = Opening(origin, "").head(method, path or "/", lines, length)
        except ValueError:
            raise OpenIdProblem("It names an address that is none.") from None
        incoming = Incoming(
            self._agent.deadlines,
            name=self.config.name,
            first_byte=SECONDS,
            idle=SECONDS,
            total=SECONDS,
        )
        try:
            await self._agent.pool(origin).ask(Request(head, body or b""), incoming)
        except CancelledError:
            if incoming.fault is not None:
                raise OpenIdProblem(incoming.fault.message) from None
            raise
        except FAILURES as error:
            fault: ProviderFault = fault_of(self.config.name, error)
            raise OpenIdProblem(fault.message) from None
        answer = await read_start(incoming, ANSWER_BYTES)
        if incoming.status != _OK:
            raise OpenIdProblem(
                f"It answered {urlsplit(url).path!r} with {incoming.status}"
                f"{_reason(answer)}."
            )
        return answer


def _read(body: bytes, shape: type[T], about: str) -> T:
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise OpenIdProblem(f"What it tells {about} cannot be read.") from None


def _reason(answer: bytes) -> str:
    """Give the word by which OAuth tells what is wrong (RFC 6749, section 5.2)."""
    try:
        word = msgspec.json.decode(answer, type=_Refusal).error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    known = word and len(word) <= _LONGEST_WORD and word.isprintable()
    return f" ({word})" if known else ""
