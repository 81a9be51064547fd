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
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

import msgspec
from msgspec import Raw

from lightweight.errors import BadRequest

MAX_DEPTH = 128
"""How deep objects and arrays may nest, the body itself counted."""

_OBJECT = msgspec.json.Decoder(dict[str, Raw])
_OBJECTS = msgspec.json.Decoder(list[dict[str, Raw]])
_ARRAY = msgspec.json.Decoder(list[Raw])
_LARGE = 4096
_OPENS_LIST, _OPENS_STRING = b'["'
_EMPTY = Raw(b'""')
_BOM = b"\xef\xbb\xbf"
_WINDOW = 256 * 1024
_LONG_STRING = 512
# Larger bodies are refused without looking for the field to blame.
_BLAME_LIMIT = 1024 * 1024
_NO_BRACKET = bytes(set(range(256)) - set(b"[]{}"))
# As signed bytes: +1 opens a level, -1 closes one.
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
_ZEROS = b"0" * 300
# One byte for each kind of what a flaw is made of.
_MARKS = bytes.maketrans(b"123456789E[", b"000000000e{")
_NUMBER = re.compile(rb"[0-9][0-9.eE+-]*")


def decode_object(body: bytes) -> dict[str, Raw]:
    """Give the members of the object in ``body``; raise BadRequest if it is not sound.

    ``param`` names the member to blame where there is one.
    """
    fields, _ = decode_outlined(body)
    return fields


def decode_outlined(body: bytes) -> tuple[dict[str, Raw], dict[str, Raw]]:
    """Give the members of the object in ``body``, and their outline.

    Raises as ``decode_object`` does.
    """
    fields = members_of(body)
    return fields, outline_of(body, fields)


def members_of(body: bytes) -> dict[str, Raw]:
    """Give the members of the object in ``body``; raise BadRequest if it is none.

    Whether they are sound is for ``outline_of`` to say.
    """
    try:
        return _OBJECT.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _unreadable(body) or _malformed(body, error) from None


def outline_of(body: bytes, fields: dict[str, Raw]) -> dict[str, Raw]:
    """Give the members of ``body`` again, with empty strings for long ones.

    Those are for who looks at their form alone: there is much less of them to read.
    Some may stay where there are escapes. Raises as ``decode_object`` does.
    """
    if not body.isascii() and (fault := _unreadable(body)):
        raise fault
    short = _shortened(body, fields)
    outline = fields if short is body else _OBJECT.decode(short)
    if flaw := _find_flaw(short, MAX_DEPTH, outline):
        raise _flaw(flaw, _culprit(fields))
    return outline


def _unreadable(body: bytes) -> BadRequest | None:
    """Say why ``body`` is no text at all, if it is none."""
    if not body.strip():
        return BadRequest("The request body is empty. Send a JSON object.")
    if body.startswith(_BOM):
        return BadRequest(
            "The request body starts with a byte order mark. Send UTF-8 without one."
        )
    try:
        body.decode()
    except UnicodeDecodeError as error:
        return BadRequest(f"The request body is not valid UTF-8 (byte {error.start}).")
    return None


_TOO_DEEP = f"nests objects and arrays deeper than {MAX_DEPTH} levels"
_TOO_LARGE = "has a number that is too large"
_NOT_JSON = "has a value that JSON does not know: NaN or Infinity"
_SURROGATE = "has an unpaired surrogate: \\ud800 to \\udfff come in pairs only"


def _flaw(flaw: str, param: str | None = None) -> BadRequest:
    where = "The request body" if param is None else f"Invalid '{param}': it"
    return BadRequest(f"{where} {flaw}.", param=param)


def _find_flaw(
    text: bytes, depth: int, members: Mapping[str, Raw] | None = None
) -> str | None:
    """Say what is wrong with the valid JSON ``text``, looking past its long strings.

    ``members`` are those of the object it is, where they are known.
    """
    if len(text) < _LARGE or depth <= 1 or b"\\" not in text:
        return _scan(text, depth)
    parts, levels = _parts(text, members)
    if parts is None:
        return _scan(text, depth)
    # Each look costs something, so the small ones are looked at together.
    small = [bytes(part) for part in parts if len(part) < _LARGE]
    small = [part for part in small if not part.startswith(b'"')]
    large = (bytes(part) for part in parts if len(part) >= _LARGE)
    flaws = (_find_flaw(part, depth - levels) for part in large)
    return _scan(b",".join(small), depth - levels) or next(filter(None, flaws), None)


def _parts(
    text: bytes, members: Mapping[str, Raw] | None
) -> tuple[Sequence[Raw] | None, int]:
    """Give the values inside of ``text``, and how many levels deep they stand.

    None where some of them may be missing: a repeated key hides its earlier values.
    None does where the members are all there is, written as most clients write them.
    """
    first = text[:1]
    if first == b'"':
        return (), 1
    if first == b"{":
        if members is None:
            members = _OBJECT.decode(text)
        return (list(members.values()) if _are_all(text, [members]) else None), 1
    if first != b"[":
        return None, 1
    try:
        # What is large is messages mostly, parts of them, or tools.
        objects = _OBJECTS.decode(text)
    except msgspec.ValidationError:
        return _ARRAY.decode(text), 1
    if _are_all(text[1:-1], objects):
        return [value for each in objects for value in each.values()], 2
    return _ARRAY.decode(text), 1


