"""The built-in provider: lets a first curl stream an answer on any machine."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReactorTime

import msgspec

from lightweight.records import Headers, Outgoing
from lightweight.upstream.provider import Sink, Source

MODEL = "demo"

GAP_SECONDS = 0.02
"""Between two pieces of a stream: slow enough to be seen."""

TEXT = (
    "This is the built-in demo of Lightweight, not a language model: it gives this "
    "same answer to everything. Your gateway works. To talk to a real model, give it "
    "a provider: start it with OPENAI_API_KEY, MISTRAL_API_KEY or another "
    "provider's key in its environment, or write [providers.openai] with an api_key "
    "into lightweight.toml, then reload or restart it."
)

_PATH = "/chat/completions"
_BYTES_PER_TOKEN = 4


class _Options(msgspec.Struct):
    include_usage: bool | None = None


class _Asked(msgspec.Struct):
    """What of a chat completion's request matters here."""

    model: str = MODEL
    stream: bool | None = None
    stream_options: _Options | None = None


class DemoReply(msgspec.Struct):
    """A reply of the demo; not frozen since ``Reply`` does not promise it."""

    status: int
    headers: Headers
    body: Source


class DemoProvider:
    """Answers chat completions in OpenAI's shape, with one fixed text."""

    def __init__(
        self, name: str, reactor: IReactorTime, *, wall: Callable[[], float]
    ) -> None:
        """``wall`` gives seconds since the epoch, for ``created``."""
        self.name = name
        self._reactor = reactor
        self._wall = wall

    async def send(self, outgoing: Outgoing, request_id: str) -> DemoReply:
        """Give a reply at once; raises nothing."""
        if outgoing.path != _PATH:
            return self._refusal(404, "The demo has chat completions only.")
        try:
            asked = msgspec.json.decode(outgoing.body, type=_Asked)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self._refusal(400, "The body is no chat completion request.")
        answer = _Answer(
            id=f"chatcmpl-{request_id}",
            created=int(self._wall()),
            model=asked.model,
            prompt_tokens=max(1, len(outgoing.body) // _BYTES_PER_TOKEN),
        )
        if not asked.stream:
            return self._reply(200, "application/json", (answer.whole(),))
        options = asked.stream_options
        events = answer.events(usage=bool(options and options.include_usage))
        return self._reply(200, "text/event-stream", tuple(events))

    async def close(self) -> None:
        """Do nothing: there are no connections."""

    def _refusal(self, status: int, message: str) -> DemoReply:
        error = {
            "message": message,
            "type": "invalid_request_error",
            "param": None,
            "code": None,
        }
        body = msgspec.json.encode({"error": error})
        return self._reply(status, "application/json", (body,))

    def _reply(
        self, status: int, content_type: str, pieces: Sequence[bytes]
    ) -> DemoReply:
        headers = {"content-type": content_type}
        return DemoReply(status, headers, DemoBody(self._reactor, pieces))


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One answer; a token of the demo is a word, and four bytes of the prompt."""

    id: str
    created: int
    model: str
    prompt_tokens: int

    def whole(self) -> bytes:
        """Give the chat completion object."""
        message = {"role": "assistant", "content": TEXT, "refusal": None}
        choice = {
            "index": 0,
            "message": message,
            "logprobs": None,
            "finish_reason": "stop",
        }
        return msgspec.json.encode(
            {
                **self._head("chat.completion"),
                "choices": [choice],
                "usage": self._usage(),
            }
        )

    def events(self, *, usage: bool) -> Iterator[bytes]:
        """Give the stream's events, one for each word."""
        # With include_usage every other chunk says ``"usage": null`` (API reference).
        rest = {"usage": None} if usage else {}
        yield self._chunk({"role": "assistant", "content": ""}, None, rest)
        for word in _words():
            yield self._chunk({"content": word}, None, rest)
        yield self._chunk({}, "stop", rest)
        if usage:
            head = self._head("chat.completion.chunk")
            yield _event({**head, "choices": [], "usage": self._usage()})
        yield b"data: [DONE]\n\n"

    def _chunk(
        self, delta: dict[str, str], reason: str | None, rest: dict[str, None]
    ) -> bytes:
        choice = {
            "index": 0,
            "delta": delta,
            "logprobs": None,
            "finish_reason": reason,
        }
        return _event(
            {**self._head("chat.completion.chunk"), "choices": [choice], **rest}
        )

    def _head(self, kind: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
        }

    def _usage(self) -> dict[str, int]:
        completion = len(_words())
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": completion,
            "total_tokens": self.prompt_tokens + completion,
        }


def _words() -> list[str]:
    first, *others = TEXT.split(" ")
    return [first, *(f" {word}" for word in others)]


def _event(data: dict[str, Any]) -> bytes:
    return b"data: " + msgspec.json.encode(data) + b"\n\n"


class DemoBody:
    """Pieces that come one after another, the first one at once."""

    def __init__(self, clock: IReactorTime, pieces: Sequence[bytes]) -> None:
        self._clock = clock
        self._pieces = deque(pieces)
        self._sink: Sink | None = None
        self._paused = False
        self._over = False
        self._next: IDelayedCall | None = None

    def deliver(self, sink: Sink) -> None:
        """Begin to flow, at once unless paused."""
        self._sink = sink
        if self._flows():
            self._flow()

    def pause(self) -> None:
        """Deliver nothing until ``resume``."""
        self._paused = True
        self._stop()

    def resume(self) -> None:
        """Deliver the next piece when its time has come."""
        self._paused = False
        self._schedule()

    def abort(self) -> None:
        """Stop; the sink hears no more."""
        self._over = True
        self._stop()

    def _flows(self) -> bool:
        return self._sink is not None and not self._paused and not self._over

    def _flow(self) -> None:
        assert self._sink is not None
        self._next = None
        if self._pieces:
            self._sink.received(self._pieces.popleft())
        if self._pieces:
            self._schedule()
        elif self._flows():
            self._over = True
            self._sink.ended(None)

    def _schedule(self) -> None:
        if self._flows() and self._next is None:
            self._next = self._clock.callLater(GAP_SECONDS, self._flow)

    def _stop(self) -> None:
        call, self._next = self._next, None
        if call is not None:
            call.cancel()
