"""Calls for responses and their bytes, for tests of the dialect."""

import json
from typing import Any

from msgspec.structs import replace
from support.chat import request as chat_request

from lightweight.dialects.openai_responses import OpenAIResponses
from lightweight.records import Call, Request, Target

DIALECT = OpenAIResponses()


def request(body: bytes | dict[str, Any], **headers: str) -> Request:
    """Make a client's request; header names are written with underscores."""
    return replace(chat_request(body, **headers), path="/v1/responses")


def call(**fields: Any) -> Call:
    """Make a call of model ``m`` that says hi."""
    return DIALECT.parse_request(request({"model": "m", "input": "hi", **fields}))


def target(model: str = "m") -> Target:
    """Make a target that speaks this dialect."""
    return Target(provider="p", model=model, dialect="openai_responses")


def event(kind: str, number: int = 0, **members: Any) -> bytes:
    """Make one stream event as a provider writes it."""
    body = {"type": kind, "sequence_number": number, **members}
    return f"event: {kind}\ndata: {json.dumps(body)}\n\n".encode()


def response(status: str = "completed", *output: dict[str, Any], **more: Any) -> Any:
    """Make a response object as a provider writes it."""
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 7,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "model": "up",
        "output": list(output),
        "parallel_tool_calls": True,
        "metadata": {},
        "tool_choice": "auto",
        "tools": [],
        "temperature": 1.0,
        "top_p": 1.0,
        **more,
    }


USAGE = {
    "input_tokens": 10,
    "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 2},
    "output_tokens": 10,
    "output_tokens_details": {"reasoning_tokens": 6},
    "total_tokens": 20,
}


def message(*parts: dict[str, Any], id_: str = "msg_1") -> dict[str, Any]:
    """Make a finished message."""
    return {
        "type": "message",
        "id": id_,
        "role": "assistant",
        "status": "completed",
        "content": list(parts),
    }


def text(said: str) -> dict[str, Any]:
    """Make a finished part of a message."""
    return {"type": "output_text", "text": said, "annotations": [], "logprobs": []}


def function_call(arguments: str = "{}", **more: Any) -> dict[str, Any]:
    """Make a tool call."""
    return {
        "type": "function_call",
        "id": "fc_1",
        "call_id": "call_1",
        "name": "f",
        "arguments": arguments,
        "status": "completed",
        **more,
    }


def thoughts(*summary: str, **more: Any) -> dict[str, Any]:
    """Make an item of thoughts."""
    parts = [{"type": "summary_text", "text": each} for each in summary]
    return {"type": "reasoning", "id": "rs_1", "summary": parts, **more}


def created() -> bytes:
    """Make the first event of a stream."""
    return event("response.created", response=response("in_progress"))


def completed(*output: dict[str, Any], **more: Any) -> bytes:
    """Make the last event of a stream."""
    members = {"usage": USAGE, **more}
    return event(
        "response.completed", 9, response=response("completed", *output, **members)
    )


def added(item: dict[str, Any], index: int = 0) -> bytes:
    """Make the event that opens an item."""
    return event("response.output_item.added", item=item, output_index=index)


def done(item: dict[str, Any], index: int = 0) -> bytes:
    """Make the event that closes an item."""
    return event("response.output_item.done", item=item, output_index=index)


def delta(
    said: str, index: int = 0, kind: str = "output_text", item: str = "x"
) -> bytes:
    """Make the event of a piece of an item."""
    return event(
        f"response.{kind}.delta",
        item_id=item,
        output_index=index,
        content_index=0,
        delta=said,
    )


def told(data: bytes) -> list[Any]:
    """Give the events of a stream; each must name itself in its ``event:`` line."""
    events = []
    for block in data.decode().split("\n\n")[:-1]:
        named, body = block.split("\n")
        events.append(json.loads(body.removeprefix("data: ")))
        assert named == f"event: {events[-1]['type']}"
    return events
