"""What an ID token proves, and all that proves nothing."""

import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from lightweight.upstream.id_token import (
    LEEWAY_S,
    LONGEST,
    TokenProblem,
    UnknownKey,
    judged,
)

ISSUER = "https://id.example.org"
NOW = 1_795_000_000.0
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CURVE = ec.generate_private_key(ec.SECP256R1())
EDWARDS = Ed25519PrivateKey.generate()


def published(key: Any = KEY, **more: str) -> dict[str, Any]:
    kind: dict[type, Any] = {
        rsa.RSAPrivateKey: RSAAlgorithm,
        ec.EllipticCurvePrivateKey: ECAlgorithm,
        Ed25519PrivateKey: OKPAlgorithm,
    }
    to_jwk = next(kind[each].to_jwk for each in kind if isinstance(key, each))
    return {**json.loads(to_jwk(key.public_key())), "kid": "1", **more}


def token(
    key: Any = KEY,
    *,
    algorithm: str = "RS256",
    kid: str | None = "1",
    without: str = "",
    **claims: Any,
) -> str:
    said = {
        "iss": ISSUER,
        "aud": "gateway",
        "sub": "ann",
        "exp": int(NOW) + 60,
        "nonce": "n",
        "email": "ann@acme.org",
        "email_verified": True,
        **claims,
    }
    said.pop(without, None)
    headers = {} if kid is None else {"kid": kid}
    return jwt.encode(said, key, algorithm=algorithm, headers=headers)


def judge(text: str, *keys: dict[str, Any], now: float = NOW) -> Any:
    return judged(
        text,
        keys or [published()],
        issuer=ISSUER,
        client_id="gateway",
        nonce="n",
        now=now,
    )


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [(KEY, "RS256"), (KEY, "PS384"), (CURVE, "ES256"), (EDWARDS, "EdDSA")],
)
def test_a_good_token(key: Any, algorithm: str) -> None:
    found = judge(token(key, algorithm=algorithm), published(key))
    assert (found.issuer, found.subject) == (ISSUER, "ann")
    assert found.email == "ann@acme.org"


def test_its_key_is_found_among_others() -> None:
    keys = published(OTHER, kid="0"), published(CURVE), published()
    assert judge(token(), *keys).subject == "ann"
    assert judge(token(kid=None), published(CURVE), published()).subject == "ann"


@pytest.mark.parametrize(
    "keys",
    [
        [published(OTHER)],
        [published(kid="2")],
        [published(use="enc")],
        [published(alg="PS256")],
        [published(), published(OTHER)],
        [{"kid": "1"}, {"kty": "RSA", "kid": "1"}],
    ],
)
def test_another_key_will_not_do(keys: list[dict[str, Any]]) -> None:
    with pytest.raises(UnknownKey):
        judge(token(), *keys)


@pytest.mark.parametrize("verified", [False, None, "false", "yes"])
def test_an_address_counts_only_when_it_is_verified(verified: Any) -> None:
    assert judge(token(email_verified=verified)).email is None
    assert judge(token(without="email_verified")).email is None
    assert judge(token(email_verified="true")).email == "ann@acme.org"


def hmac_of_the_public_key() -> str:
    """What a verifier takes that lets the token choose between key and secret."""
    secret = KEY.public_key().public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )
    signer = jwt.PyJWS()
    signer._algorithms["HS256"].prepare_key = lambda key: key  # type: ignore[method-assign]  # it refuses to forge
    body = jwt.decode(token(), options={"verify_signature": False})
    return signer.encode(
        json.dumps(body).encode(), secret, "HS256", headers={"kid": "1"}
    )


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (token(iss="https://evil.example"), "another issuer's"),
        (token(aud="other"), "for somebody else"),
        (token(aud=["gateway", "other"]), "for somebody else"),
        (token(aud=["gateway", "other"], azp="other"), "for somebody else"),
        (token(azp="other"), "for somebody else"),
        (token(nonce="stolen"), "another sign-in"),
        (token(exp=int(NOW - LEEWAY_S)), "has expired"),
        (token(exp=True), "wrong type"),
        (token(exp="never"), "wrong type"),
        (token(nbf=int(NOW + LEEWAY_S + 1)), "not valid yet"),
        (token(sub=""), "names nobody"),
        (token(email=["a@b", "c@d"]), "wrong type"),
        *((token(without=name), name) for name in ("iss", "sub", "exp", "nonce")),
        (token(without="aud"), "aud|somebody else"),
        (token(None, algorithm="none"), "not signed in a way"),
        (token("k" * 64, algorithm="HS256"), "not signed in a way"),
        (hmac_of_the_public_key(), "not signed in a way"),
        (token()[:-4] + "AAAA", "not signed by its key"),
        (token().rsplit(".", 1)[0] + ".", "not signed by its key"),
        ("", "cannot be read"),
        ("a.b.c", "cannot be read"),
        ("é.b.c", "cannot be read"),
        ("x" * (LONGEST + 1), "too long"),
    ],
)
def test_what_proves_nothing(made: str, why: str) -> None:
    with pytest.raises(TokenProblem, match=why):
        judge(made)


def test_several_audiences_of_which_we_asked() -> None:
    made = token(aud=["gateway", "other"], azp="gateway")
    assert judge(made).subject == "ann"


def test_a_key_that_is_too_short_is_refused() -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    with pytest.warns(UserWarning, match="below"):
        made = token(short)
    with pytest.raises(TokenProblem, match="cannot be read"):
        judge(made, published(short))
