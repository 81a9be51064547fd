"""What a model says while it speaks, in no vendor's words.

Readers of every dialect give these; writers of every dialect take them. ``choice`` is
the index of the alternative (``n`` > 1), ``call`` counts tool calls of one choice from
0 without gaps.
"""

from typing import Literal, TypeAlias

from msgspec import Struct

from lightweight.records import DialectName, Usage

FinishReason: TypeAlias = Literal[
    "stop", "length", "tool_calls", "content_filter", "function_call"
]
"""OpenAI's five (API reference, chat completion object); nothing else exists here."""


class Started(Struct, frozen=True, kw_only=True):
    """The provider began to answer."""

    id: str
    created: int
    """Seconds since the epoch, by the provider's clock."""
    model: str
    """The provider's name for the model."""
    fingerprint: str | None = None
    """Of the system that answers, where the provider tells one."""
    service_tier: str | None = None
    """In which of the provider's tiers it was served."""


class TextDelta(Struct, frozen=True, kw_only=True):
    """A piece of the visible answer."""

    text: str
    choice: int = 0


class ReasoningDelta(Struct, frozen=True, kw_only=True):
    """A piece of the model's thoughts, where the provider shows them."""

    text: str
    choice: int = 0


class ReasoningSealed(Struct, frozen=True, kw_only=True):
    """The end of one stretch of thoughts, with what its provider wants back.

    See ``prompts.Reasoning`` for the members.
    """

    seal: str
    sealed_by: DialectName
    redacted: bool = False
    id: str | None = None
    choice: int = 0


class RefusalDelta(Struct, frozen=True, kw_only=True):
    """A piece of the model's refusal to answer."""

    text: str
    choice: int = 0


class ToolCallDelta(Struct, frozen=True, kw_only=True):
    """A piece of a tool call; id and name come once, with the first piece."""

    call: int
    arguments: str
    id: str | None = None
    name: str | None = None
    custom: bool = False
    """OpenAI's ``custom`` tools: ``arguments`` is free text, not JSON."""
    seal: str | None = None
    """Gemini's thought signature, with the first piece."""
    choice: int = 0


class Finished(Struct, frozen=True, kw_only=True):
    """One choice is complete, and why. The provider said so: it is never invented."""

    reason: FinishReason
    choice: int = 0


class UsageReported(Struct, frozen=True, kw_only=True):
    """The provider's own count; a later one replaces an earlier one."""

    usage: Usage


class Unknown(Struct, frozen=True, kw_only=True):
    """Something this dialect's reader has no word for, byte for byte."""

    raw: bytes


Event: TypeAlias = (
    Started
    | TextDelta
    | ReasoningDelta
    | ReasoningSealed
    | RefusalDelta
    | ToolCallDelta
    | Finished
    | UsageReported
    | Unknown
)
