"""A provider's response to events, streamed or whole.

API reference, "The response object" and "Streaming events". What has no word in the
events (hosted tools, annotations) comes as ``Unknown``.
"""

from collections.abc import Iterator, Sequence

from msgspec import Raw

from lightweight.dialects.answer import EventStream, Gathered, cut_short
from lightweight.dialects.openai_chat_shapes import says_something, seconds_of, text_of
from lightweight.dialects.openai_responses_faults import read_failure
from lightweight.dialects.openai_responses_output import Output
from lightweight.dialects.openai_responses_shapes import (
    Piece,
    Response,
    decode_item,
    decode_piece,
    decode_response,
    usage_of,
)
from lightweight.dialects.sse import Block
from lightweight.errors import ProviderGarbage, ProviderRefused
from lightweight.events import (
    Event,
    Finished,
    FinishReason,
    Started,
    Unknown,
    UsageReported,
)
from lightweight.records import Call

_INCOMPLETE = "response.incomplete"
ENDINGS = frozenset({"response.completed", _INCOMPLETE})
_FAILURES = frozenset({"response.failed", "response.cancelled", "error"})
_ENDED = frozenset({"completed", "incomplete"})
_FAILED = frozenset({"failed", "cancelled"})
_NOTHING = Raw(b"{}")


class StreamReader:
    """Reader of a streamed response."""

    def __init__(self, call: Call) -> None:
        self._stream = EventStream()
        self._output = Output(call)
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
            raise cut_short()
        return events

    def _hear_block(self, block: Block) -> Sequence[Event]:
        if block.data is None:
            return ()
        if block.data.strip() == b"[DONE]":
            raise cut_short()
        return list(self._hear_piece(decode_piece(block.data), block.data))

    def _hear_piece(self, piece: Piece, data: bytes) -> Iterator[Event]:
        check_failure(piece, data)
        if not self._started:
            self._started = True
            yield _started(decode_response(piece.response or _NOTHING))
        if piece.type in ENDINGS:
            response = decode_response(piece.response)
            incomplete = piece.type == _INCOMPLETE
            yield from _end(self._output, response, incomplete=incomplete)
            self._stream.complete = True
        elif piece.type != "response.created":
            yield from self._output.hear(piece, data)


class WholeReader:
    """Reader of a response in one piece: every event comes from ``finish``."""

    def __init__(self, call: Call) -> None:
        self.complete = False
        self._gathered = Gathered()
        self._output = Output(call)

    def feed(self, data: bytes) -> Sequence[Event]:
        """Keep ``data``; raise ProviderGarbage when it is too much."""
        self._gathered.add(data)
        return ()

    def finish(self) -> Sequence[Event]:
        """Give all events; raise ProviderFault if this is no complete response."""
        body = self._gathered.body
        response = decode_whole(body)
        incomplete = response.status == "incomplete"
        events = [
            _started(response),
            *_end(self._output, response, incomplete=incomplete),
        ]
        if any(decode_item(raw) is None for raw in response.output or ()):
            events.append(Unknown(raw=body))
        self.complete = True
        return events


def decode_whole(body: bytes) -> Response:
    """Decode a whole response; raise ProviderFault if it is none, or not complete."""
    try:
        body.decode()
    except UnicodeDecodeError:
        raise ProviderGarbage("The provider's answer is not valid UTF-8.") from None
    response = decode_response(body)
    if says_something(response.error):
        raise read_failure(response.error)
    if response.status in _FAILED:
        raise ProviderRefused("The provider gave up on its answer.")
    if response.output is None:
        raise ProviderGarbage("The provider's answer is no response.")
    if response.status not in _ENDED:
        raise cut_short()
    return response


def check_failure(piece: Piece, data: bytes) -> None:
    """Raise the fault that a stream event tells of, if it does."""
    if piece.type not in _FAILURES:
        if not piece.type and says_something(piece.error):
            raise read_failure(piece.error)
        return
    if piece.response:
        response = decode_response(piece.response)
        if says_something(response.error):
            raise read_failure(response.error)
        raise ProviderRefused("The provider gave up on its answer.")
    raise read_failure(piece.error if says_something(piece.error) else Raw(data))


def _end(output: Output, response: Response, *, incomplete: bool) -> Iterator[Event]:
    yield from output.catch_up(response.output or ())
    yield Finished(reason=_reason(output, response, incomplete=incomplete))
    usage = usage_of(response.usage)
    if usage is not None:
        yield UsageReported(usage=usage)


def _reason(output: Output, response: Response, *, incomplete: bool) -> FinishReason:
    """Say why an answer is at its end; what stays incomplete met a limit."""
    if not incomplete:
        return "tool_calls" if output.called else "stop"
    details = response.incomplete_details
    filtered = details is not None and details.reason == "content_filter"
    return "content_filter" if filtered else "length"


def _started(response: Response) -> Started:
    return Started(
        id=text_of(response.id),
        created=seconds_of(response.created_at),
        model=text_of(response.model),
    )
