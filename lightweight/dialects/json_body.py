"""A client's JSON body: its top level, once everything in it is known to be sound.

What providers and Python disagree about is refused here: NaN, infinite numbers, lone
surrogates, endless nesting (RFC 8259, sections 6 to 9). Nested values stay the
client's bytes; of a repeated key the last value stays, as in most decoders, so that
what is checked is what is sent.
"""

import json
import math
import re
from array import array
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import msgspec
from msgspec import Raw

from lightweight.errors import BadRequest

MAX_DEPTH = 128
"""How deep objects and arrays may nest, the body itself counted."""

_OBJECT = msgspec.json.Decoder(dict[str, Raw])
_ARRAY = msgspec.json.Decoder(list[Raw])
_LARGE = 4096
_BOM = b"\xef\xbb\xbf"
_WINDOW = 256 * 1024
# Larger bodies are refused without looking for the field to blame.
_BLAME_LIMIT = 1024 * 1024
_NO_BRACKET = bytes(set(range(256)) - set(b"[]{}"))
# As signed bytes: +1 opens a level, -1 closes one.
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
# A number that no double holds has at least 300 digits or an exponent of two.
_HUGE = re.compile(rb"[0-9][eE]\+?[0-9]{2}|(?<![0-9])[0-9]{300}")
_NUMBER = re.compile(rb"[0-9][0-9.eE+-]*")


def decode_object(body: bytes) -> dict[str, Raw]:
    """Give the members of the object in ``body``; raise BadRequest if it is not sound.

    ``param`` names the member to blame where there is one.
    """
    if not body.strip():
        raise BadRequest("The request body is empty. Send a JSON object.")
    if body.startswith(_BOM):
        raise BadRequest(
            "The request body starts with a byte order mark. Send UTF-8 without one."
        )
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise BadRequest(
            f"The request body is not valid UTF-8 (byte {error.start})."
        ) from None
    try:
        fields = _OBJECT.decode(body)
    except msgspec.ValidationError:
        raise BadRequest("The request body must be a JSON object.") from None
    except msgspec.DecodeError as error:
        raise _malformed(body, str(error)) from None
    except RecursionError:
        raise _flaw(_TOO_DEEP) from None
    if flaw := _find_flaw(body, MAX_DEPTH):
        raise _flaw(flaw, _culprit(fields))
    return fields


_TOO_DEEP = f"nests objects and arrays deeper than {MAX_DEPTH} levels"
_TOO_LARGE = "has a number that is too large"
_NOT_JSON = "has a value that JSON does not know: NaN or Infinity"
_SURROGATE = "has an unpaired surrogate: \\ud800 to \\udfff come in pairs only"


def _flaw(flaw: str, param: str | None = None) -> BadRequest:
    where = "The request body" if param is None else f"Invalid '{param}': it"
    return BadRequest(f"{where} {flaw}.", param=param)


def _find_flaw(text: bytes | Raw, depth: int) -> str | None:
    """Say what is wrong with the valid JSON ``text``, looking past its long strings."""
    parts = _parts(text) if len(text) >= _LARGE and depth > 0 else None
    small = [part for part in parts or () if len(part) < _LARGE]
    if parts is None or sum(map(len, small)) * 2 > len(text):
        return _scan(bytes(text), depth)
    # Each look costs something, so the small ones are looked at together.
    large = (part for part in parts if len(part) >= _LARGE)
    flaws = (_find_flaw(part, depth - 1) for part in large)
    return _scan(b",".join(small), depth - 1) or next(filter(None, flaws), None)


def _parts(text: bytes | Raw) -> Sequence[Raw] | None:
    """Give the values inside of ``text``; None where some of them may be missing.

    A repeated key hides its earlier values. None does where the members are all there
    is, written as most clients write them.
    """
    first = bytes(memoryview(text)[:1])
    if first == b'"':
        return ()
    if first == b"[":
        return _ARRAY.decode(text)
    if first != b"{":
        return None
    members = _OBJECT.decode(text)
    if _is_compact(text, members) or _is_spaced(bytes(text), members):
        return list(members.values())
    return None


def _is_compact(text: bytes | Raw, members: Mapping[str, Raw]) -> bool:
    """Tell whether ``text`` is these members alone, without any space between them.

    Nothing could be written shorter, so the size is proof.
    """
    # With its quotes, its colon and a comma or the last brace.
    size = sum(len(key) + 4 + len(value) for key, value in members.items())
    return size + 1 == len(text)


def _is_spaced(text: bytes, members: Mapping[str, Raw]) -> bool:
    """Tell the same of members with a space after each comma and colon, as Python's."""
    at, before = 0, b"{"
    for key, value in members.items():
        name = b'%b"%b": ' % (before, key.encode())
        if not text.startswith(name, at) or not text.startswith(value, at + len(name)):
            return False
        at, before = at + len(name) + len(value), b", "
    return text[at:] == b"}"


def _scan(text: bytes, depth: int) -> str | None:
    bare = _without_strings(text)
    steps = array("b", bare.translate(_STEPS, _NO_BRACKET))
    if max(accumulate(steps), default=0) > depth:
        return _TOO_DEEP
    if _HUGE.search(bare) and any(
        math.isinf(float(number[0])) for number in _NUMBER.finditer(bare)
    ):
        return _TOO_LARGE
    return None


def _culprit(fields: dict[str, Raw]) -> str | None:
    for key, raw in fields.items():
        if _find_flaw(raw, MAX_DEPTH - 1):
            return key
    return None  # a repeated key's earlier value, which is not kept


def _without_strings(text: bytes) -> bytes:
    """Give valid JSON ``text`` without what stands between quotes.

    In windows, so that the list of pieces stays small where the body is large.
    """
    if b"\\" in text:
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    bare = []
    inside = 0
    for at in range(0, len(text), _WINDOW):
        pieces = text[at : at + _WINDOW].split(b'"')
        bare.append(b"".join(pieces[inside::2]))
        inside ^= (len(pieces) - 1) & 1
    return b"".join(bare)


def _malformed(body: bytes, reason: str) -> BadRequest:
    if len(body) <= _BLAME_LIMIT and (fault := _blame(body)):
        return fault
    reason = reason.removeprefix("JSON is malformed: ")
    return BadRequest(f"The request body is not valid JSON: {reason}.")


def _blame(body: bytes) -> BadRequest | None:
    """Find the member that holds NaN or a lone surrogate: Python's decoder takes both.

    None where something else is wrong.
    """
    try:
        lenient = json.loads(body)
        members = lenient.items() if isinstance(lenient, dict) else ()
        for key, value in members:
            if flaw := _python_flaw(key):
                return _flaw(flaw)
            if flaw := _python_flaw(value):
                return _flaw(flaw, key)
    except (ValueError, RecursionError):
        pass
    return None


def _python_flaw(value: Any) -> str | None:
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        return _SURROGATE
    except ValueError:
        return _NOT_JSON
    return None
