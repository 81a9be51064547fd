"""A message on its way through the gateway, byte for byte.

Both sides speak this dialect, so the provider's bytes are the client's, save that
``model`` is set back where the target has another name for it and the lines of an event
stream that steer a client (``id``, ``retry``) are dropped. Usage is always told here.
"""

from msgspec import Raw

from lightweight.dialects.answer import EventStream, Gathered, cut_short, own_name
from lightweight.dialects.anthropic_faults import broken_stream
from lightweight.dialects.anthropic_shapes import (
    StreamEvent,
    Tally,
    decode_event,
    decode_message,
    decode_whole,
    said_size,
)
from lightweight.dialects.splice import replaced
from lightweight.dialects.sse import Block, passable, with_data
from lightweight.errors import Fault
from lightweight.records import Call, Target, Usage


class StreamPassage:
    """The way of a streamed answer.

    Where one piece of the body holds events and then a fault, the events are given
    first: ``complete`` turns true and the next call raises the fault.
    """

    def __init__(self, call: Call, target: Target) -> None:
        self.content_type = "text/event-stream"
        self.usage: Usage | None = None
        self.deltas = 0
        self.size = 0
        self._call_id = call.id
        self._model = own_name(call, target)
        self._stream = EventStream()
        self._tally = Tally()
        self._finished = False
        self._end = b""

    @property
    def complete(self) -> bool:
        """Nothing more is to be fed: the end was seen, or a fault waits."""
        return self._stream.complete or self._stream.faulty

    def feed(self, data: bytes) -> bytes:
        """Give the events that ``data`` completes; raise ProviderFault on garbage."""
        return b"".join(self._stream.feed(data, self._hear))

    def finish(self) -> bytes:
        """Give message_stop; raise ProviderFault if the answer is not whole."""
        rest = b"".join(self._stream.finish(self._hear))
        if not self._stream.complete:
            raise cut_short()
        return rest + self._end

    def broken(self, fault: Fault) -> bytes:
        """Give the error event."""
        return broken_stream(fault, self._call_id)

    def _hear(self, block: Block) -> tuple[bytes, ...]:
        return (self._pass(block),)

    def _pass(self, block: Block) -> bytes:
        if block.data is None:
            return passable(block)
        event = decode_event(block.data)
        self._watch(event)
        raw = passable(block)
        if self._stream.complete:
            self._end = raw
            return b""
        return self._edited(raw, block.data, event)

    def _watch(self, event: StreamEvent) -> None:
        match event.type:
            case "message_start":
                self._count(decode_message(event.message).usage)
            case "content_block_delta":
                self.deltas += 1
                self.size += said_size(event.delta)
            case "message_delta":
                self._count(event.usage)
                if event.delta is not None and event.delta.stop_reason:
                    self._finished = True
            case "message_stop":
                if not self._finished:
                    raise cut_short()
                self._stream.complete = True

    def _count(self, told: Raw) -> None:
        self._tally.hear(told)
        self.usage = self._tally.usage

    def _edited(self, raw: bytes, data: bytes, event: StreamEvent) -> bytes:
        if self._model is None or event.type != "message_start":
            return raw
        message = bytes(event.message)
        if not decode_message(event.message).model:
            return raw
        edited = replaced(data, "message", replaced(message, "model", self._model))
        return with_data(raw, data, edited)


class WholePassage:
    """The way of an answer in one piece: all of it comes from ``finish``."""

    def __init__(self, call: Call, target: Target) -> None:
        self.content_type = "application/json"
        self.complete = False
        self.usage: Usage | None = None
        self.deltas = 0
        self.size = 0
        self._model = own_name(call, target)
        self._gathered = Gathered()

    def feed(self, data: bytes) -> bytes:
        """Keep ``data``; raise ProviderGarbage when it is too much."""
        self._gathered.add(data)
        return b""

    def finish(self) -> bytes:
        """Give the answer; raise ProviderFault if it is not a complete one."""
        body = self._gathered.body
        message = decode_whole(body)
        if message.stop_reason is None:
            raise cut_short()
        tally = Tally()
        tally.hear(message.usage)
        self.usage = tally.usage
        self.deltas = len(message.content)
        self.size = sum(len(block) for block in message.content)
        self.complete = True
        if self._model is not None and message.model:
            return replaced(body, "model", self._model)
        return body

    def broken(self, fault: Fault) -> bytes:  # noqa: ARG002  (the Protocol's argument)
        """Give nothing: what follows half a JSON text cannot mend it."""
        return b""
