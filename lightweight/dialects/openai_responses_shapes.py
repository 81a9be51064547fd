"""What is read of OpenAI's Responses and their stream events, and how it is judged.

API reference, "The response object" and "Streaming events". Members that only some
events have stay raw, so that an odd one in an event nobody reads spoils nothing.
"""

import re
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from lightweight.errors import ProviderGarbage
from lightweight.records import Usage

_T = TypeVar("_T")
_Index = Annotated[int, Meta(ge=0, lt=2**31)]
_Tokens = Annotated[int, Meta(ge=0, le=2**53)]

CALLS = frozenset({"function_call", "custom_tool_call"})
"""The items that are tool calls."""

_SPOKEN = CALLS | {"message", "reasoning"}

# Whose thoughts can be asked for in sealed form; of any other model OpenAI refuses
# ``reasoning.encrypted_content`` (state of 2026-11).
_THINKS = re.compile(
    r"(?:.*/)?(?:gpt-(?:[5-9]|\d\d)(?!.*chat)|o\d|codex)", re.IGNORECASE
)


def thinks(model: str) -> bool:
    """Whether a model's name is that of one of OpenAI's reasoning models."""
    return _THINKS.match(model) is not None


class Part(Struct, frozen=True):
    """A piece of an item's content or summary."""

    type: str = ""
    text: str | None = None
    refusal: str | None = None


class Item(Struct, frozen=True):
    """An item of the output: a message, thoughts or a tool call."""

    type: str = ""
    id: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    input: str | None = None
    content: list[Part] | None = None
    summary: list[Part] | None = None
    encrypted_content: str | None = None


class Details(Struct, frozen=True):
    """Why a response is incomplete."""

    reason: str | None = None


class Response(Struct, frozen=True):
    """A response, at whatever stage; an error envelope too."""

    object: str | None = None
    id: Raw = Raw()
    created_at: Raw = Raw()
    model: Raw = Raw()
    status: str | None = None
    error: Raw = Raw()
    incomplete_details: Details | None = None
    output: list[Raw] | None = None
    usage: Raw = Raw()


class Piece(Struct, frozen=True):
    """A stream event."""

    type: str = ""
    sequence_number: _Index = 0
    response: Raw = Raw()
    item: Raw = Raw()
    output_index: _Index = 0
    content_index: _Index = 0
    summary_index: _Index = 0
    delta: Raw = Raw()
    text: Raw = Raw()
    refusal: Raw = Raw()
    arguments: Raw = Raw()
    input: Raw = Raw()
    error: Raw = Raw()


class _Kind(Struct, frozen=True):
    type: str = ""


class _InputDetails(Struct, frozen=True):
    cached_tokens: _Tokens | None = None
    cache_write_tokens: _Tokens | None = None


class _OutputDetails(Struct, frozen=True):
    reasoning_tokens: _Tokens | None = None


class _Usage(Struct, frozen=True):
    input_tokens: _Tokens | None = None
    output_tokens: _Tokens | None = None
    input_tokens_details: _InputDetails | None = None
    output_tokens_details: _OutputDetails | None = None


_PIECE = msgspec.json.Decoder(Piece)
_RESPONSE = msgspec.json.Decoder(Response)
_ITEM = msgspec.json.Decoder(Item)
_KIND = msgspec.json.Decoder(_Kind)
_TEXT = msgspec.json.Decoder(str | None)
_USAGE = msgspec.json.Decoder(_Usage | None)


def decode_piece(data: bytes) -> Piece:
    """Decode a stream event; raise ProviderGarbage for anything else."""
    try:
        data.decode()
    except UnicodeDecodeError:
        raise ProviderGarbage("The provider's answer is not valid UTF-8.") from None
    return _decode(_PIECE, data)


def decode_response(raw: bytes | Raw) -> Response:
    """Decode a response; raise ProviderGarbage for anything else."""
    return _decode(_RESPONSE, raw or b"null")


def decode_item(raw: Raw) -> Item | None:
    """Decode an item of the output; None for a kind that has no word in the events."""
    if _decode(_KIND, raw or b"null").type not in _SPOKEN:
        return None
    return _decode(_ITEM, raw)


def decode_text(raw: Raw) -> str:
    """Decode a string member; raise ProviderGarbage where it is something else."""
    return _decode(_TEXT, raw or b"null") or ""


def usage_of(raw: Raw) -> Usage | None:
    """Give the usage a provider reports, in disjoint classes; None if it is no count.

    The details are parts of the inclusive figures. Where a part is larger than its
    whole the rest counts as 0.
    """
    try:
        told = _USAGE.decode(raw) if raw else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if told is None or (told.input_tokens is None and told.output_tokens is None):
        return None
    sent = told.input_tokens_details or _InputDetails()
    made = told.output_tokens_details or _OutputDetails()
    cached = sent.cached_tokens or 0
    cache_write = sent.cache_write_tokens or 0
    reasoning = made.reasoning_tokens or 0
    return Usage(
        fresh=max(0, (told.input_tokens or 0) - cached - cache_write),
        cached=cached,
        cache_write=cache_write,
        answer=max(0, (told.output_tokens or 0) - reasoning),
        reasoning=reasoning,
    )


def _decode(decoder: msgspec.json.Decoder[_T], data: bytes | Raw) -> _T:
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ProviderGarbage(
            "The provider's answer does not have the form of a response."
        ) from None
