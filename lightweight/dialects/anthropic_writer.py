"""Events to Anthropic messages, streamed or whole.

API reference, "Messages" and "Streaming messages". The usage of a message begins with
zeros, since other dialects tell it at the end: ``message_delta`` has all of it, and the
SDKs let that replace the first. A message has one choice: others are left out.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from lightweight.dialects.answer import cut_short
from lightweight.dialects.anthropic_blocks import Blocks, Json
from lightweight.dialects.anthropic_faults import broken_stream
from lightweight.dialects.sse import framed
from lightweight.errors import Fault
from lightweight.events import (
    Event,
    Finished,
    FinishReason,
    ReasoningDelta,
    ReasoningSealed,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
    UsageReported,
)
from lightweight.records import Call, Usage

PING: Final = b'event: ping\ndata: {"type": "ping"}\n\n'
"""Keeps a silent stream open: Claude Code warns of one without after some 20 s."""

_REASONS: Mapping[FinishReason, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}


def render_usage(usage: Usage) -> Json:
    """Give Anthropic's usage object, whose input excludes what the cache had."""
    return {
        "input_tokens": usage.fresh,
        "cache_creation_input_tokens": usage.cache_write,
        "cache_read_input_tokens": usage.cached,
        "output_tokens": usage.completion,
        "output_tokens_details": {"thinking_tokens": usage.reasoning},
        "server_tool_use": None,
    }


class _Message:
    """What both writers hear of one message."""

    def __init__(self, call: Call) -> None:
        self.blocks = Blocks()
        self.reason: FinishReason | None = None
        self.usage = Usage()
        self._call = call

    def hear(self, event: Event) -> None:
        match event:
            case UsageReported():
                self.usage = event.usage
            case Finished(choice=0):
                self.reason = self.reason or event.reason
            case (
                TextDelta(choice=0)
                | RefusalDelta(choice=0)
                | ReasoningDelta(choice=0)
                | ReasoningSealed(choice=0)
                | ToolCallDelta(choice=0)
            ):
                self.blocks.hear(event)

    def ending(self) -> Json:
        """Give why the message ended; raise ProviderCut where it did not."""
        if self.reason is None:
            raise cut_short()
        reason = _REASONS[self.reason]
        if reason == "end_turn" and self.blocks.called:
            # Some providers say "stop" after calls; here that would end the turn.
            reason = "tool_use"
        return {
            "stop_reason": reason,
            "stop_sequence": None,
            "stop_details": None,
            "container": None,
        }

    def render(self, content: list[Json], ending: Json) -> Json:
        usage = {
            **render_usage(self.usage),
            "cache_creation": None,
            "inference_geo": None,
            "service_tier": None,
        }
        return {
            "id": f"msg_{self._call.id}",
            "type": "message",
            "role": "assistant",
            "model": self._call.model,
            "content": content,
            **ending,
            "usage": usage,
        }


_NOT_ENDED: Json = {
    "stop_reason": None,
    "stop_sequence": None,
    "stop_details": None,
    "container": None,
}


class StreamWriter:
    """Writer of a streamed answer."""

    def __init__(self, call: Call) -> None:
        self._message = _Message(call)
        self._call = call
        self._begun = False

    def write(self, event: Event) -> bytes:
        """Give the events this event makes."""
        self._message.hear(event)
        return self._begin() + _events(self._message.blocks.steps())

    def finish(self) -> bytes:
        """Give the end of the message; raise ProviderCut where it was not said."""
        ending = self._message.ending()
        usage = render_usage(self._message.usage)
        return (
            self._begin()
            + _events(self._message.blocks.last_steps())
            + _events(
                [
                    {"type": "message_delta", "delta": ending, "usage": usage},
                    {"type": "message_stop"},
                ]
            )
        )

    def broken(self, fault: Fault) -> bytes:
        """Give the error event."""
        return broken_stream(fault, self._call.id)

    def _begin(self) -> bytes:
        if self._begun:
            return b""
        self._begun = True
        message = self._message.render([], _NOT_ENDED)
        return _events([{"type": "message_start", "message": message}])


class WholeWriter:
    """Writer of an answer in one piece: all of it comes from ``finish``."""

    def __init__(self, call: Call) -> None:
        self._message = _Message(call)

    def write(self, event: Event) -> bytes:
        """Take an event; nothing is sent before the end."""
        self._message.hear(event)
        return b""

    def finish(self) -> bytes:
        """Give the message; raise ProviderCut where its end was not said."""
        ending = self._message.ending()
        content = self._message.blocks.whole()
        return msgspec.json.encode(self._message.render(content, ending))

    def broken(self, fault: Fault) -> bytes:  # noqa: ARG002  (the Protocol's argument)
        """Give nothing: what follows half a JSON text cannot mend it."""
        return b""


def _events(told: Iterable[Json]) -> bytes:
    return b"".join(
        b"event: " + event["type"].encode() + b"\n" + framed(msgspec.json.encode(event))
        for event in told
    )
