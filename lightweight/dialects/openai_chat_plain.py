"""The chat request that most clients send, judged in one look.

Texts, images and the parameters that are often set. With nothing else in it there is
nothing to find fault with: no depth, no number that a double does not hold, no text
that is not UTF-8.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta, Raw, Struct

MAX_CHOICES = 128
LARGEST = 32 * 1024
"""Bytes of a body that are looked at so: each text in it is copied for a moment."""

Role: TypeAlias = Literal[
    "system", "developer", "user", "assistant", "tool", "function"
]

_Integer: TypeAlias = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
_Tokens: TypeAlias = Annotated[int, Meta(ge=1, le=2**63 - 1)]


class _ImageUrl(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    url: str
    detail: str | None = None


class _Part(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    type: str
    text: str | None = None
    image_url: _ImageUrl | None = None


class _Message(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    role: Role
    content: str | list[_Part] | None = None
    name: str | None = None
    refusal: str | None = None
    tool_call_id: str | None = None


class _StreamOptions(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    include_usage: bool | None = None


class Plain(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A chat request of which every member is known and sound."""

    model: Annotated[str, Meta(min_length=1)]
    messages: Annotated[list[_Message], Meta(min_length=1)]
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    max_tokens: _Tokens | None = None
    max_completion_tokens: _Tokens | None = None
    n: Annotated[int, Meta(ge=1, le=MAX_CHOICES)] | None = None
    temperature: float | None = None
    top_p: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    reasoning_effort: str | None = None
    seed: _Integer | None = None
    stop: str | list[str] | None = None
    user: str | None = None


_PLAIN = msgspec.json.Decoder(Plain)
_KNOWN = frozenset(Plain.__struct_fields__)


def plain_request(body: bytes, fields: Mapping[str, Raw]) -> Plain | None:
    """Give the request in ``body`` if it is a plain one; never raises.

    ``fields`` are its members. None says nothing against it: then it is to be judged
    member by member.
    """
    if len(body) > LARGEST or not _KNOWN.issuperset(fields):
        return None
    try:
        return _PLAIN.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
