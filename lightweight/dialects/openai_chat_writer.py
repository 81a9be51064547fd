"""Events to OpenAI chat completions, streamed or whole.

API reference, "The chat completion chunk object" and "The chat completion object". The
SDKs' accumulators decide the rules: role, tool id, type and name come once, calls count
from 0 without gaps, ``finish_reason`` is null until it is said, and no ending is made
up where the events have none.
"""

from typing import Any, TypeAlias

import msgspec
from msgspec.structs import replace

from lightweight.dialects.openai_chat_faults import envelope
from lightweight.dialects.openai_chat_shapes import Progress
from lightweight.dialects.openai_chat_unsaid import Unsaid, unsaid
from lightweight.dialects.seals import Bearer
from lightweight.dialects.sse import framed
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
    Unknown,
    UsageReported,
)
from lightweight.records import Call, Usage

DONE = framed(b"[DONE]")

_Json: TypeAlias = dict[str, Any]
_Speech: TypeAlias = TextDelta | ReasoningDelta | RefusalDelta | ToolCallDelta


def broken_stream(fault: Fault) -> bytes:
    """Give the frames that end a stream which broke: the error, then [DONE]."""
    return framed(envelope(fault)) + DONE


def render_usage(usage: Usage) -> _Json:
    """Give OpenAI's usage object, whose figures include their details."""
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.total,
        "prompt_tokens_details": {
            "cached_tokens": usage.cached,
            "cache_write_tokens": usage.cache_write,
        },
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    }


class _Head:
    """The members every chunk of one answer shares."""

    def __init__(self, call: Call, kind: str) -> None:
        self._model = call.model
        self._kind = kind
        self._id = f"chatcmpl-{call.id}"
        self._created = 0
        self._beside: _Json = {}

    def take(self, started: Started) -> None:
        self._id = started.id or self._id
        self._created = started.created
        told = {
            "system_fingerprint": started.fingerprint,
            "service_tier": started.service_tier,
        }
        self._beside = {name: each for name, each in told.items() if each}

    def render(self, choices: list[_Json]) -> _Json:
        return {
            "id": self._id,
            "object": self._kind,
            "created": self._created,
            "model": self._model,
            **self._beside,
            "choices": choices,
        }


class StreamWriter:
    """Writer of a streamed answer."""

    def __init__(self, call: Call, *, keeps_unknown: bool = False) -> None:
        """``keeps_unknown``: the reader is this dialect's, and so is what it keeps."""
        self._keeps_unknown = keeps_unknown
        self._head = _Head(call, "chat.completion.chunk")
        self._wants_usage = call.wants_usage
        self._usage: Usage | None = None
        self._progress = Progress()
        # By choice and the event's number: our number, and the key of the call's kind.
        self._calls: dict[tuple[int, int], tuple[int, str]] = {}
        self._bearer = Bearer()

    def write(self, event: Event) -> bytes:
        """Give the chunks this event makes."""
        match event:
            case Started():
                self._head.take(event)
            case UsageReported():
                self._usage = event.usage
            case Finished():
                opening = self._open(event.choice)
                if self._progress.end(event.choice):
                    return opening + self._chunk(event.choice, {}, event.reason)
            case ReasoningSealed():
                self._bearer.hear(event)
            case TextDelta() | ReasoningDelta() | RefusalDelta() | ToolCallDelta():
                return self._open(event.choice) + self._speak(event)
            case Unknown() if self._keeps_unknown:
                return self._keep(unsaid(event.raw))
        return b""

    def finish(self) -> bytes:
        """Give the usage where it was asked for, and [DONE].

        Raises ProviderCut where a choice has not been finished.
        """
        self._progress.check()
        if self._wants_usage and self._usage is not None:
            chunk = self._head.render([])
            chunk["usage"] = render_usage(self._usage)
            return framed(msgspec.json.encode(chunk)) + DONE
        return DONE

    def broken(self, fault: Fault) -> bytes:
        """Give the error frame and [DONE]."""
        return broken_stream(fault)

    def _keep(self, kept: Unsaid) -> bytes:
        """Give a chunk of what the provider said beside the events."""
        opening = b"".join(map(self._open, kept.choices))
        choices = [
            {"index": index, "delta": kept.said[index], "finish_reason": None, **beside}
            for index, beside in kept.choices.items()
            if beside or kept.said[index]
        ]
        if not choices and not kept.members:
            return opening
        chunk = {**self._head.render(choices), **kept.members}
        if self._wants_usage:
            chunk["usage"] = None
        return opening + framed(msgspec.json.encode(chunk))

    def _open(self, choice: int) -> bytes:
        if self._progress.begin(choice):
            return self._chunk(choice, {"role": "assistant", "content": ""})
        return b""

    def _speak(self, event: _Speech) -> bytes:
        match event:
            case TextDelta():
                return self._chunk(event.choice, {"content": event.text})
            case ReasoningDelta():
                self._bearer.hear(event)
                return self._chunk(event.choice, {"reasoning_content": event.text})
            case RefusalDelta():
                return self._chunk(event.choice, {"refusal": event.text})
        return self._call(event)

    def _call(self, event: ToolCallDelta) -> bytes:
        begun = b""
        key = (event.choice, event.call)
        if key not in self._calls:
            kind = _kind(event)
            event = replace(event, id=self._bearer.shown_id(event))
            number = sum(
                choice == event.choice and known != "function_call"
                for (choice, _), (_, known) in self._calls.items()
            )
            self._calls[key] = (number, kind)
            begun = self._chunk(event.choice, _first_delta(event, number, kind))
        number, kind = self._calls[key]
        if not event.arguments:
            return begun
        delta = _next_delta(event.arguments, number, kind)
        return begun + self._chunk(event.choice, delta)

    def _chunk(self, choice: int, delta: _Json, reason: str | None = None) -> bytes:
        chunk = self._head.render(
            [{"index": choice, "delta": delta, "finish_reason": reason}]
        )
        if self._wants_usage:
            chunk["usage"] = None
        return framed(msgspec.json.encode(chunk))


