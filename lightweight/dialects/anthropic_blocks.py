"""Events to content blocks, one open at a time, whatever order they come in.

API reference, "Streaming messages": a block is begun, goes on and is ended before the
next one begins, and indices count from 0. Providers of other dialects interleave their
tool calls and never say that one is over. So a call that is open stays so until the
message ends, and what is said meanwhile waits behind it, in order.
"""

from collections import deque
from collections.abc import Iterator
from typing import Any, Literal, TypeAlias

from lightweight.dialects.anthropic_calls import as_object, sound_id
from lightweight.dialects.seals import Carried, with_carried, wrapped
from lightweight.events import (
    ReasoningDelta,
    ReasoningSealed,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
)
from lightweight.prompts import Reasoning

Speech: TypeAlias = (
    TextDelta | RefusalDelta | ReasoningDelta | ReasoningSealed | ToolCallDelta
)
"""The events that make blocks."""

Json: TypeAlias = dict[str, Any]

_Kind: TypeAlias = Literal["text", "thinking", "redacted_thinking", "tool_use"]

_UNSEALED = wrapped(Reasoning())
"""The signature of thoughts that nobody sealed: by it we know that they are no Claude's
when they come back."""


class Blocks:
    """The blocks of one message."""

    def __init__(self) -> None:
        self.called = False
        """Whether there was a tool call."""
        self._index = 0
        """Of the first that waits."""
        self._waiting: deque[_Block] = deque()
        """In their order; of a stream the first is open."""
        self._calls: dict[int, _Block] = {}

    def hear(self, event: Speech) -> None:
        """Keep what an event says."""
        if isinstance(event, ToolCallDelta):
            self.called = True
            if event.call not in self._calls:
                self._calls[event.call] = self._new("tool_use", event)
            self._calls[event.call].hear(event)
            return
        kind = _kind(event)
        last = self._waiting[-1] if self._waiting else None
        if last is None or last.kind != kind or last.sealed:
            last = self._new(kind)
        last.hear(event)

    def steps(self) -> Iterator[Json]:
        """Give the stream's events for what was heard and may be told already."""
        while len(self._waiting) > 1 and self._waiting[0].kind != "tool_use":
            yield from self._close_first()
        if self._waiting:
            yield from self._waiting[0].steps(self._index)

    def last_steps(self) -> Iterator[Json]:
        """Give the stream's events that close whatever is open or waits."""
        while self._waiting:
            yield from self._close_first()

    def whole(self) -> list[Json]:
        """Give all blocks as a whole message shows them."""
        return [block.whole() for block in self._waiting]

    def _new(self, kind: _Kind, call: ToolCallDelta | None = None) -> "_Block":
        block = _Block(kind, call)
        self._waiting.append(block)
        return block

    def _close_first(self) -> Iterator[Json]:
        yield from self._waiting.popleft().last_steps(self._index)
        self._index += 1


class _Block:
    """One block, and what of it was not told yet."""

    def __init__(self, kind: _Kind, call: ToolCallDelta | None) -> None:
        self.kind = kind
        self.sealed = False
        self._call = call
        self._begun = False
        self._pieces: list[str] = []
        self._seal = _UNSEALED

    def hear(self, event: Speech) -> None:
        match event:
            case ReasoningSealed():
                self.sealed = True
                self._seal = _shown_seal(event)
            case ToolCallDelta():
                self._pieces.append(event.arguments)
            case _:
                self._pieces.append(event.text)

    def steps(self, index: int) -> Iterator[Json]:
        if not self._begun:
            self._begun = True
            begun = self._shape("", "")
            yield {
                "type": "content_block_start",
                "index": index,
                "content_block": begun,
            }
        text = "".join(self._pieces)
        self._pieces.clear()
        if text:
            yield _delta(index, **_DELTAS[self.kind](text))

    def last_steps(self, index: int) -> Iterator[Json]:
        yield from self.steps(index)
        if self.kind == "thinking":
            yield _delta(index, type="signature_delta", signature=self._seal)
        yield {"type": "content_block_stop", "index": index}

    def whole(self) -> Json:
        return self._shape("".join(self._pieces), self._seal)

    def _shape(self, text: str, signature: str) -> Json:
        match self.kind:
            case "text":
                return {"type": "text", "text": text, "citations": None}
            case "thinking":
                return {"type": "thinking", "thinking": text, "signature": signature}
            case "redacted_thinking":
                return {"type": "redacted_thinking", "data": self._seal}
        assert self._call is not None  # what makes a tool_use
        return {
            "type": "tool_use",
            "id": _shown_id(self._call),
            "name": self._call.name or "",
            "input": as_object(text),
            "caller": {"type": "direct"},
        }


_DELTAS = {
    "text": lambda text: {"type": "text_delta", "text": text},
    "thinking": lambda text: {"type": "thinking_delta", "thinking": text},
    "tool_use": lambda text: {"type": "input_json_delta", "partial_json": text},
}


def _delta(index: int, **delta: str) -> Json:
    return {"type": "content_block_delta", "index": index, "delta": delta}


def _kind(event: TextDelta | RefusalDelta | ReasoningDelta | ReasoningSealed) -> _Kind:
    if isinstance(event, ReasoningSealed):
        return "redacted_thinking" if event.redacted else "thinking"
    return "thinking" if isinstance(event, ReasoningDelta) else "text"


def _shown_seal(event: ReasoningSealed) -> str:
    """Give what stands in the seal's place: another dialect's is wrapped."""
    if event.sealed_by == "anthropic":
        return event.seal
    return wrapped(
        Reasoning(
            seal=event.seal,
            sealed_by=event.sealed_by,
            redacted=event.redacted,
            id=event.id,
        )
    )


def _shown_id(call: ToolCallDelta) -> str:
    """Give the call's id; its own seal (Gemini's) travels in it."""
    carried = Carried()
    if call.seal is not None:
        carried = Carried(seal=call.seal, sealed_by="gemini")
    return with_carried(sound_id(call.id or f"toolu_{call.call}"), carried)
