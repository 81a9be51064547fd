"""Events to Ollama's lines, or to the one object of a whole answer.

Ollama's API, "Generate a chat completion" and "Generate a completion". Arguments of
tools are objects here, so calls are written when they are whole: when the answer is
finished. There is one answer, so further choices are left out, and no time is
measured, so the durations are left out as by a server that has none.
"""

from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Raw

from lightweight.dialects.answer import cut_short
from lightweight.dialects.ollama_faults import broken_stream
from lightweight.dialects.ollama_shapes import time_of
from lightweight.dialects.seals import Bearer
from lightweight.errors import Fault
from lightweight.events import (
    Event,
    Finished,
    ReasoningDelta,
    ReasoningSealed,
    RefusalDelta,
    Started,
    TextDelta,
    ToolCallDelta,
    UsageReported,
)
from lightweight.records import Call, Usage

Shape: TypeAlias = Literal["chat", "generate"]

_Json: TypeAlias = dict[str, Any]
_MEMBERS = msgspec.json.Decoder(dict[str, Raw])
_REASONS = {"tool_calls": "stop", "function_call": "stop"}
"""Ollama ends an answer with tool calls like any other."""


class OllamaWriter:
    """Writer of an answer, streamed or whole."""

    def __init__(self, call: Call, shape: Shape) -> None:
        """``shape`` says whether a message or a bare ``response`` is answered."""
        self._model = call.model
        self._stream = call.stream
        self._shape = shape
        self._created = 0
        self._texts: list[str] = []
        self._thoughts: list[str] = []
        self._calls = _Calls()
        self._reason: str | None = None
        self._usage: Usage | None = None

    def write(self, event: Event) -> bytes:
        """Give the line this event makes; a whole answer gives none."""
        match event:
            case Started():
                self._created = event.created
            case UsageReported():
                self._usage = event.usage
            case Finished(choice=0):
                self._calls.end()
                self._reason = self._reason or event.reason
            case ReasoningSealed(choice=0):
                self._calls.bearer.hear(event)
            case ReasoningDelta(choice=0):
                self._calls.bearer.hear(event)
                self._thoughts.append(event.text)
            case TextDelta(choice=0) | RefusalDelta(choice=0):
                self._texts.append(event.text)
            case ToolCallDelta(choice=0):
                self._calls.hear(event)
        if self._stream and (self._texts or self._thoughts or self._calls.whole):
            return self._line(done=False)
        return b""

    def finish(self) -> bytes:
        """Give the last line, or the whole answer.

        Raises ProviderCut where nobody said that the answer is finished.
        """
        if self._reason is None:
            raise cut_short()
        return self._line(done=True)

    def broken(self, fault: Fault) -> bytes:
        """Give the error line; nothing where the answer was to come in one piece."""
        return broken_stream(fault) if self._stream else b""

    def _line(self, *, done: bool) -> bytes:
        line: _Json = {
            "model": self._model,
            "created_at": time_of(self._created),
            **self._said(),
            "done": done,
        }
        if done:
            line["done_reason"] = _REASONS.get(self._reason or "", self._reason)
        if done and self._usage is not None:
            line["prompt_eval_count"] = self._usage.prompt
            line["eval_count"] = self._usage.completion
        return msgspec.json.encode(line) + (b"\n" if self._stream else b"")

    def _said(self) -> _Json:
        """Give what was said since the last line, in the client's shape."""
        text, thoughts = "".join(self._texts), "".join(self._thoughts)
        calls = self._calls.take()
        self._texts.clear()
        self._thoughts.clear()
        thinking = {"thinking": thoughts} if thoughts else {}
        if self._shape == "generate":
            return {"response": text, **thinking}
        message: _Json = {"role": "assistant", "content": text, **thinking}
        if calls:
            message["tool_calls"] = calls
        return {"message": message}


class _Calls:
    """The tool calls of an answer, from their pieces."""

    def __init__(self) -> None:
        self.bearer = Bearer()
        self.whole: list[_Json] = []
        """Those to be written."""
        self._begun: dict[int, tuple[str | None, str, list[str]]] = {}

    def hear(self, event: ToolCallDelta) -> None:
        """Take a piece."""
        if event.call not in self._begun:
            name = event.name or ""
            self._begun[event.call] = (self.bearer.shown_id(event), name, [])
        self._begun[event.call][2].append(event.arguments)

    def end(self) -> None:
        """Learn that every call is whole."""
        for call, (shown_id, name, pieces) in self._begun.items():
            arguments = _arguments("".join(pieces))
            function = {"index": call, "name": name, "arguments": arguments}
            told = {} if shown_id is None else {"id": shown_id}
            self.whole.append({**told, "function": function})
        self._begun.clear()

    def take(self) -> list[_Json]:
        """Give those to be written, once."""
        whole, self.whole = self.whole, []
        return whole


def _arguments(text: str) -> dict[str, Any]:
    """Give the object; what a model wrote that is none is told as ``input``."""
    try:
        return _MEMBERS.decode(text or "{}")
    except msgspec.MsgspecError:
        return {"input": text}
