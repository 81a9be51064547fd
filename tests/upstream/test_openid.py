"""What we ask a provider of OpenID Connect, and what of its answers we believe."""

import json
from base64 import b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

from twisted.internet.defer import CancelledError, Deferred, gatherResults

import jwt
import pytest
import pytest_twisted
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from support.scripted import SILENCE, ScriptedProvider, SeenRequest, whole
from support.tls import authority

from lightweight.config.schema import Oidc
from lightweight.config.secret import Secret
from lightweight.upstream import openid
from lightweight.upstream.openid import (
    ANSWER_BYTES,
    OpenIdProblem,
    OpenIdProvider,
    Round,
)

NOW = 1_795_000_000.0
BEGUN = Round(
    back="https://ai.example.org/back", state="st", nonce="no", verifier="v" * 43
)
KEYS = [rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in "ab"]


class Identity:
    """A scripted provider whose answers a test changes."""

    def __init__(self, scripted: ScriptedProvider) -> None:
        self.scripted = scripted
        self.issuer = scripted.base_url
        self.key = 0
        self.claims: dict[str, Any] = {}
        self.told: dict[str, Any] = {}
        self.info: dict[str, Any] = {}
        self.replies: dict[str, tuple[int, bytes]] = {}
        scripted.choose(self.answer)

    def answer(self, request: SeenRequest) -> Any:
        name = request.path.rpartition("/")[2]
        if name in self.replies:
            status, body = self.replies[name]
            return whole(status, {}, body)
        made = {
            "openid-configuration": self.itself,
            "keys": self.keys,
            "token": self.tokens,
            "me": lambda: self.info,
        }
        return whole(200, {}, json.dumps(made[name]()).encode())

    def itself(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/me",
            **self.told,
        }

    def keys(self) -> dict[str, Any]:
        key = json.loads(RSAAlgorithm.to_jwk(KEYS[self.key].public_key()))
        return {"keys": [{**key, "kid": str(self.key)}]}

    def tokens(self) -> dict[str, Any]:
        claims = {
            "iss": self.issuer,
            "aud": "me & you",
            "sub": "ann",
            "exp": int(NOW) + 60,
            "nonce": "no",
            "email": "ann@acme.org",
            "email_verified": True,
            **self.claims,
        }
        token = jwt.encode(
            claims, KEYS[self.key], algorithm="RS256", headers={"kid": str(self.key)}
        )
        return {"id_token": token, "access_token": "at", "token_type": "Bearer"}

    def asked(self) -> list[str]:
        """Give what was asked for, by the last of each path."""
        return [each.path.rpartition("/")[2] for each in self.scripted.requests]


def client(identity: Identity, **more: Any) -> OpenIdProvider:
    from twisted.internet import reactor

    config = {"issuer": identity.issuer, "client_id": "me & you", "name": "Acme ID"}
    return OpenIdProvider(
        reactor,
        Oidc(client_secret=Secret("s:crét"), **{**config, **more}),
        wall=lambda: NOW,
        authorities=authority().pem.decode(),
    )


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # has no types
async def identity() -> AsyncIterator[Identity]:
    provider = await ScriptedProvider(authority().server()).start()
    yield Identity(provider)
    await provider.stop()


async def test_people_are_sent_with_pkce_state_and_nonce(identity: Identity) -> None:
    identity.told = {"authorization_endpoint": f"{identity.issuer}/authorize?x=y"}
    url = await client(identity, scopes=("openid", "email", "groups")).page(BEGUN)
    assert url.startswith(f"{identity.issuer}/authorize?x=y&")
    challenge = urlsafe_b64encode(sha256(b"v" * 43).digest()).decode().rstrip("=")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert asked == {
        "x": "y",
        "response_type": "code",
        "client_id": "me & you",
        "redirect_uri": BEGUN.back,
        "scope": "openid email groups",
        "state": "st",
        "nonce": "no",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }


async def test_a_code_is_exchanged_with_the_verifier_and_our_secret(
    identity: Identity,
) -> None:
    claims = await client(identity).claims("c0de", BEGUN)
    assert (claims.subject, claims.email) == ("ann", "ann@acme.org")
    assert identity.asked() == ["openid-configuration", "token", "keys"]
    seen = identity.scripted.requests[1]
    kind, _, pair = seen.headers["authorization"].partition(" ")
    assert (kind, b64decode(pair)) == ("Basic", b"me+%26+you:s%3Acr%C3%A9t")
    assert parse_qs(seen.body.decode()) == {
        "grant_type": ["authorization_code"],
        "code": ["c0de"],
        "redirect_uri": [BEGUN.back],
        "code_verifier": [BEGUN.verifier],
    }


async def test_the_secret_goes_into_the_form_where_only_that_is_taken(
    identity: Identity,
) -> None:
    identity.told = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    await client(identity).claims("c0de", BEGUN)
    seen = identity.scripted.requests[1]
    assert "authorization" not in seen.headers
    assert parse_qs(seen.body.decode())["client_secret"] == ["s:crét"]


