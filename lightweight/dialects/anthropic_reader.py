"""A provider's message to events, streamed or whole.

API reference, "Messages" and "Streaming messages". A block's thoughts are sealed when
it closes; a call of a tool is numbered among the calls, not among the blocks. What has
no word in the events (citations, what servers' tools do) comes as ``Unknown``. A
message has no time of its own: ``Started.created`` is 0.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from lightweight.dialects.answer import EventStream, Gathered, cut_short
from lightweight.dialects.anthropic_shapes import (
    Block,
    Delta,
    Message,
    StreamEvent,
    Tally,
    decode,
    decode_event,
    decode_message,
    decode_whole,
    reason_of,
)
from lightweight.dialects.sse import Block as StreamBlock
from lightweight.errors import ProviderGarbage
from lightweight.events import (
    Event,
    Finished,
    ReasoningDelta,
    ReasoningSealed,
    Started,
    TextDelta,
    ToolCallDelta,
    Unknown,
    UsageReported,
)
from lightweight.records import Call

_BLOCK = msgspec.json.Decoder(Block)
_EMPTY = (b"", b"{}", b"null")


class _Blocks:
    """The blocks of one message: what they say, as events."""

    def __init__(self) -> None:
        self._calls = 0
        self._open: dict[int, _Open] = {}

    def begin(self, index: int, block: Block, raw: bytes) -> Iterator[Event]:
        opened = self._open[index] = _Open(block)
        match block.type:
            case "text" | "thinking":
                yield from _said(block.text, block.thinking)
                opened.signature = block.signature or ""
            case "redacted_thinking" if block.data:
                yield ReasoningSealed(
                    seal=block.data, sealed_by="anthropic", redacted=True
                )
            case "tool_use":
                if not block.name or not block.id:
                    raise ProviderGarbage("The provider began a call without a name.")
                opened.call = self._calls
                self._calls += 1
                yield ToolCallDelta(
                    call=opened.call, arguments="", id=block.id, name=block.name
                )
            case _:
                yield Unknown(raw=raw)

    def go_on(self, index: int, delta: Delta, raw: bytes) -> Iterator[Event]:
        opened = self._open.get(index)
        if opened is None:
            raise ProviderGarbage("The provider continued what it did not begin.")
        match delta.type:
            case "text_delta" | "thinking_delta":
                yield from _said(delta.text, delta.thinking)
            case "signature_delta":
                opened.signature += delta.signature or ""
            case "input_json_delta" if opened.call is not None:
                if delta.partial_json:
                    opened.has_input = True
                    yield ToolCallDelta(call=opened.call, arguments=delta.partial_json)
            case _:
                yield Unknown(raw=raw)

    def end(self, index: int) -> Iterator[Event]:
        opened = self._open.pop(index, None)
        if opened is None:
            return
        if opened.signature:
            yield ReasoningSealed(seal=opened.signature, sealed_by="anthropic")
        if opened.call is not None and not opened.has_input:
            # It came whole with the block's begin, or the tool takes nothing.
            begun = bytes(opened.block.input)
            arguments = "{}" if begun in _EMPTY else begun.decode()
            yield ToolCallDelta(call=opened.call, arguments=arguments)


class _Open:
    """A block that is not closed yet."""

    def __init__(self, block: Block) -> None:
        self.block = block
        self.signature = ""
        self.call: int | None = None
        self.has_input = False


class StreamReader:
    """Reader of a streamed answer."""

    def __init__(self, call: Call) -> None:  # noqa: ARG002  (every reader is made so)
        self._stream = EventStream()
        self._blocks = _Blocks()
        self._tally = Tally()
        self._started = False
        self._finished = False

    @property
    def complete(self) -> bool:
        """The answer's end was seen."""
        return self._stream.complete

    def feed(self, data: bytes) -> Sequence[Event]:
        """Give the events that ``data`` completes; raise ProviderFault on garbage."""
        return self._stream.feed(data, self._hear)

    def finish(self) -> Sequence[Event]:
        """Give the last events; raise ProviderCut if the body is not whole."""
        events = self._stream.finish(self._hear)
        if not self.complete:
            raise cut_short()
        return events

    def _hear(self, block: StreamBlock) -> Iterable[Event]:
        if block.data is None:
            return ()
        return self._heard(decode_event(block.data), block.data)

    def _heard(self, event: StreamEvent, data: bytes) -> Iterator[Event]:
        if event.type == "ping":
            return
        if not self._started:
            if event.type != "message_start":
                raise ProviderGarbage("The provider's stream begins in the middle.")
            self._started = True
            message = decode_message(event.message)
            self._tally.hear(message.usage)
            yield _started(message)
        elif event.type == "content_block_start" and event.content_block is not None:
            yield from self._blocks.begin(event.index, event.content_block, data)
        elif event.type == "content_block_delta" and event.delta is not None:
            yield from self._blocks.go_on(event.index, event.delta, data)
        elif event.type == "content_block_stop":
            yield from self._blocks.end(event.index)
        elif event.type == "message_delta":
            yield from self._ended(event)
        elif event.type == "message_stop":
            if not self._finished:
                raise cut_short()
            self._stream.complete = True
        else:
            yield Unknown(raw=data)

    def _ended(self, event: StreamEvent) -> Iterator[Event]:
        stop_reason = event.delta.stop_reason if event.delta else None
        if stop_reason is not None and not self._finished:
            reason = reason_of(stop_reason)
            self._finished = True
            yield Finished(reason=reason)
        self._tally.hear(event.usage)
        if self._tally.usage is not None:
            yield UsageReported(usage=self._tally.usage)


class WholeReader:
    """Reader of an answer in one piece: every event comes from ``finish``."""

    def __init__(self, call: Call) -> None:  # noqa: ARG002  (every reader is made so)
        self.complete = False
        self._gathered = Gathered()

    def feed(self, data: bytes) -> Sequence[Event]:
        """Keep ``data``; raise ProviderGarbage when it is too much."""
        self._gathered.add(data)
        return ()

    def finish(self) -> Sequence[Event]:
        """Give all events; raise ProviderFault if this is no complete answer."""
        message = decode_whole(self._gathered.body)
        if message.stop_reason is None:
            raise cut_short()
        events: list[Event] = [_started(message)]
        blocks = _Blocks()
        for index, raw in enumerate(message.content):
            events += blocks.begin(index, decode(_BLOCK, raw), bytes(raw))
            events += blocks.end(index)
        events.append(Finished(reason=reason_of(message.stop_reason)))
        tally = Tally()
        tally.hear(message.usage)
        if tally.usage is not None:
            events.append(UsageReported(usage=tally.usage))
        self.complete = True
        return events


def _started(message: Message) -> Started:
    return Started(id=message.id, created=0, model=message.model)


def _said(text: str | None, thinking: str | None) -> Iterator[Event]:
    if text:
        yield TextDelta(text=text)
    if thinking:
        yield ReasoningDelta(text=thinking)