class WholeWriter:
    """Writer of an answer in one piece: all of it comes from ``finish``."""

    def __init__(self, call: Call, *, keeps_unknown: bool = False) -> None:
        """``keeps_unknown``: the reader is this dialect's, and so is what it keeps."""
        self._kept: Unsaid | None = None
        self._keeps_unknown = keeps_unknown
        self._head = _Head(call, "chat.completion")
        self._usage: Usage | None = None
        self._progress = Progress()
        self._choices: dict[int, _WholeChoice] = {}
        self._bearer = Bearer()

    def write(self, event: Event) -> bytes:
        """Take an event; nothing is sent before the end."""
        match event:
            case Started():
                self._head.take(event)
            case UsageReported():
                self._usage = event.usage
            case Finished():
                if self._progress.end(event.choice):
                    self._choice(event.choice).reason = event.reason
            case ReasoningSealed():
                self._bearer.hear(event)
            case TextDelta() | ReasoningDelta() | RefusalDelta() | ToolCallDelta():
                self._progress.begin(event.choice)
                self._choice(event.choice).hear(event, self._bearer)
            case Unknown() if self._keeps_unknown:
                self._kept = unsaid(event.raw)
        return b""

    def finish(self) -> bytes:
        """Give the completion; raise ProviderCut where a choice is not finished."""
        self._progress.check()
        choices = [
            self._choices[index].render(index) for index in sorted(self._choices)
        ]
        completion = self._head.render(choices)
        if self._usage is not None:
            completion["usage"] = render_usage(self._usage)
        if self._kept is not None:
            _add(self._kept, completion)
        return msgspec.json.encode(completion)

    def broken(self, fault: Fault) -> bytes:  # noqa: ARG002  (the Protocol's argument)
        """Give nothing: what follows half a JSON text cannot mend it."""
        return b""

    def _choice(self, index: int) -> "_WholeChoice":
        return self._choices.setdefault(index, _WholeChoice())


def _add(kept: Unsaid, completion: _Json) -> None:
    completion.update(kept.members)
    for choice in completion["choices"]:
        choice.update(kept.choices.get(choice["index"], {}))
        choice["message"].update(kept.said.get(choice["index"], {}))


class _WholeChoice:
    """What one choice said, in pieces."""

    def __init__(self) -> None:
        self.reason: str | None = None
        self._texts: dict[type[_Speech], list[str]] = {}
        self._calls: dict[int, tuple[ToolCallDelta, list[str]]] = {}

    def hear(self, event: _Speech, bearer: Bearer) -> None:
        if isinstance(event, ReasoningDelta):
            bearer.hear(event)
        if isinstance(event, ToolCallDelta):
            if event.call not in self._calls:
                event = replace(event, id=bearer.shown_id(event))
            _, pieces = self._calls.setdefault(event.call, (event, []))
            pieces.append(event.arguments)
        else:
            self._texts.setdefault(type(event), []).append(event.text)

    def render(self, index: int) -> _Json:
        message: _Json = {
            "role": "assistant",
            "content": self._text(TextDelta),
            "refusal": self._text(RefusalDelta),
        }
        if ReasoningDelta in self._texts:
            message["reasoning_content"] = self._text(ReasoningDelta)
        calls = []
        for first, pieces in self._calls.values():
            kind = _kind(first)
            body = {"name": first.name or "", _ARGUMENTS[kind]: "".join(pieces)}
            if kind == "function_call":
                message["function_call"] = body
            else:
                calls.append({"id": first.id, "type": kind, kind: body})
        if calls:
            message["tool_calls"] = calls
        elsewhere = {"tool_calls", "function_call"} & message.keys()
        if not elsewhere and RefusalDelta not in self._texts:
            message["content"] = message["content"] or ""
        return {
            "index": index,
            "message": message,
            "logprobs": None,
            "finish_reason": self.reason,
        }

    def _text(self, kind: type[_Speech]) -> str | None:
        pieces = self._texts.get(kind)
        return None if pieces is None else "".join(pieces)


_ARGUMENTS = {"function": "arguments", "function_call": "arguments", "custom": "input"}


def _kind(first: ToolCallDelta) -> str:
    """Give the key of a call's kind; one that begins without an id is the old form."""
    if first.id is None:
        return "function_call"
    return "custom" if first.custom else "function"


def _first_delta(event: ToolCallDelta, number: int, kind: str) -> _Json:
    body = {"name": event.name or "", _ARGUMENTS[kind]: ""}
    if kind == "function_call":
        return {kind: body}
    return {"tool_calls": [{"index": number, "id": event.id, "type": kind, kind: body}]}


def _next_delta(text: str, number: int, kind: str) -> _Json:
    body = {_ARGUMENTS[kind]: text}
    if kind == "function_call":
        return {kind: body}
    return {"tool_calls": [{"index": number, kind: body}]}
