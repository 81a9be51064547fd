"""What is read of an Ollama server's answers: one object, or one for each line.

Ollama's API, "Generate a chat completion" and "Generate a completion".
"""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Raw, Struct

from lightweight.dialects.openai_chat_faults import read_error_frame
from lightweight.dialects.openai_chat_shapes import says_something
from lightweight.errors import ProviderGarbage
from lightweight.events import FinishReason
from lightweight.records import Usage

_Tokens = Annotated[int, Meta(ge=0, le=2**53)]


class Function(Struct, frozen=True):
    """What is called; ``arguments`` is an object, not a text."""

    name: str
    arguments: Raw = Raw(b"{}")


class Called(Struct, frozen=True):
    """One call of a tool, always whole."""

    function: Function
    id: str | None = None


class Message(Struct, frozen=True):
    """What the model says, or a piece of it."""

    content: str | None = None
    thinking: str | None = None
    tool_calls: list[Called] | None = None


class Line(Struct, frozen=True):
    """An answer, or a line of it."""

    model: str | None = None
    created_at: str | None = None
    message: Message | None = None
    response: str | None = None
    """What ``/api/generate`` has in the place of a message."""
    thinking: str | None = None
    """The thoughts of ``/api/generate``."""
    logprobs: Raw = Raw()
    done: bool = False
    done_reason: str | None = None
    prompt_eval_count: _Tokens | None = None
    eval_count: _Tokens | None = None
    error: Raw = Raw()

    @property
    def said(self) -> int:
        """Give the bytes of what this piece says, arguments of tools included."""
        message = self.message or Message()
        texts = (message.content, message.thinking, self.response, self.thinking)
        calls = message.tool_calls or ()
        return sum(len(text.encode()) for text in texts if text) + sum(
            len(memoryview(call.function.arguments)) for call in calls
        )

    @property
    def usage(self) -> Usage | None:
        """Give the usage of a last line; a prompt from the cache is not counted."""
        if self.eval_count is None and self.prompt_eval_count is None:
            return None
        return Usage(fresh=self.prompt_eval_count or 0, answer=self.eval_count or 0)


_LINE = msgspec.json.Decoder(Line)
_REASONS: dict[str, FinishReason] = {
    # Versions before 0.2 say no more than "done".
    "": "stop",
    "stop": "stop",
    "load": "stop",
    "unload": "stop",
    "length": "length",
    "content_filter": "content_filter",
}


def decode_line(data: bytes) -> Line:
    """Decode an answer or a line; raise ProviderFault for an error or garbage."""
    try:
        data.decode()
        line = _LINE.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ProviderGarbage(
            "The provider's answer does not have the form of Ollama's."
        ) from None
    if says_something(line.error):
        raise read_error_frame(line.error)
    return line


def reason_of(line: Line) -> FinishReason:
    """Give why a last line ends the answer; raise ProviderGarbage for a new word."""
    reason = _REASONS.get(line.done_reason or "")
    if reason is None:
        raise ProviderGarbage("The provider's answer ended for unknown reason.")
    return reason


def seconds_of(created_at: str | None) -> int:
    """Give the seconds since the epoch of an RFC 3339 time; 0 for anything else."""
    try:
        return int(datetime.fromisoformat(created_at or "").timestamp())
    except (ValueError, OverflowError):
        return 0


def time_of(seconds: int) -> str:
    """Give seconds since the epoch as RFC 3339 writes them; out of range: as 0."""
    try:
        at = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        at = datetime.fromtimestamp(0, UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
