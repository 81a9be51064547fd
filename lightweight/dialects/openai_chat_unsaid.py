"""What a provider's chunk or completion holds beside what the events say of it."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct

from lightweight.dialects.openai_chat_reader import WORDS
from lightweight.dialects.openai_chat_shapes import says_something

_SAID = frozenset({"id", "object", "created", "model", "choices", "usage", "error"})
_SAID_OF_CHOICE = frozenset({"index", "delta", "message", "finish_reason"})


class Unsaid(Struct, frozen=True):
    """Members that no event has a word for, as the provider wrote them."""

    members: Mapping[str, Raw]
    """At the top."""
    choices: Mapping[int, Mapping[str, Raw]]
    """By choice."""
    said: Mapping[int, Mapping[str, Raw]]
    """By choice, of its delta or message."""


_PIECE = msgspec.json.Decoder(dict[str, Raw])
_CHOICES = msgspec.json.Decoder(list[dict[str, Raw]] | None)
_SPEECH = msgspec.json.Decoder(dict[str, Raw] | None)
_INDEX = msgspec.json.Decoder(int)


def unsaid(raw: bytes) -> Unsaid:
    """Sort out what a reader gave as ``Unknown``: JSON that it has decoded."""
    piece = _PIECE.decode(raw)
    choices, said = {}, {}
    for choice in _CHOICES.decode(piece.get("choices", _NULL)) or ():
        index = _INDEX.decode(choice.get("index", Raw(b"0")))
        speech = choice.get("delta", choice.get("message", _NULL))
        choices[index] = _beside(choice, _SAID_OF_CHOICE)
        said[index] = _beside(_SPEECH.decode(speech) or {}, WORDS)
    return Unsaid(_beside(piece, _SAID), choices, said)


_NULL = Raw(b"null")


def _beside(members: Mapping[str, Raw], words: frozenset[str]) -> dict[str, Any]:
    return {
        name: raw
        for name, raw in members.items()
        if name not in words and says_something(raw)
    }
