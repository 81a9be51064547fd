"""The output of one response as it is told: in pieces, as wholes, or both.

API reference, "Streaming events". What a stream says in pieces it repeats as a whole,
up to three times (``*.done``, ``output_item.done``, ``response.completed``). The pieces
count; a whole counts where no piece of it came.
"""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from msgspec import Raw

from lightweight.dialects.openai_responses_shapes import (
    CALLS,
    Item,
    Piece,
    decode_item,
    decode_text,
)
from lightweight.errors import ProviderGarbage
from lightweight.events import (
    Event,
    ReasoningDelta,
    ReasoningSealed,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
    Unknown,
)
from lightweight.records import Call

_Speech: TypeAlias = TextDelta | RefusalDelta | ReasoningDelta

_TEXT, _REFUSAL, _SUMMARY, _THOUGHT = "output_text", "refusal", "summary", "thought"
_KINDS: dict[str, type[_Speech]] = {
    _TEXT: TextDelta,
    _REFUSAL: RefusalDelta,
    _SUMMARY: ReasoningDelta,
    _THOUGHT: ReasoningDelta,
}
_PIECES = {
    "response.output_text.delta": _TEXT,
    "response.refusal.delta": _REFUSAL,
    "response.reasoning_summary_text.delta": _SUMMARY,
    "response.reasoning_text.delta": _THOUGHT,
}
_WHOLES = {
    "response.output_text.done": _TEXT,
    "response.refusal.done": _REFUSAL,
    "response.reasoning_summary_text.done": _SUMMARY,
    "response.reasoning_text.done": _THOUGHT,
}
_ARGUMENTS = frozenset(
    {
        "response.function_call_arguments.delta",
        "response.custom_tool_call_input.delta",
    }
)
# What says nothing that another event does not say.
_SILENT = frozenset(
    {
        "response.queued",
        "response.in_progress",
        "response.content_part.added",
        "response.content_part.done",
        "response.reasoning_summary_part.added",
        "response.reasoning_summary_part.done",
        "response.function_call_arguments.done",
        "response.custom_tool_call_input.done",
        "keepalive",
    }
)