async def test_what_it_tells_of_itself_is_kept(
    identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = client(identity)
    for _ in range(2):
        await ours.claims("c0de", BEGUN)
    asked = ["openid-configuration", "token", "keys", "token"]
    assert identity.asked() == asked
    monkeypatch.setattr(openid, "FRESH_S", -1.0)
    await ours.claims("c0de", BEGUN)
    assert identity.asked() == asked + asked[:3]


async def test_a_new_key_is_looked_for_once_in_a_while(
    identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = client(identity)
    await ours.claims("c0de", BEGUN)
    identity.key = 1
    with pytest.raises(OpenIdProblem, match="does not publish"):
        await ours.claims("c0de", BEGUN)
    assert identity.asked().count("keys") == 1
    monkeypatch.setattr(openid, "KEYS_AGAIN_S", 0.0)
    await ours.claims("c0de", BEGUN)
    assert identity.asked().count("keys") == 2


async def test_an_address_may_stand_elsewhere(identity: Identity) -> None:
    identity.claims = {"email": None}
    identity.info = {"sub": "ann", "email": "a@b.c", "email_verified": True}
    assert (await client(identity).claims("c0de", BEGUN)).email == "a@b.c"
    assert identity.scripted.requests[-1].headers["authorization"] == "Bearer at"
    identity.info["email_verified"] = False
    assert (await client(identity).claims("c0de", BEGUN)).email is None
    identity.info["sub"] = "eve"
    with pytest.raises(OpenIdProblem, match="somebody else"):
        await client(identity).claims("c0de", BEGUN)


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"aud": "other"}, "for somebody else"),
        ({"nonce": "stolen"}, "another sign-in"),
        ({"exp": int(NOW) - 61}, "has expired"),
        ({"iss": "https://evil.example"}, "another issuer"),
    ],
)
async def test_a_token_that_is_not_ours(
    identity: Identity, claims: dict[str, Any], why: str
) -> None:
    identity.claims = claims
    with pytest.raises(OpenIdProblem, match=why):
        await client(identity).claims("c0de", BEGUN)


@pytest.mark.parametrize(
    ("name", "reply", "why"),
    [
        ("openid-configuration", (404, b""), "with 404"),
        ("openid-configuration", (200, b"<html>"), "cannot be read"),
        ("openid-configuration", (200, b"{}"), "cannot be read"),
        ("openid-configuration", (200, b" " * ANSWER_BYTES + b"{}"), "cannot be read"),
        ("openid-configuration", (302, b""), "with 302"),
        ("token", (400, b'{"error": "invalid_grant"}'), r"\(invalid_grant\)"),
        ("token", (400, b'{"error": "a\\nb"}'), "with 400[.]"),
        ("token", (200, b"[" * 5000), "cannot be read"),
        ("keys", (500, b"\xff"), "with 500"),
        ("keys", (200, b'{"keys": [1]}'), "cannot be read"),
    ],
)
async def test_what_cannot_be_believed(
    identity: Identity, name: str, reply: tuple[int, bytes], why: str
) -> None:
    identity.replies[name] = reply
    with pytest.raises(OpenIdProblem, match=why):
        await client(identity).claims("c0de", BEGUN)


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"issuer": "https://evil.example"}, "calls itself"),
        ({"token_endpoint": "http://127.0.0.1/token"}, "without TLS"),
        ({"authorization_endpoint": "https://a/\r\nSet-Cookie: a=b"}, "is none"),
        ({"jwks_uri": "https:///keys"}, "is none"),
    ],
)
async def test_addresses_that_are_not_asked(
    identity: Identity, told: dict[str, Any], why: str
) -> None:
    identity.told = told
    with pytest.raises(OpenIdProblem, match=why):
        await client(identity).claims("c0de", BEGUN)


async def test_one_that_failed_is_left_alone_for_a_moment(identity: Identity) -> None:
    identity.replies["openid-configuration"] = (500, b"")
    ours = client(identity)
    trying = [Deferred.fromCoroutine(ours.page(BEGUN)) for _ in range(5)]
    for each in trying:
        with pytest.raises(OpenIdProblem):
            await each
    assert len(identity.asked()) == 1
    await identity.scripted.refuse()
    with pytest.raises(OpenIdProblem, match="'Acme ID' refuses connections"):
        await client(identity).page(BEGUN)


async def test_who_comes_at_once_asks_once(identity: Identity) -> None:
    ours = client(identity)
    pages = [Deferred.fromCoroutine(ours.page(BEGUN)) for _ in range(5)]
    assert len(set(await gatherResults(pages))) == 1
    assert len(identity.asked()) == 1


async def test_it_is_not_waited_for_without_end(
    identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openid, "SECONDS", 0.1)
    identity.scripted.script(SILENCE)
    with pytest.raises(OpenIdProblem, match="Acme ID"):
        await client(identity).page(BEGUN)


async def test_giving_up_lets_the_next_one_ask(identity: Identity) -> None:
    identity.scripted.script(SILENCE)
    ours = client(identity)
    asking = Deferred.fromCoroutine(ours.page(BEGUN))
    await identity.scripted.request_seen()
    asking.cancel()
    with pytest.raises(CancelledError):
        await asking
    assert await ours.page(BEGUN)
