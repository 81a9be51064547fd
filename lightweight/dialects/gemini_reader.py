"""Gemini's answer to events, streamed or whole.

Gemini API reference, ``GenerateContentResponse``: each event of a stream is one, and so
is a whole answer. There is no word for the end of a stream: it is whole when every
candidate had its ``finishReason`` and the body ended cleanly.

| Gemini | event |
|---|---|
| ``text`` with ``thought`` | ReasoningDelta |
| ``functionCall`` | one ToolCallDelta with the whole call; its signature is ``seal`` |
| ``thoughtSignature`` of any other part | ReasoningSealed |
| STOP | tool_calls if the candidate called any, else stop |
| MAX_TOKENS | length |
| SAFETY and the like, a blocked prompt | content_filter |
| MALFORMED_FUNCTION_CALL and the like | ProviderGarbage: another try may do better |
| ``usageMetadata``, cumulative | UsageReported, the last one counts |

Parts of other kinds (pictures, code that Google ran) come as ``Unknown``. An answer has
no time of its own: ``Started.created`` is 0.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta, Raw, Struct

from lightweight.dialects.answer import EventStream, Gathered, cut_short
from lightweight.dialects.gemini_faults import read_error_frame
from lightweight.dialects.openai_chat_shapes import Progress, says_something
from lightweight.dialects.sse import Block
from lightweight.errors import ProviderGarbage
from lightweight.events import (
    Event,
    Finished,
    FinishReason,
    ReasoningDelta,
    ReasoningSealed,
    Started,
    TextDelta,
    ToolCallDelta,
    Unknown,
    UsageReported,
)
from lightweight.records import Call, Usage

_Tokens = Annotated[int, Meta(ge=0, le=2**53)]


class _FunctionCall(Struct, frozen=True):
    name: Annotated[str, Meta(min_length=1)]
    id: str | None = None
    args: dict[str, Raw] | None = None


class _Part(Struct, frozen=True, rename="camel"):
    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    function_call: _FunctionCall | None = None


class _Content(Struct, frozen=True):
    parts: list[_Part] | None = None


class _Candidate(Struct, frozen=True, rename="camel"):
    index: Annotated[int, Meta(ge=0, lt=128)] = 0
    content: _Content | None = None
    finish_reason: str | None = None


class _Feedback(Struct, frozen=True, rename="camel"):
    block_reason: str | None = None


class _UsageMetadata(Struct, frozen=True, rename="camel"):
    prompt_token_count: _Tokens | None = None
    tool_use_prompt_token_count: _Tokens | None = None
    cached_content_token_count: _Tokens | None = None
    candidates_token_count: _Tokens | None = None
    thoughts_token_count: _Tokens | None = None


class _Response(Struct, frozen=True, rename="camel"):
    candidates: list[_Candidate] | None = None
    prompt_feedback: _Feedback | None = None
    usage_metadata: _UsageMetadata | None = None
    response_id: str | None = None
    model_version: str | None = None
    error: Raw = Raw()


_RESPONSE = msgspec.json.Decoder(_Response)
_FILTERED = frozenset(
    {
        "SAFETY",
        "RECITATION",
        "LANGUAGE",
        "OTHER",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_OTHER",
        "NO_IMAGE",
        "IMAGE_RECITATION",
        "ESCALATION",
    }
)
_BUNGLED = frozenset(
    {
        "MALFORMED_FUNCTION_CALL",
        "UNEXPECTED_TOOL_CALL",
        "TOO_MANY_TOOL_CALLS",
        "MISSING_THOUGHT_SIGNATURE",
        "MALFORMED_RESPONSE",
    }
)


class _Listener:
    """What both readers share: responses in, events out."""

    def __init__(self, call: Call) -> None:
        self._call_id = call.id
        self._started = False
        self._calls: dict[int, int] = {}
        self.progress = Progress()

    def hear(self, data: bytes) -> Iterator[Event]:
        response = _decode(data)
        if says_something(response.error):
            raise read_error_frame(response.error)
        if not self._started:
            self._started = True
            yield Started(
                id=response.response_id or "",
                created=0,
                model=response.model_version or "",
            )
        unknown = False
        for candidate in response.candidates or ():
            self.progress.begin(candidate.index)
            for part in (candidate.content and candidate.content.parts) or ():
                unknown = unknown or not _has_word(part)
                yield from self._hear_part(part, candidate.index)
            if candidate.finish_reason:
                yield from self._end(candidate.index, candidate.finish_reason)
        feedback = response.prompt_feedback
        if not response.candidates and feedback and feedback.block_reason:
            self.progress.begin(0)
            yield from self._end(0, "SAFETY")
        if unknown:
            yield Unknown(raw=data)
        if response.usage_metadata is not None:
            yield UsageReported(usage=_usage(response.usage_metadata))

    def _hear_part(self, part: _Part, choice: int) -> Iterator[Event]:
        if part.text:
            kind = ReasoningDelta if part.thought else TextDelta
            yield kind(text=part.text, choice=choice)
        if part.function_call is not None:
            yield self._hear_call(part.function_call, part.thought_signature, choice)
        elif part.thought_signature:
            yield ReasoningSealed(
                seal=part.thought_signature, sealed_by="gemini", choice=choice
            )

    def _hear_call(
        self, told: _FunctionCall, seal: str | None, choice: int
    ) -> ToolCallDelta:
        call = self._calls.get(choice, 0)
        self._calls[choice] = call + 1
        return ToolCallDelta(
            call=call,
            id=told.id or f"call_{self._call_id}_{choice}_{call}",
            name=told.name,
            arguments=msgspec.json.encode(told.args or {}).decode(),
            seal=seal,
            choice=choice,
        )

    def _end(self, choice: int, told: str) -> Iterator[Event]:
        reason = self._reason(choice, told)
        if reason is not None and self.progress.end(choice):
            yield Finished(reason=reason, choice=choice)

    def _reason(self, choice: int, told: str) -> FinishReason | None:
        if told == "STOP":
            return "tool_calls" if choice in self._calls else "stop"
        if told == "MAX_TOKENS":
            return "length"
        if told in _FILTERED:
            return "content_filter"
        if told in _BUNGLED:
            raise ProviderGarbage(
                "The model made a tool call that cannot be used. Try again."
            )
        if told == "FINISH_REASON_UNSPECIFIED":
            return None
        raise ProviderGarbage("The provider's answer ended for unknown reason.")


class StreamReader:
    """Reader of a streamed answer."""

    def __init__(self, call: Call) -> None:
        self._stream = EventStream()
        self._listener = _Listener(call)

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
        self._listener.progress.check()
        if self._stream.leftover.strip():
            raise cut_short()
        self._stream.complete = True
        return events

    def _hear(self, block: Block) -> Iterable[Event]:
        return () if block.data is None else self._listener.hear(block.data)


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
        events = list(self._listener.hear(self._gathered.body))
        self._listener.progress.check()
        self.complete = True
        return events


def _decode(data: bytes) -> _Response:
    try:
        data.decode()
        return _RESPONSE.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ProviderGarbage(
            "The provider's answer does not have the form of Gemini's."
        ) from None


def _has_word(part: _Part) -> bool:
    return (
        part.text is not None
        or part.function_call is not None
        or part.thought_signature is not None
    )


def _usage(told: _UsageMetadata) -> Usage:
    """Give disjoint classes: the prompt's count includes what was cached."""
    prompt = (told.prompt_token_count or 0) + (told.tool_use_prompt_token_count or 0)
    cached = told.cached_content_token_count or 0
    return Usage(
        fresh=max(0, prompt - cached),
        cached=cached,
        answer=told.candidates_token_count or 0,
        reasoning=told.thoughts_token_count or 0,
    )
