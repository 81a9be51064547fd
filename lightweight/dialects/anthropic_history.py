"""A conversation that went on elsewhere and comes back to Claude.

Thoughts of other providers stand in it as thinking blocks whose signature is one of our
wrapped seals (``seals.wrapped``). Claude would refuse them: they are left out.
"""

from collections.abc import Mapping

import msgspec
from msgspec import Raw, Struct

from lightweight.dialects.seals import unwrapped

_MARK = b"_lw1_"


class _Thought(Struct, frozen=True):
    type: str = ""
    signature: str | None = None
    data: str | None = None


class _Role(Struct, frozen=True):
    role: str = ""


_MESSAGES = msgspec.json.Decoder(list[dict[str, Raw]])
_BLOCKS = msgspec.json.Decoder(list[Raw])
_THOUGHT = msgspec.json.Decoder(_Thought)
_ROLE = msgspec.json.Decoder(str)


def without_foreign_thoughts(fields: Mapping[str, Raw]) -> dict[str, Raw]:
    """Give a request's members without thoughts that are no Claude's.

    Where such thoughts stood in the last answer, extended thinking is turned off for
    this request: the API wants its own before the tool calls of that answer. Adaptive
    thinking does not need them.
    """
    kept = dict(fields)
    messages = fields["messages"]
    if _MARK not in bytes(messages):
        return kept
    left: list[dict[str, Raw]] = []
    answer_was_cut = False
    for message in _MESSAGES.decode(messages):
        own = _own(message.get("content", Raw(b"null")))
        if _ROLE.decode(message["role"]) == "assistant":
            answer_was_cut = own is not None
        if own != []:
            left.append(message if own is None else {**message, "content": _raw(own)})
    kept["messages"] = _raw(left)
    if answer_was_cut and _has_budget(fields.get("thinking")):
        del kept["thinking"]
    return kept


def _own(content: Raw) -> list[Raw] | None:
    """Give the blocks without foreign thoughts; None where there are none of those."""
    if _MARK not in bytes(content):
        return None
    try:
        blocks = _BLOCKS.decode(content)
    except msgspec.ValidationError:
        return None
    own = [block for block in blocks if not _is_foreign(block)]
    return None if len(own) == len(blocks) else own


def _is_foreign(block: Raw) -> bool:
    try:
        thought = _THOUGHT.decode(block)
    except msgspec.ValidationError:
        return False
    seal = {
        "thinking": thought.signature,
        "redacted_thinking": thought.data,
    }.get(thought.type)
    return seal is not None and unwrapped(seal) is not None


def _has_budget(thinking: Raw | None) -> bool:
    try:
        return thinking is not None and _THOUGHT.decode(thinking).type == "enabled"
    except msgspec.ValidationError:
        return False


def _raw(noun: object) -> Raw:
    return Raw(msgspec.json.encode(noun))
