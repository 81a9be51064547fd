"""Change top-level members of a JSON object, every other byte left as it is.

For pass-through: an answer whose ``usage`` is cut out or whose ``model`` is set back is
otherwise the provider's own bytes. The object must be valid JSON (RFC 8259) and have
the member: the caller has decoded it and seen both.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

# Possessive, so that a string of many megabytes needs no stack.
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_KEY = re.compile(rb"[\s,]*+(" + _STRING + rb")")
_COLON = re.compile(rb"\s*+:\s*+")
_COMMA = re.compile(rb"\s*+,\s*+")
_SCALAR = re.compile(_STRING + rb"|[^\s,}]++")
_TOKEN = re.compile(_STRING + rb"|[\[\]{}]")
_STEPS = {b"[": 1, b"{": 1, b"]": -1, b"}": -1}
_SPACE = b" \t\r\n"
# A number is looked for without the error that bytes cost Python first.
_BACKSLASH = 92
_ESCAPED_LETTER = re.compile(rb"\\u00[5-7]")


class _Member(NamedTuple):
    key: str
    start: int
    value: int
    end: int


def without(data: bytes, key: str) -> bytes:
    """Give ``data`` without any member ``key``, each gone with one comma."""
    only = _only(data, key)
    if only is not None:
        return _without_one(data, only)
    members = list(_members(data))
    pieces = [data[: members[0].start]]
    for position, member in enumerate(members):
        if member.key == key:
            continue
        if len(pieces) > 1:
            pieces.append(data[members[position - 1].end : member.start])
        pieces.append(data[member.start : member.end])
    pieces.append(data[members[-1].end :])
    return b"".join(pieces)


def replaced(data: bytes, key: str, value: bytes) -> bytes:
    """Give ``data`` with ``value``, a JSON text, as the value of each ``key``."""
    only = _only(data, key)
    if only is not None:
        return data[: only.value] + value + data[only.end :]
    pieces = []
    done = 0
    for member in _members(data):
        if member.key == key:
            pieces += [data[done : member.value], value]
            done = member.end
    pieces.append(data[done:])
    return b"".join(pieces)


def _only(data: bytes, key: str) -> _Member | None:
    """Find the member by its name, which is quick; None where that is not certain.

    It is certain where the quoted name is there once and no letter is written as an
    escape, since the member is known to be there.
    """
    name = b'"%b"' % key.encode()
    start = data.find(name)
    end = start + len(name)
    if start < 0 or data.find(name, end) >= 0:
        return None
    if _BACKSLASH in data and _ESCAPED_LETTER.search(data):
        return None
    return _member(data, key, start, end)


def _without_one(data: bytes, member: _Member) -> bytes:
    before = data[: member.start].rstrip(_SPACE)
    if before.endswith(b","):
        return before[:-1].rstrip(_SPACE) + data[member.end :]
    comma = _COMMA.match(data, member.end)
    return data[: member.start] + data[comma.end() if comma else member.end :]


def _members(data: bytes) -> Iterator[_Member]:
    at = data.index(b"{") + 1
    while match := _KEY.match(data, at):
        key = msgspec.json.decode(match[1], type=str)
        member = _member(data, key, match.start(1), match.end())
        yield member
        at = member.end


def _member(data: bytes, key: str, start: int, end: int) -> _Member:
    """Give the member whose quoted name stands from ``start`` to ``end``."""
    colon = _COLON.match(data, end)
    assert colon is not None  # valid JSON has one there
    value = colon.end()
    return _Member(key, start, value, _value_end(data, value))


def _value_end(data: bytes, at: int) -> int:
    if data[at : at + 1] not in (b"{", b"["):
        scalar = _SCALAR.match(data, at)
        assert scalar is not None  # valid JSON has a value there
        return scalar.end()
    tokens = _TOKEN.finditer(data, at)
    depth = 0
    while True:
        token = next(tokens)  # valid JSON closes what it opens
        depth += _STEPS.get(token[0], 0)
        if not depth:
            return token.end()
