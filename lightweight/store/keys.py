"""The form of a key and what is kept of it (SPEC section 3).

A key is ``lw-``, 43 base62 digits of 256 random bits, and 6 base62 digits of the CRC32
of all that stands before: a typing error or a truncated paste is seen without a store.
"""

import hmac
import re
import string
import zlib
from collections.abc import Callable

PREFIX = "lw-"

_SECRET_BYTES = 32
_SECRET_DIGITS = 43
_CHECK_DIGITS = 6
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_BODY = len(PREFIX) + _SECRET_DIGITS
_SHAPE = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{_SECRET_DIGITS + _CHECK_DIGITS}}}")
_SHORTEST_SHOWN = 24


def mint(random_bytes: Callable[[int], bytes]) -> str:
    """Make a new key out of 32 bytes of ``random_bytes``, a source fit for secrets."""
    secret = int.from_bytes(random_bytes(_SECRET_BYTES), "big")
    body = PREFIX + _base62(secret, _SECRET_DIGITS)
    return body + _checksum(body)


def plausible(key: str) -> bool:
    """Tell whether ``key`` has the shape and the checksum of a key; touches no store.

    Any text is safe, whatever its length.
    """
    if _SHAPE.fullmatch(key) is None:
        return False
    return _checksum(key[:_BODY]) == key[_BODY:]


def shown(key: str) -> str:
    """Give the first 8 and the last 4 characters, by which people know a key again."""
    if len(key) < _SHORTEST_SHOWN:
        return "…"  # too short to be a key of ours, and half of it would be told
    return f"{key[:8]}…{key[-4:]}"


def digest(pepper: bytes, key: str) -> bytes:
    """Give what is stored instead of a key: HMAC-SHA256 with the pepper, 32 bytes.

    A fast hash is right: 256 random bits cannot be guessed, and a slow one would let
    strangers keep the processor busy.
    """
    return digester(pepper)(key)


def digester(pepper: bytes) -> Callable[[str], bytes]:
    """Give ``digest`` with the pepper taken in already, for who asks it often."""
    peppered = hmac.new(pepper, digestmod="sha256")

    def digest_of(key: str) -> bytes:
        made = peppered.copy()
        made.update(key.encode("utf-8", "surrogatepass"))
        return made.digest()

    return digest_of


def _base62(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode("ascii")), _CHECK_DIGITS)
