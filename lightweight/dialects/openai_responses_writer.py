"""Events to a response, streamed or whole.

API reference, "The response object" and "Streaming events". Every stream event has an
``event:`` line and a ``sequence_number`` from 0 without gaps. The first is
``response.created``; the last is ``response.completed`` or ``response.incomplete``, or
tells of an error where the stream broke.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from lightweight.dialects.answer import cut_short
from lightweight.dialects.openai_responses_faults import error_code
from lightweight.dialects.openai_responses_script import Json, Script
from lightweight.dialects.openai_responses_tools import namespaces, repeated_tools
from lightweight.dialects.sse import framed
from lightweight.dialects.typed import given
from lightweight.errors import ClientFault, Fault
from lightweight.events import Event, Finished, FinishReason, Started, UsageReported
from lightweight.records import Call, Usage

# What a response repeats of its request, and what it says where nothing was asked.
_REPEATED: Json = {
    "instructions": None,
    "max_output_tokens": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "reasoning": {"effort": None, "summary": None},
    "temperature": 1.0,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1.0,
    "truncation": "disabled",
}
_LIMITS: dict[FinishReason, str] = {
    "length": "max_output_tokens",
    "content_filter": "content_filter",
}


def render_usage(usage: Usage) -> Json:
    """Give the usage object, whose figures include their details."""
    return {
        "input_tokens": usage.prompt,
        "input_tokens_details": {
            "cached_tokens": usage.cached,
            "cache_write_tokens": usage.cache_write,
        },
        "output_tokens": usage.completion,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.total,
    }


def broken_stream(call: Call, fault: Fault, number: int) -> bytes:
    """Give the events that end a stream which broke; ``number`` is the first's.

    Some clients know only ``error``, others only ``response.failed``. The SDKs raise
    for an ``error`` whose error is an object; its documented form is flat: it is both.
    """
    flat = {"code": fault.code, "message": fault.message, "param": fault.param}
    error = {**flat, "type": fault.type}
    told = {"code": error_code(fault), "message": fault.message}
    response = render_response(call, "failed", [], error=told)
    return numbered({"type": "error", **flat, "error": error}, number) + numbered(
        {"type": "response.failed", "response": response}, number + 1
    )


def numbered(event: Json, number: int) -> bytes:
    """Give the block of one stream event."""
    data = msgspec.json.encode({**event, "sequence_number": number})
    return f"event: {event['type']}\n".encode() + framed(data)


def render_response(
    call: Call, status: str, output: list[Json], *, created: int = 0, **members: Any
) -> Json:
    """Give the response object at any stage; ``created`` is in seconds."""
    repeated = {
        name: call.fields[name] if given(call.fields.get(name)) else silent
        for name, silent in _REPEATED.items()
    }
    if isinstance(repeated["tools"], Raw):
        repeated["tools"] = repeated_tools(repeated["tools"])
    return {
        "id": f"resp_{call.id}",
        "object": "response",
        "created_at": created,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": None,
        "model": call.model,
        "output": output,
        "previous_response_id": None,
        "store": False,
        **repeated,
        **members,
    }


class _Answer:
    """What both writers know of an answer."""

    def __init__(self, call: Call) -> None:
        self.script = Script(call.id, _namespaces(call))
        self._call = call
        self._created = 0
        self._reason: FinishReason | None = None
        self._usage: Usage | None = None

    def hear(self, event: Event) -> list[Json]:
        match event:
            case Started():
                self._created = event.created
            case Finished(choice=0):
                self._reason = self._reason or event.reason
            case UsageReported():
                self._usage = event.usage
        return list(self.script.hear(event))

    def opening(self) -> list[Json]:
        response = render_response(self._call, "in_progress", [], created=self._created)
        return [
            {"type": "response.created", "response": response},
            {"type": "response.in_progress", "response": response},
        ]

    def close(self) -> tuple[list[Json], Json]:
        """Give the last events of the output, and the response.

        Raises ProviderCut where nobody said that the answer is at its end.
        """
        if self._reason is None:
            raise cut_short()
        limit = _LIMITS.get(self._reason)
        closing = list(self.script.close(whole=limit is None))
        members: Json = {}
        if limit is not None:
            members["incomplete_details"] = {"reason": limit}
        if self._usage is not None:
            members["usage"] = render_usage(self._usage)
        response = render_response(
            self._call,
            "completed" if limit is None else "incomplete",
            self.script.render(),
            created=self._created,
            **members,
        )
        return closing, response


class StreamWriter:
    """Writer of a streamed response."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._answer = _Answer(call)
        self._begun = False
        self._number = 0

    def write(self, event: Event) -> bytes:
        """Give the stream events this event makes."""
        told = self._answer.hear(event)
        return self._opened() + self._told(told)

    def finish(self) -> bytes:
        """Give the last stream events; raise ProviderCut if the answer has no end."""
        closing, response = self._answer.close()
        ending = {"type": f"response.{response['status']}", "response": response}
        return self._opened() + self._told([*closing, ending])

    def broken(self, fault: Fault) -> bytes:
        """Give the events that tell of a stream which broke."""
        return broken_stream(self._call, fault, self._number)

    def _opened(self) -> bytes:
        if self._begun:
            return b""
        self._begun = True
        return self._told(self._answer.opening())

    def _told(self, events: list[Json]) -> bytes:
        blocks = [
            numbered(event, number) for number, event in enumerate(events, self._number)
        ]
        self._number += len(events)
        return b"".join(blocks)


class WholeWriter:
    """Writer of a response in one piece: all of it comes from ``finish``."""

    def __init__(self, call: Call) -> None:
        self._answer = _Answer(call)

    def write(self, event: Event) -> bytes:
        """Take an event; nothing is sent before the end."""
        self._answer.hear(event)
        return b""

    def finish(self) -> bytes:
        """Give the response; raise ProviderCut if the answer has no end."""
        _, response = self._answer.close()
        return msgspec.json.encode(response)

    def broken(self, fault: Fault) -> bytes:  # noqa: ARG002  (the Protocol's argument)
        """Give nothing: what follows half a JSON text cannot mend it."""
        return b""


def _namespaces(call: Call) -> Mapping[str, tuple[str, str]]:
    """Give the namespaces' tools; of a request that is refused for them, none."""
    try:
        return namespaces(call.fields)
    except ClientFault:
        return {}
