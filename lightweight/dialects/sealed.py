"""Whose seals a conversation brings back: who can go on with it.

A provider refuses thoughts that another one sealed, and where they are left out its
model has lost them in the midst of its work. So the last seal decides.
"""

import re
from collections.abc import Mapping

from lightweight.dialects.seals import WORD, without_carried
from lightweight.records import Call, DialectName

_PLACES: Mapping[DialectName, tuple[DialectName, bytes]] = {
    "anthropic": ("anthropic", rb'"signature"|"redacted_thinking"'),
    "openai_responses": ("openai_responses", rb'"encrypted_content"'),
    # Google's OpenAI-compatible endpoint has it in ``extra_content`` of tool calls.
    "openai_chat": ("gemini", rb'"thought_signature"'),
}
"""By the client's dialect: whose seals it has a place for, and what the place is."""

_VALUE = rb'\s*+[:,]\s*+"(?!"|_lw1_)'
"""A seal that is not one of ours; the tag of a block is followed by its data."""


def sealed_by(call: Call) -> DialectName | None:
    """Give the dialect whose seal comes last in a conversation; None without one.

    By its form alone, never raises: what looks like a seal in a tool's data is taken
    for one.
    """
    told = b"".join(bytes(call.fields.get(name, b"")) for name in ("messages", "input"))
    own, place = _PLACES.get(call.dialect, (None, None))
    pattern = WORD.pattern
    if place is not None:
        pattern = b"(?P<own>" + b"(?:" + place + b")" + _VALUE + b")|" + pattern
    found: DialectName | None = None
    for match in re.finditer(pattern, told):
        if match.groupdict().get("own"):
            found = own
            continue
        _, carried = without_carried(match[0].decode())
        sealed = [thought.sealed_by for thought in carried.thoughts]
        found = carried.sealed_by or next(filter(None, reversed(sealed)), found)
    return found