class Output:
    """What was heard of a response so far, so that nothing is heard twice."""

    def __init__(self, call: Call) -> None:
        self._prefix = f"call_{call.id}"
        self._parts: set[tuple[int, str, int]] = set()
        self._kinds: set[type[Event]] = set()
        # Which of the two ways each item's thoughts are told in.
        self._thoughts: dict[int, str] = {}
        # By the place in the output; by the id; which have arguments.
        self._calls: dict[int, ToolCallDelta] = {}
        self._known: dict[str, ToolCallDelta] = {}
        self._argued: set[int] = set()

    def hear(self, piece: Piece, data: bytes) -> Iterator[Event]:
        """Give what a stream event says."""
        if channel := _PIECES.get(piece.type):
            yield from self._say(channel, piece.output_index, _part(piece), piece.delta)
        elif channel := _WHOLES.get(piece.type):
            text = piece.refusal if channel == _REFUSAL else piece.text
            yield from self._whole(
                channel, piece.output_index, _part(piece), decode_text(text)
            )
        elif piece.type in _ARGUMENTS:
            yield from self._argue(piece)
        elif piece.type == "response.output_item.added":
            item = decode_item(piece.item)
            if item is not None and item.type in CALLS:
                yield from self._begin(piece.output_index, item)
        elif piece.type == "response.output_item.done":
            yield from self._hear_item(piece, data)
        elif piece.type not in _SILENT:
            yield Unknown(raw=data)

    def catch_up(self, output: Sequence[Raw]) -> Iterator[Event]:
        """Give what the whole output says that nothing before it did."""
        heard = frozenset(self._kinds)
        for index, raw in enumerate(output):
            item = decode_item(raw)
            if item is None:
                continue
            if item.type in CALLS:
                yield from self._whole_call(index, item)
            elif item.type == "message" and not heard & {TextDelta, RefusalDelta}:
                yield from self._whole_message(index, item)
            elif item.type == "reasoning":
                if ReasoningDelta not in heard:
                    yield from self._whole_thoughts(index, item)
                if ReasoningSealed not in heard:
                    yield from self._seal(item)

    @property
    def called(self) -> bool:
        """Whether a tool was called."""
        return bool(self._known)

    # -- text and thoughts ---------------------------------------------------------

    def _say(self, channel: str, index: int, part: int, raw: Raw) -> Iterator[Event]:
        if text := decode_text(raw):
            yield from self._said(channel, index, part, text)

    def _said(self, channel: str, index: int, part: int, text: str) -> Iterator[Event]:
        kind = _KINDS[channel]
        thoughts = kind is ReasoningDelta
        if thoughts and self._thoughts.setdefault(index, channel) != channel:
            return
        if (index, channel, part) not in self._parts:
            self._parts.add((index, channel, part))
            if channel == _SUMMARY and part:
                text = f"\n\n{text}"
        self._kinds.add(kind)
        yield kind(text=text)

    def _whole(self, channel: str, index: int, part: int, text: str) -> Iterator[Event]:
        if text and (index, channel, part) not in self._parts:
            yield from self._said(channel, index, part, text)

    def _whole_message(self, index: int, item: Item) -> Iterator[Event]:
        for number, part in enumerate(item.content or ()):
            yield from self._whole(_TEXT, index, number, part.text or "")
            yield from self._whole(_REFUSAL, index, number, part.refusal or "")

    def _whole_thoughts(self, index: int, item: Item) -> Iterator[Event]:
        for number, part in enumerate(item.summary or ()):
            yield from self._whole(_SUMMARY, index, number, part.text or "")
        for number, part in enumerate(item.content or ()):
            yield from self._whole(_THOUGHT, index, number, part.text or "")

    def _seal(self, item: Item) -> Iterator[Event]:
        if item.encrypted_content:
            self._kinds.add(ReasoningSealed)
            yield ReasoningSealed(
                seal=item.encrypted_content,
                sealed_by="openai_responses",
                id=item.id,
            )

    # -- items ---------------------------------------------------------------------

    def _hear_item(self, piece: Piece, data: bytes) -> Iterator[Event]:
        item, index = decode_item(piece.item), piece.output_index
        if item is None:
            yield Unknown(raw=data)
        elif item.type in CALLS:
            yield from self._whole_call(index, item)
        elif item.type == "message":
            yield from self._whole_message(index, item)
        else:
            yield from self._whole_thoughts(index, item)
            yield from self._seal(item)
        # A provider may count every item as its first.
        self._parts = {key for key in self._parts if key[0] != index}
        self._thoughts.pop(index, None)

    def _begin(self, index: int, item: Item) -> Iterator[Event]:
        named = item.call_id or item.id
        known = self._known.get(named) if named else self._calls.get(index)
        if known is not None:
            self._calls[index] = known
            return
        if not item.name:
            raise ProviderGarbage("The provider began a tool call without a name.")
        number = len(self._known)
        call_id = named or f"{self._prefix}_{number}"
        call = ToolCallDelta(
            call=number,
            arguments="",
            id=call_id,
            name=item.name,
            custom=item.type == "custom_tool_call",
        )
        self._calls[index] = self._known[call_id] = call
        yield call

    def _argue(self, piece: Piece) -> Iterator[Event]:
        call = self._calls.get(piece.output_index)
        text = decode_text(piece.delta)
        if call is not None and text:  # else the finished item says it all
            self._argued.add(call.call)
            yield ToolCallDelta(call=call.call, arguments=text, custom=call.custom)

    def _whole_call(self, index: int, item: Item) -> Iterator[Event]:
        yield from self._begin(index, item)
        call = self._calls[index]
        text = (item.input if call.custom else item.arguments) or ""
        if text and call.call not in self._argued:
            self._argued.add(call.call)
            yield ToolCallDelta(call=call.call, arguments=text, custom=call.custom)


def _part(piece: Piece) -> int:
    return piece.content_index or piece.summary_index
