"""Whose seals a conversation brings back: who can go on with it.

A provider refuses thoughts that another one sealed, and where they are left out its
model has lost them in the midst of its work. So the last seal decides.
"""

import re
from collections.abc import Mapping

from lightweight.dialects.seals import MARK, WORD, clear_until, without_carried
from lightweight.records import Call, DialectName

TRIES = 64
"""Places that are looked at, the last ones first: none of more is likely a seal."""

_OURS = MARK.encode()
_PLACES: Mapping[DialectName, tuple[DialectName, tuple[bytes, ...]]] = {
    "anthropic": ("anthropic", (b'"signature"', b'"redacted_thinking"')),
    "openai_responses": ("openai_responses", (b'"encrypted_content"',)),
    # Google's OpenAI-compatible endpoint has it in ``extra_content`` of tool calls.
    "openai_chat": ("gemini", (b'"thought_signature"',)),
}
"""By the client's dialect: whose seals it has a place for, and what the places are."""

_VALUE = re.compile(rb'\s*+[:,]\s*+"(?!"|_lw1_)')
"""A seal that is not one of ours; the tag of a block is followed by its data."""


def sealed_by(call: Call) -> DialectName | None:
    """Give the dialect whose seal comes last in a conversation; None without one.

    By its form alone, never raises: what looks like a seal in a tool's data is taken
    for one.
    """
    told = b"".join(bytes(call.fields.get(name, b"")) for name in ("messages", "input"))
    own, places = _PLACES.get(call.dialect, (None, ()))
    last = {place: told.rfind(place) for place in places}
    last[_OURS] = told.rfind(_OURS, clear_until(told))
    for _ in range(TRIES):
        place = max(last, key=last.__getitem__)
        at = last[place]
        if at < 0:
            return None
        if place == _OURS:
            found = _carried(told, at)
        else:
            found = own if _VALUE.match(told, at + len(place)) else None
        if found is not None:
            return found
        last[place] = told.rfind(place, 0, at)
    return None


def _carried(told: bytes, at: int) -> DialectName | None:
    word = WORD.match(told, at)
    if word is None:
        return None
    _, carried = without_carried(word[0].decode())
    thoughts = [thought.sealed_by for thought in carried.thoughts]
    return carried.sealed_by or next(filter(None, reversed(thoughts)), None)
