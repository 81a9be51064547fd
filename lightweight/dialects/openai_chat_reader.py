"""A provider's chat completion to events, streamed or whole.

API reference, "The chat completion object" and "The chat completion chunk object". What
providers are known to do differently and what is made of it:

* ``reasoning`` for ``reasoning_content``, or both with the same text: one of them;
* the legacy ``function_call``: a tool call whose first piece has no id.

What has no word in the events comes as one ``Unknown`` with the whole chunk. Members
that only annotate an answer (fingerprint, tier, timings, padding) are left out.
"""

from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Raw

from lightweight.dialects.answer import EventStream, Gathered, cut_short
from lightweight.dialects.openai_chat_calls import Function, ToolCall, ToolCalls
from lightweight.dialects.openai_chat_faults import read_error_frame
from lightweight.dialects.openai_chat_shapes import (
    Choice,
    Piece,
    Progress,
    decode,
    decode_piece,
    says_something,
    seconds_of,
    text_of,
    usage_of,
)
from lightweight.dialects.sse import Block
from lightweight.errors import ProviderGarbage
from lightweight.events import (
    Event,
    Finished,
    FinishReason,
    ReasoningDelta,
    RefusalDelta,
    Started,
    TextDelta,
    Unknown,
    UsageReported,
)
from lightweight.records import Call

DONE = b"[DONE]"
_REASONS: dict[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "function_call": "function_call",
}
_TEXTS: dict[str, type[TextDelta | ReasoningDelta | RefusalDelta]] = {
    "reasoning_content": ReasoningDelta,
    "reasoning": ReasoningDelta,
    "content": TextDelta,
    "refusal": RefusalDelta,
}
WORDS = frozenset({"role", "tool_calls", "function_call", *_TEXTS})
"""Members of a delta or message that events have words for."""


_TEXT = msgspec.json.Decoder(str | None)
_TOOL_CALLS = msgspec.json.Decoder(list[ToolCall] | None)
_FUNCTION = msgspec.json.Decoder(Function | None)


class _Listener:
    """What both readers share: choices in, events out."""

    def __init__(self, call: Call) -> None:
        self._call_id = call.id
        self._tool_calls: dict[int, ToolCalls] = {}
        self.progress = Progress()

    def hear(self, choice: Choice, said: dict[str, Raw]) -> Iterator[Event]:
        self.progress.begin(choice.index)
        for key, kind in _TEXTS.items():
            if key == "reasoning" and says_something(said.get("reasoning_content")):
                continue
            if key in said and (text := decode(_TEXT, said[key])):
                yield kind(text=text, choice=choice.index)
        yield from self._hear_calls(choice.index, said)
        if choice.finish_reason:
            reason = _REASONS.get(choice.finish_reason)
            if reason is None:
                raise ProviderGarbage("The provider's answer ended for unknown reason.")
            if self.progress.end(choice.index):
                yield Finished(reason=reason, choice=choice.index)

    def _hear_calls(self, choice: int, said: dict[str, Raw]) -> Iterator[Event]:
        if choice not in self._tool_calls:
            prefix = f"call_{self._call_id}_{choice}"
            self._tool_calls[choice] = ToolCalls(choice, prefix)
        calls = self._tool_calls[choice]
        for told in decode(_TOOL_CALLS, said.get("tool_calls", _NULL)) or ():
            yield from calls.hear(told)
        legacy = decode(_FUNCTION, said.get("function_call", _NULL))
        if legacy is not None:
            yield from calls.hear_legacy(legacy)


_NULL = Raw(b"null")


class StreamReader:
    """Reader of a streamed answer."""

    def __init__(self, call: Call) -> None:
        self._stream = EventStream()
        self._listener = _Listener(call)
        self._started = False

    @property
    def complete(self) -> bool:
        """The answer's end was seen."""
        return self._stream.complete

    def feed(self, data: bytes) -> Sequence[Event]:
        """Give the events that ``data`` completes; raise ProviderFault on garbage."""
        return self._stream.feed(data, self._hear_block)

    def finish(self) -> Sequence[Event]:
        """Give the last events; raise ProviderCut if the body is not whole."""
        events = self._stream.finish(self._hear_block)
        if not self.complete:
            check_ending(self._stream.leftover, self._listener.progress)
        return events

    def _hear_block(self, block: Block) -> Sequence[Event]:
        if block.data is None:
            return ()
        if block.data.strip() == DONE:
            self._listener.progress.check()
            self._stream.complete = True
            return ()
        piece = decode_piece(block.data)
        if says_something(piece.error):
            raise read_error_frame(piece.error)
        return list(self._hear_piece(piece, block.data))

    def _hear_piece(self, piece: Piece, data: bytes) -> Iterator[Event]:
        usage = usage_of(piece.usage)
        if not piece.choices and usage is None:
            yield Unknown(raw=data)
            return
        if not self._started:
            self._started = True
            yield _started(piece)
        unknown = False
        for choice in piece.choices or ():
            delta = choice.delta or {}
            yield from self._listener.hear(choice, delta)
            unknown = unknown or _has_unknown(choice, delta)
        if unknown:
            yield Unknown(raw=data)
        if usage is not None:
            yield UsageReported(usage=usage)


class WholeReader:
    """Reader of an answer in one piece: every event comes from ``finish``."""

    def __init__(self, call: Call) -> None:
        self.complete = False
        self._gathered = Gathered()
        self._listener = _Listener(call)

    def feed(self, data: bytes) -> Sequence[Event]:
        """Keep ``data``; raise ProviderGarbage when it is too much."""
        self._gathered.add(data)
        return ()

    def finish(self) -> Sequence[Event]:
        """Give all events; raise ProviderFault if this is no complete answer."""
        body = self._gathered.body
        piece = decode_whole(body)
        events: list[Event] = [_started(piece)]
        unknown = False
        for choice in piece.choices or ():
            message = choice.message or {}
            events += self._listener.hear(choice, message)
            unknown = unknown or _has_unknown(choice, message)
        self._listener.progress.check()
        if unknown:
            events.append(Unknown(raw=body))
        usage = usage_of(piece.usage)
        if usage is not None:
            events.append(UsageReported(usage=usage))
        return events


def decode_whole(body: bytes) -> Piece:
    """Decode a whole answer; raise ProviderFault if it is an error or something else.

    Whether its choices are finished is for the caller's ``Progress`` to say.
    """
    piece = decode_piece(body)
    if says_something(piece.error):
        raise read_error_frame(piece.error)
    if not piece.choices or any(choice.message is None for choice in piece.choices):
        raise ProviderGarbage("The provider's answer is no chat completion.")
    return piece


def check_ending(leftover: bytes, progress: Progress) -> None:
    """Raise ProviderCut unless a stream that ended without [DONE] is complete.

    A [DONE] whose blank line is missing counts as one.
    """
    progress.check()
    rest = leftover.strip()
    if rest and rest.removeprefix(b"data:").strip() != DONE:
        raise cut_short()


def _started(piece: Piece) -> Started:
    return Started(
        id=text_of(piece.id),
        created=seconds_of(piece.created),
        model=text_of(piece.model),
        fingerprint=text_of(piece.system_fingerprint) or None,
        service_tier=text_of(piece.service_tier) or None,
    )


def _has_unknown(choice: Choice, said: dict[str, Raw]) -> bool:
    return says_something(choice.logprobs) or any(
        says_something(raw) for key, raw in said.items() if key not in WORDS
    )
