"""Answers that nobody here understands on their way through the gateway, untouched.

API reference, "Embeddings", "Moderations", "Images", "Audio". What is read on the way
is the usage, where there is one; what is edited is ``model``, where the target has
another name for it.
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Raw, Struct

from lightweight.dialects.answer import Gathered, cut_short
from lightweight.dialects.openai_chat_faults import read_error_frame
from lightweight.dialects.openai_chat_shapes import says_something, usage_of
from lightweight.dialects.openai_chat_writer import broken_stream
from lightweight.dialects.splice import replaced
from lightweight.dialects.sse import Block, Framing, passable
from lightweight.errors import Fault, ProviderGarbage
from lightweight.records import Call, Target, Usage

_Tokens = Annotated[int, Meta(ge=0, le=2**53)]
_DONE = b"[DONE]"
_ENDS = (".completed", ".done")


class _Answer(Struct, frozen=True):
    """What is read of an answer, or of one event of it."""

    type: Raw = Raw()
    model: Raw = Raw()
    choices: Raw = Raw()
    usage: Raw = Raw()
    error: Raw = Raw()


class _Counts(Struct, frozen=True):
    """Token counts as these endpoints write them; each leaves some of them out."""

    prompt_tokens: _Tokens | None = None
    input_tokens: _Tokens | None = None
    completion_tokens: _Tokens | None = None
    output_tokens: _Tokens | None = None
    total_tokens: _Tokens | None = None


class _Choice(Struct, frozen=True):
    text: str = ""


_ANSWER = msgspec.json.Decoder(_Answer)
_COUNTS = msgspec.json.Decoder(_Counts)
_CHOICES = msgspec.json.Decoder(list[_Choice])
_TEXT = msgspec.json.Decoder(str)


def relayed_usage(raw: Raw) -> Usage | None:
    """Give the usage an answer reports; None where it counts no tokens."""
    known = usage_of(raw)
    if known is not None:
        return known
    try:
        told = _COUNTS.decode(raw or b"null")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    prompt = told.prompt_tokens if told.input_tokens is None else told.input_tokens
    answer = (
        told.completion_tokens if told.output_tokens is None else told.output_tokens
    )
    if prompt is None and told.total_tokens is not None:
        prompt = told.total_tokens - (answer or 0)
    if prompt is None and answer is None:
        return None
    return Usage(fresh=max(0, prompt or 0), answer=max(0, answer or 0))


class WholePassage:
    """The way of an answer in one piece: all of it comes from ``finish``."""

    def __init__(self, call: Call, target: Target, *, only_json: bool) -> None:
        """``only_json``: what is no JSON object is no answer."""
        self.content_type = "application/json" if only_json else ""
        self.complete = False
        self.usage: Usage | None = None
        self.deltas = 0
        self.size = 0
        self._only_json = only_json
        self._model = None if call.model == target.model else call.model
        self._gathered = Gathered()

    def feed(self, data: bytes) -> bytes:
        """Keep ``data``; raise ProviderGarbage when it is too much."""
        self._gathered.add(data)
        return b""

    def finish(self) -> bytes:
        """Give the answer; raise ProviderFault if it is not a whole one."""
        body = self._gathered.body
        self.complete = True
        answer = _answer_in(body)
        if answer is None:
            if self._only_json:
                raise ProviderGarbage("The provider's answer is no JSON object.")
            return body
        if says_something(answer.error):
            raise read_error_frame(answer.error)
        self.usage = relayed_usage(answer.usage)
        self.size = _size_of(answer.choices)
        self.deltas = min(1, self.size)
        if self._model is not None and says_something(answer.model):
            return replaced(body, "model", msgspec.json.encode(self._model))
        return body

    def broken(self, fault: Fault) -> bytes:  # noqa: ARG002  (the Protocol's argument)
        """Give nothing: what follows half an answer cannot mend it."""
        return b""


class EventsPassage:
    """The way of a stream of events whose last one says that it is.

    There may be several that say so, one for each image: each is held back until
    another event comes, the last one until ``finish``.
    """

    def __init__(self) -> None:
        self.content_type = "text/event-stream"
        self.complete = False
        self.usage: Usage | None = None
        self.deltas = 0
        self.size = 0
        self._framing = Framing()
        self._end = b""

    def feed(self, data: bytes) -> bytes:
        """Give the events that ``data`` completes; raise ProviderFault on garbage."""
        return b"".join([self._pass(block) for block in self._framing.feed(data)])

    def finish(self) -> bytes:
        """Give the event that says the end; raise ProviderCut where none came."""
        rest = b"".join([self._pass(block) for block in self._framing.finish()])
        if not self._end or self._framing.leftover.strip():
            raise cut_short()
        self.complete = True
        return rest + self._end

    def broken(self, fault: Fault) -> bytes:
        """Give the error frame and [DONE]."""
        return broken_stream(fault)

    def _pass(self, block: Block) -> bytes:
        passed = passable(block)
        if block.data is None:
            return passed
        if block.data.strip() == _DONE:
            self._end += passed
            return b""
        answer = _answer_in(block.data)
        if answer is None:
            raise ProviderGarbage("The provider sent an event that is no JSON object.")
        if says_something(answer.error):
            raise read_error_frame(answer.error)
        self.deltas = 1
        self.usage = relayed_usage(answer.usage) or self.usage
        before, self._end = self._end, b""
        if _text_of(answer.type).endswith(_ENDS):
            self._end = passed
            return before
        return before + passed


class PipedPassage:
    """The way of bytes that nothing is known of: only HTTP says where they end.

    They cannot tell of a fault either, so the connection is cut where they break.
    """

    content_type = ""

    def __init__(self) -> None:
        self.complete = False
        self.usage: Usage | None = None
        self.deltas = 0
        self.size = 0

    def feed(self, data: bytes) -> bytes:
        """Give ``data``."""
        self.deltas = 1
        return data

    def finish(self) -> bytes:
        """Give nothing more; raise ProviderCut where nothing came."""
        if not self.deltas:
            raise cut_short()
        self.complete = True
        return b""

    def broken(self, fault: Fault) -> bytes:  # noqa: ARG002  (the Protocol's argument)
        """Give nothing."""
        return b""


def _answer_in(data: bytes) -> _Answer | None:
    try:
        data.decode()
        return _ANSWER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _text_of(raw: Raw) -> str:
    try:
        return _TEXT.decode(raw or b'""')
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""


def _size_of(choices: Raw) -> int:
    """Give the bytes of the texts of a completion; 0 where it is something else."""
    try:
        told = _CHOICES.decode(choices or b"[]")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return 0
    return sum(len(choice.text.encode()) for choice in told)
