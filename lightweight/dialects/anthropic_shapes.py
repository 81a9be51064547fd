"""What is read of Anthropic's messages and stream events, and how it is judged.

API reference, "Messages" and "Streaming messages". Members that only some readers need
stay raw, so that an odd value in one of them does not spoil an answer that is fine.
"""

from collections.abc import Mapping
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from lightweight.dialects.anthropic_faults import read_error_frame
from lightweight.errors import ProviderGarbage
from lightweight.events import FinishReason
from lightweight.records import Usage

_T = TypeVar("_T")
_Tokens = Annotated[int, Meta(ge=0, le=2**53)]

STOP_REASONS: Mapping[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    # A server's tool takes long: the turn may be continued, which nobody here does.
    "pause_turn": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
"""Why a message ended, as the rest of the house says it."""


class _Details(Struct, frozen=True):
    thinking_tokens: _Tokens | None = None


class Counted(Struct, frozen=True):
    """A usage object; the later ones of a stream may leave members out."""

    input_tokens: _Tokens | None = None
    cache_creation_input_tokens: _Tokens | None = None
    cache_read_input_tokens: _Tokens | None = None
    output_tokens: _Tokens | None = None
    output_tokens_details: _Details | None = None


class Block(Struct, frozen=True):
    """A content block, or how it begins."""

    type: str
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    id: str | None = None
    name: str | None = None
    input: Raw = Raw()


class Delta(Struct, frozen=True):
    """What a block goes on with, or how the message ends."""

    type: str = ""
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    partial_json: str | None = None
    stop_reason: str | None = None


def said_size(delta: Delta | None) -> int:
    """Give the characters that a delta says, its signature left out."""
    if delta is None:
        return 0
    said = (delta.text, delta.thinking, delta.partial_json)
    return sum(len(text) for text in said if text)


class Message(Struct, frozen=True):
    """A whole message, or how a streamed one begins."""

    type: str = ""
    id: str = ""
    model: str = ""
    content: list[Raw] = []
    stop_reason: str | None = None
    usage: Raw = Raw()


class StreamEvent(Struct, frozen=True):
    """One event of a stream."""

    type: str
    index: int = 0
    message: Raw = Raw()
    content_block: Block | None = None
    delta: Delta | None = None
    usage: Raw = Raw()
    error: Raw = Raw()


class Whole(Struct, frozen=True):
    """A whole answer: a message, or an error in its place."""

    type: str = ""
    error: Raw = Raw()


_WHOLE = msgspec.json.Decoder(Whole)
_MESSAGE = msgspec.json.Decoder(Message)
_EVENT = msgspec.json.Decoder(StreamEvent)
_COUNTED = msgspec.json.Decoder(Counted | None)


def decode(decoder: msgspec.json.Decoder[_T], data: bytes | Raw) -> _T:
    """Decode a provider's JSON; raise ProviderGarbage where that cannot be done."""
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ProviderGarbage(
            "The provider's answer does not have the form of a message."
        ) from None


def decode_event(data: bytes) -> StreamEvent:
    """Decode an event; raise ProviderFault if it is an error or something else."""
    _check_utf8(data)
    event = decode(_EVENT, data)
    if event.type == "error":
        raise read_error_frame(event.error)
    return event


def decode_message(raw: bytes | Raw) -> Message:
    """Decode the message that a stream begins with; raise ProviderGarbage."""
    return decode(_MESSAGE, raw)


def decode_whole(body: bytes) -> Message:
    """Decode a whole answer; raise ProviderFault if it is not a complete message."""
    _check_utf8(body)
    whole = decode(_WHOLE, body)
    if whole.type == "error":
        raise read_error_frame(whole.error)
    if whole.type != "message":
        raise ProviderGarbage("The provider's answer is no message.")
    return decode(_MESSAGE, body)


def reason_of(stop_reason: str) -> FinishReason:
    """Give why the message ended; raise ProviderGarbage where nobody knows."""
    reason = STOP_REASONS.get(stop_reason)
    if reason is None:
        raise ProviderGarbage("The provider's answer ended for unknown reason.")
    return reason


class Tally:
    """The usage of one message, which a stream tells in parts that grow."""

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self._known: dict[str, int] = {}

    def hear(self, raw: Raw) -> None:
        """Take a usage object; what is no count is passed over."""
        try:
            counted = _COUNTED.decode(raw) if raw else None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return
        if counted is None:
            return
        told = {
            "input": counted.input_tokens,
            "write": counted.cache_creation_input_tokens,
            "read": counted.cache_read_input_tokens,
            "output": counted.output_tokens,
            "thinking": (counted.output_tokens_details or _Details()).thinking_tokens,
        }
        self._known.update({key: n for key, n in told.items() if n is not None})
        if self._known:
            self.usage = self._disjoint()

    def _disjoint(self) -> Usage:
        # The input excludes what the cache read and wrote; thoughts are output.
        thinking = self._known.get("thinking", 0)
        return Usage(
            fresh=self._known.get("input", 0),
            cached=self._known.get("read", 0),
            cache_write=self._known.get("write", 0),
            answer=max(0, self._known.get("output", 0) - thinking),
            reasoning=thinking,
        )


def _check_utf8(data: bytes) -> None:
    try:
        data.decode()
    except UnicodeDecodeError:
        raise ProviderGarbage("The provider's answer is not valid UTF-8.") from None