def _are_all(text: bytes, objects: Sequence[Mapping[str, Raw]]) -> bool:
    """Tell whether ``text`` is these objects alone, one after the other."""
    return _compact_size(objects) == len(text) or _is_spaced(text, objects)


def _compact_size(objects: Sequence[Mapping[str, Raw]]) -> int:
    """Give the size of these objects with commas and without any space.

    Nothing could be written shorter, so a text of that size is nothing else.
    """
    # A member has two quotes, a colon and a comma or the last brace.
    return sum(
        2 + max(1, sum(len(key) + 4 + len(value) for key, value in each.items()))
        for each in objects
    ) - len(objects[:1])


def _is_spaced(text: bytes, objects: Sequence[Mapping[str, Raw]]) -> bool:
    """Tell whether there is a space after each comma and colon, as Python writes."""
    at, next_one = 0, b"{"
    for members in objects:
        before = next_one
        for key, value in members.items():
            name = b'%b"%b": ' % (before, key.encode())
            begin = at + len(name)
            if not (text.startswith(name, at) and text.startswith(value, begin)):
                return False
            at, before = begin + len(value), b", "
        next_one = b"}, {"
    return text[at:] == b"}"


def _scan(text: bytes, depth: int) -> str | None:
    if len(text) <= _WINDOW and not _is_suspect(text, depth):
        return None
    bare = _without_strings(text)
    if not _is_suspect(bare, depth):
        return None
    steps = array("b", bare.translate(_STEPS, _NO_BRACKET))
    if max(accumulate(steps), default=0) > depth:
        return _TOO_DEEP
    if any(math.isinf(float(number[0])) for number in _NUMBER.finditer(bare)):
        return _TOO_LARGE
    return None


def _is_suspect(text: bytes, depth: int) -> bool:
    """Tell whether ``text`` could have a flaw, its strings taken for more of the like.

    A number that no double holds has an exponent of two digits, or 300 digits.
    """
    marks = text.translate(_MARKS)
    return (
        marks.count(b"{") > depth
        or b"0e00" in marks
        or b"0e+00" in marks
        or (len(marks) >= len(_ZEROS) and _ZEROS in marks)
    )


def _culprit(fields: dict[str, Raw]) -> str | None:
    for key, raw in fields.items():
        if _find_flaw(bytes(raw), MAX_DEPTH - 1):
            return key
    return None  # a repeated key's earlier value, which is not kept


def _shortened(body: bytes, fields: Mapping[str, Raw]) -> bytes:
    """Give the object without its long strings, as far as they are found quickly."""
    short = without_long_strings(body)
    if short is not body or len(body) < _LARGE or not _are_all(body, [fields]):
        return short
    return msgspec.json.encode({name: _emptied(raw) for name, raw in fields.items()})


def _emptied(raw: Raw) -> Raw:
    """Give a string, or a list of objects that hold strings, without long ones."""
    if len(raw) < _LARGE:
        return raw
    view = memoryview(raw)
    if view[0] != _OPENS_LIST:
        return _without_long(raw)
    try:
        objects = _OBJECTS.decode(view)
    except msgspec.ValidationError:
        return raw
    if not _are_all(bytes(view[1:-1]), objects):
        return raw
    return Raw(
        msgspec.json.encode(
            [
                {name: _without_long(value) for name, value in each.items()}
                for each in objects
            ]
        )
    )


def _without_long(value: Raw) -> Raw:
    """Give an empty string for a long one."""
    if len(value) > _LONG_STRING and memoryview(value)[0] == _OPENS_STRING:
        return _EMPTY
    return value


def without_long_strings(text: bytes) -> bytes:
    """Give valid JSON with empty strings in the place of long ones.

    Where it is small or has escapes it is given as it is.
    """
    if len(text) < _LARGE or b"\\" in text:
        return text
    pieces = []
    done = 0
    for begin, end in _strings(text):
        if end - begin > _LONG_STRING:
            pieces.append(text[done : begin + 1])
            done = end - 1
    pieces.append(text[done:])
    return b"".join(pieces)


def _strings(text: bytes) -> Iterator[tuple[int, int]]:
    """Give where the first strings of JSON without escapes stand, with their quotes.

    So many that finding them is quick, which it is where they are long.
    """
    at = 0
    for _ in range(len(text) // _LONG_STRING):
        begin = text.find(b'"', at)
        if begin < 0:
            return
        at = text.index(b'"', begin + 1) + 1
        yield begin, at


def _without_strings(text: bytes) -> bytes:
    """Give valid JSON ``text`` without what stands between quotes.

    In windows, so that the list of pieces stays small where the body is large.
    """
    if b"\\" in text:
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    if len(text) < _LARGE:
        return b"".join(text.split(b'"')[::2])
    bare = []
    done = 0
    for begin, end in _strings(text):
        bare.append(text[done:begin])
        done = end
    inside = 0
    for at in range(done, len(text), _WINDOW):
        pieces = text[at : at + _WINDOW].split(b'"')
        bare.append(b"".join(pieces[inside::2]))
        inside ^= (len(pieces) - 1) & 1
    return b"".join(bare)


def _malformed(body: bytes, error: Exception) -> BadRequest:
    if isinstance(error, RecursionError):
        return _flaw(_TOO_DEEP)
    if isinstance(error, msgspec.ValidationError):
        return BadRequest("The request body must be a JSON object.")
    if len(body) <= _BLAME_LIMIT and (fault := _blame(body)):
        return fault
    reason = str(error).removeprefix("JSON is malformed: ")
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
