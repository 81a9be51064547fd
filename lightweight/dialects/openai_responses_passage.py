"""A response on its way through the gateway, byte for byte.

Both sides speak this dialect, so the provider's bytes are the client's, save that
``model`` is set back where the target has another name for it and the lines of an event
stream that steer a client (``id``, ``retry``) are dropped.
"""

from lightweight.dialects.answer import EventStream, Gathered, cut_short, own_name
from lightweight.dialects.openai_responses_reader import (
    ENDINGS,
    check_failure,
    decode_whole,
)
from lightweight.dialects.openai_responses_shapes import (
    Piece,
    decode_piece,
    decode_response,
    usage_of,
)
from lightweight.dialects.openai_responses_writer import broken_stream
from lightweight.dialects.splice import replaced
from lightweight.dialects.sse import Block, passable, with_data
from lightweight.errors import Fault
from lightweight.records import Call, Target, Usage


class StreamPassage:
    """The way of a streamed response.

    Where one piece of the body holds events and then a fault, the events are given
    first: ``complete`` turns true and the next call raises the fault.
    """

    def __init__(self, call: Call, target: Target) -> None:
        self.content_type = "text/event-stream"
        self.usage: Usage | None = None
        self.deltas = 0
        self.size = 0
        self._call = call
        self._model = own_name(call, target)
        self._stream = EventStream()
        self._number = 0
        self._ending = b""

    @property
    def complete(self) -> bool:
        """Nothing more is to be fed: the end was seen, or a fault waits."""
        return self._stream.complete or self._stream.faulty

    def feed(self, data: bytes) -> bytes:
        """Give the events that ``data`` completes; raise ProviderFault on garbage."""
        return b"".join(self._stream.feed(data, self._hear))

    def finish(self) -> bytes:
        """Give the rest and the last event; raise ProviderFault if there is none."""
        rest = b"".join(self._stream.finish(self._hear))
        if not self._stream.complete:
            raise cut_short()
        return rest + self._ending

    def broken(self, fault: Fault) -> bytes:
        """Give the events that tell of a stream which broke."""
        return broken_stream(self._call, fault, self._number)

    def _hear(self, block: Block) -> tuple[bytes, ...]:
        return (self._pass(block),)

    def _pass(self, block: Block) -> bytes:
        if block.data is None:
            return passable(block)
        if block.data.strip() == b"[DONE]":
            raise cut_short()
        piece = decode_piece(block.data)
        check_failure(piece, block.data)
        self._number = piece.sequence_number + 1
        if piece.type.endswith(".delta"):
            self.deltas += 1
            self.size += len(piece.delta)
        edited = self._edited(block, block.data, piece)
        if piece.type not in ENDINGS:
            return edited
        self.usage = usage_of(decode_response(piece.response).usage)
        self._stream.complete = True
        self._ending = edited
        return b""

    def _edited(self, block: Block, data: bytes, piece: Piece) -> bytes:
        raw = passable(block)
        if self._model is None or not piece.response:
            return raw
        if not decode_response(piece.response).model:
            return raw
        response = replaced(bytes(piece.response), "model", self._model)
        return with_data(raw, data, replaced(data, "response", response))


class WholePassage:
    """The way of a response in one piece: all of it comes from ``finish``."""

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
        """Give the response; raise ProviderFault if it is not a complete one."""
        body = self._gathered.body
        response = decode_whole(body)
        self.usage = usage_of(response.usage)
        self.deltas = len(response.output or ())
        self.size = sum(len(item) for item in response.output or ())
        self.complete = True
        if self._model is not None and response.model:
            return replaced(body, "model", self._model)
        return body

    def broken(self, fault: Fault) -> bytes:  # noqa: ARG002  (the Protocol's argument)
        """Give nothing: what follows half a JSON text cannot mend it."""
        return b""
