"""Who asks: a credential in the request's headers becomes an Identity.

Whatever is wrong with a credential, the client gets the same InvalidKey: an answer that
told "unknown" from "revoked" would help only someone who guesses.
"""

import re
from collections.abc import Mapping
from typing import Protocol

from lightweight.errors import InvalidKey, ModelDenied
from lightweight.policy.admission import Tier, tier_of
from lightweight.records import Headers, Identity, Model

_KEY = re.compile(r"-*[0-9A-Za-z][0-9A-Za-z-]*")
"""A repeated field arrives joined by commas, which no key contains."""


class Keyring(Protocol):
    """Every live key and whose it is. Dead keys and disabled accounts give None."""

    def digest(self, presented: str) -> bytes:
        """Give what ``holder`` knows a credential by."""

    def holder(self, digest: bytes) -> Identity | None:
        """Answer from memory; None also when only the store could tell."""

    def plausible(self, presented: str) -> bool:
        """Tell whether this has the form of a key, so that the store might know it."""

    async def identify(self, presented: str) -> Identity | None:
        """Answer, with a look into the store if it must be. Cancelling is harmless."""


def _bearer(value: str) -> str:
    scheme, _, token = value.partition(" ")
    if scheme.lower() != "bearer":
        raise InvalidKey
    return token.strip(" ")


def presented_key(headers: Headers) -> str:
    """Give the one credential a request presents (RFC 6750 section 2.1, x-api-key).

    Raises InvalidKey where there is none, it is malformed, or two differ.
    """
    authorization, key = headers.get("authorization"), headers.get("x-api-key")
    if authorization is not None:
        bearer = _bearer(authorization)
        if key not in (None, bearer):
            raise InvalidKey
        key = bearer
    if key is None or not _KEY.fullmatch(key):
        raise InvalidKey
    return key


async def identify(headers: Headers, keyring: Keyring) -> Identity:
    """Give who asks; raise InvalidKey whatever is wrong. Cancelling is harmless."""
    key = presented_key(headers)
    identity = keyring.holder(keyring.digest(key))
    if identity is None:
        identity = await keyring.identify(key)
    if identity is None:
        raise InvalidKey
    return identity


def permits(identity: Identity, model: Model, tiers: Mapping[str, Tier]) -> bool:
    """Tell whether the lists of the account's tier and of the key have the model.

    A list names models by id or alias.
    """
    for names in (tier_of(identity.account.tier, tiers).models, identity.key.models):
        if names is not None and names.isdisjoint((model.id, *model.aliases)):
            return False
    return True


def require_model(identity: Identity, model: Model, tiers: Mapping[str, Tier]) -> None:
    """Raise ModelDenied where the account or the key may not use the model."""
    if permits(identity, model, tiers):
        return
    if identity.key.models is None:
        raise ModelDenied(
            f"This account may not use the model '{model.id}': its tier does not have "
            "it. GET /v1/models lists those it has.",
            param="model",
        )
    raise ModelDenied(
        f"This key may not use the model '{model.id}'. Use another key, or ask "
        "whoever made this one to allow the model.",
        param="model",
    )
