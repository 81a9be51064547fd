"""A chat completion on its way through the gateway, byte for byte.

Both sides speak this dialect, so the provider's bytes are the client's, save that
``model`` is set back where the target has another name for it, usage the client did not
ask for is cut out, and the lines of an event stream that steer a client (``id``,
``retry``) are dropped.
"""

from lightweight.dialects.answer import EventStream, Gathered, own_name
from lightweight.dialects.openai_chat_faults import read_error_frame
from lightweight.dialects.openai_chat_reader import DONE as DONE_DATA
from lightweight.dialects.openai_chat_reader import check_ending, decode_whole
from lightweight.dialects.openai_chat_shapes import (
    Complete,
    Piece,
    Progress,
    complete_answer,
    content_size,
    decode_piece,
    disjoint,
    said_size,
    says_something,
    usage_of,
)
from lightweight.dialects.openai_chat_writer import DONE, broken_stream
from lightweight.dialects.splice import replaced, without
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
        self.complete = False
        """Nothing more is to be fed: the end was seen, or a fault waits."""
        self.usage: Usage | None = None
        self.deltas = 0
        self.size = 0
        self._model = own_name(call, target)
        self._cut_usage = not call.wants_usage
        self._stream = EventStream()
        self._progress = Progress()
        self._done = b""

    def feed(self, data: bytes) -> bytes:
        """Give the events that ``data`` completes; raise ProviderFault on garbage."""
        stream = self._stream
        passed = b"".join(stream.feed(data, self._hear))
        self.complete = stream.complete or stream.faulty
        return passed

    def finish(self) -> bytes:
        """Give the rest and [DONE]; raise ProviderFault if the answer is not whole."""
        rest = b"".join(self._stream.finish(self._hear))
        if not self._stream.complete:
            check_ending(self._stream.leftover, self._progress)
        self.complete = self._stream.complete = True
        return rest + (self._done or DONE)

    def broken(self, fault: Fault) -> bytes:
        """Give the error frame and [DONE]."""
        return broken_stream(fault)

    def _hear(self, block: Block) -> tuple[bytes, ...]:
        data = block.data
        if data is None:
            return (passable(block),)
        if data.strip() == DONE_DATA:
            self._progress.check()
            self._stream.complete = True
            self._done = passable(block)
            return ()
        piece = decode_piece(data)
        if piece.error and says_something(piece.error):
            raise read_error_frame(piece.error)
        self._watch(piece)
        if piece.usage or self._model is not None:
            return (self._edited(block, data, piece),)
        return (passable(block),)

    def _watch(self, piece: Piece) -> None:
        progress = self._progress
        for choice in piece.choices or ():
            if choice.finish_reason:
                progress.end(choice.index)
            else:
                progress.begin(choice.index)
            size = said_size(choice)
            if size:
                self.deltas += 1
                self.size += size
        if piece.usage:
            self.usage = usage_of(piece.usage) or self.usage

    def _edited(self, block: Block, data: bytes, piece: Piece) -> bytes:
        edited = data
        if self._cut_usage and piece.usage:
            if not piece.choices and says_something(piece.usage):
                return b""
            edited = without(edited, "usage")
        if self._model is not None and piece.model:
            edited = replaced(edited, "model", self._model)
        raw = passable(block)
        return raw if edited == data else with_data(raw, data, edited)


class WholePassage:
    """The way of an answer in one piece: all of it comes from ``finish``.

    Its ``size`` may stay 0 where usage is reported: it counts where none is.
    """

    content_type = "application/json"
    complete = False
    usage: Usage | None = None
    deltas = 0
    size = 0

    def __init__(self, call: Call, target: Target) -> None:
        self._model = own_name(call, target)
        self._gathered = Gathered()

    def feed(self, data: bytes) -> bytes:
        """Keep ``data``; raise ProviderGarbage when it is too much."""
        self._gathered.add(data)
        return b""

    def finish(self) -> bytes:
        """Give the answer; raise ProviderFault if it is not a complete one."""
        body = self._gathered.body
        answer: Complete | Piece | None = complete_answer(body)
        if isinstance(answer, Complete):
            self.usage = disjoint(answer.usage)
            self.deltas = len(answer.choices)
        else:
            answer = self._judged(body)
        self.complete = True
        if self._model is not None and answer.model:
            return replaced(body, "model", self._model)
        return body

    def broken(self, fault: Fault) -> bytes:  # noqa: ARG002  (the Protocol's argument)
        """Give nothing: what follows half a JSON text cannot mend it."""
        return b""

    def _judged(self, body: bytes) -> Piece:
        """Decode an answer that may be odd, or no complete one: then raise."""
        piece = decode_whole(body)
        progress = Progress()
        for choice in piece.choices or ():
            progress.begin(choice.index)
            if choice.finish_reason:
                progress.end(choice.index)
            self.deltas += 1
            self.size += content_size(choice.message)
        progress.check()
        self.usage = usage_of(piece.usage)
        return piece
