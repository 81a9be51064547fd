"""An ID token judged: who signed it, for whom, until when.

OpenID Connect Core 1.0, section 3.1.3.7; RFC 8725. PyJWT is an extra: this file is
imported when somebody signs in by a provider.
"""

from collections.abc import Sequence
from typing import Any

import jwt
import msgspec

from lightweight.records import Claims

ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
)
"""Signatures that only who holds a private key can make: never ``none`` or HMAC."""

LEEWAY_S = 60.0
"""By how much two clocks may differ."""

LONGEST = 16 * 1024

_STRICT: Any = {
    "require": ["iss", "aud", "sub", "exp", "nonce"],
    "enforce_minimum_key_length": True,
    # PyJWT would look at a clock of its own.
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
}


class TokenProblem(Exception):
    """The token proves nothing; the text continues "it sent a token that …"."""


class UnknownKey(TokenProblem):
    """No key given has signed it: maybe there are newer ones."""


class _Said(msgspec.Struct):
    sub: str
    nonce: str
    exp: float
    nbf: float = 0
    azp: str | None = None
    aud: str | list[str] = ""
    email: str | None = None
    email_verified: bool | str | None = None


def judged(
    token: str,
    keys: Sequence[dict[str, Any]],
    *,
    issuer: str,
    client_id: str,
    nonce: str,
    now: float,
) -> Claims:
    """Give what a token proves; ``keys`` are the issuer's (RFC 7517, section 5).

    ``now`` is in seconds since the epoch. Raises TokenProblem.
    """
    if len(token) > LONGEST:
        raise TokenProblem("is too long")
    key = _key(token, keys)
    try:
        body = jwt.decode_complete(
            token,
            key,
            algorithms=[key.algorithm_name],
            audience=client_id,
            issuer=issuer,
            options=_STRICT,
        )["payload"]
    except jwt.InvalidIssuerError:
        raise TokenProblem("is another issuer's") from None
    except jwt.InvalidAudienceError:
        raise TokenProblem("is for somebody else") from None
    except jwt.InvalidSignatureError:
        raise UnknownKey("is not signed by its key") from None
    except jwt.MissingRequiredClaimError as error:
        raise TokenProblem(f"has no {error.claim}") from None
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise TokenProblem("cannot be read") from None
    try:
        said = msgspec.convert(body, _Said, strict=True)
    except msgspec.ValidationError:
        raise TokenProblem("has a claim of a wrong type") from None
    _check(said, client_id=client_id, nonce=nonce, now=now)
    verified = said.email_verified in (True, "true")
    return Claims(
        issuer=issuer, subject=said.sub, email=said.email if verified else None
    )


def _check(said: _Said, *, client_id: str, nonce: str, now: float) -> None:
    if said.exp + LEEWAY_S <= now:
        raise TokenProblem("has expired: compare the clocks of both machines")
    if said.nbf - LEEWAY_S > now:
        raise TokenProblem("is not valid yet: compare the clocks of both machines")
    many = isinstance(said.aud, list) and len(said.aud) > 1
    if (many or said.azp is not None) and said.azp != client_id:
        raise TokenProblem("is for somebody else")
    # No secret: who has the token has it, too.
    if said.nonce != nonce:
        raise TokenProblem("belongs to another sign-in (its nonce is wrong)")
    if not said.sub:
        raise TokenProblem("names nobody")


def _key(token: str, keys: Sequence[dict[str, Any]]) -> jwt.PyJWK:
    """Give the key a token says it is signed with, bound to its one algorithm."""
    try:
        head = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError):
        raise TokenProblem("cannot be read") from None
    algorithm, name = head.get("alg"), head.get("kid")
    if algorithm not in ALGORITHMS:
        raise TokenProblem("is not signed in a way that is safe")
    usable: list[jwt.PyJWK] = []
    for each in keys:
        if name is not None and each.get("kid") != name:
            continue
        if each.get("alg", algorithm) != algorithm or each.get("use", "sig") != "sig":
            continue
        try:
            usable.append(jwt.PyJWK(each, algorithm))
        except (jwt.PyJWTError, ValueError, TypeError, KeyError):
            continue  # it is of another kind
    if len(usable) != 1:
        raise UnknownKey("is signed with a key that it does not publish")
    return usable[0]
