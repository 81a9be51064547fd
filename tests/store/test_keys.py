import hashlib
import hmac
import string
import zlib

from hypothesis import given
from hypothesis import strategies as st

from lightweight.store.keys import digest, digester, mint, plausible, shown

DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase

minted = st.binary(min_size=32, max_size=32).map(lambda raw: mint(lambda _: raw))


def number(text: str) -> int:
    value = 0
    for digit in text:
        value = value * 62 + DIGITS.index(digit)
    return value


@given(st.binary(min_size=32, max_size=32))
def test_a_key_holds_all_the_random_bits_and_their_checksum(raw: bytes) -> None:
    asked = []

    def random_bytes(count: int) -> bytes:
        asked.append(count)
        return raw

    key = mint(random_bytes)
    assert asked == [32]
    assert len(key) == 3 + 43 + 6
    assert key.startswith("lw-")
    assert number(key[3:46]).to_bytes(32, "big") == raw
    assert number(key[46:]) == zlib.crc32(key[:46].encode())


def test_a_key_never_changes_its_form() -> None:
    """Keys in the hands of users: a change of the checksum would refuse them all."""
    assert mint(bytes) == "lw-" + "0" * 43 + "03I6XI"
    assert (
        mint(lambda count: b"\xff" * count)
        == "lw-yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp136Llk0"
    )


@given(minted)
def test_every_minted_key_is_plausible(key: str) -> None:
    assert plausible(key)


@given(minted, st.integers(0, 51), st.sampled_from(DIGITS + "-_ é0"))
def test_one_wrong_character_is_seen(key: str, at: int, wrong: str) -> None:
    typo = key[:at] + wrong + key[at + 1 :]
    assert plausible(typo) == (typo == key)


@given(minted, st.integers(0, 51))
def test_a_part_of_a_key_is_none(key: str, length: int) -> None:
    assert not plausible(key[:length])
    assert not plausible(key[length:] + key[length:]) or length == 0


@given(minted)
def test_what_stands_around_a_key_is_no_part_of_it(key: str) -> None:
    for text in (f"{key}\n", f" {key}", f"{key}\0", f"Bearer {key}", key.upper()):
        assert not plausible(text)


@given(st.text(st.characters()))
def test_any_text_is_safe(text: str) -> None:
    assert not plausible(text)
    assert len(digest(b"pepper", text)) == 32
    assert isinstance(shown(text), str)


def test_hostile_text_is_safe() -> None:
    for text in ("lw-" + "\u0661" * 49, "\ud800" * 52, "lw-" + "a" * 10_000_000, ""):
        assert not plausible(text)
        assert len(digest(b"pepper", text)) == 32


def test_shown_is_the_first_8_and_the_last_4_characters() -> None:
    key = mint(bytes)
    assert shown(key) == "lw-00000…I6XI"


def test_shown_never_tells_most_of_a_short_text() -> None:
    assert shown("lw-abcdefghijk") == "…"


@given(minted, st.binary(min_size=1))
def test_the_digest_is_hmac_sha256_with_the_pepper(key: str, pepper: bytes) -> None:
    expected = hmac.new(pepper, key.encode(), hashlib.sha256).digest()
    assert digest(pepper, key) == expected
    assert digest(pepper + b"x", key) != expected
    digest_of = digester(pepper)
    assert digest_of("another") != expected
    assert digest_of(key) == expected
