"""Anthropic calls, messages and streams, for tests of the dialect."""

import json
from typing import Any

from lightweight.dialects.anthropic import Anthropic
from lightweight.dialects.anthropic_read_prompt import read_prompt
from lightweight.prompts import Prompt
from lightweight.records import Call, Request, Target

DIALECT = Anthropic()
HELLO: Any = [{"role": "user", "content": "hi"}]


def request(
    body: bytes | dict[str, Any], path: str = "/v1/messages", **headers: str
) -> Request:
    """Make a client's request; header names are written with underscores."""
    return Request(
        id="req_1",
        method="POST",
        path=path,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        body=body if isinstance(body, bytes) else json.dumps(body).encode(),
        arrived=1.5,
    )


def call(**fields: Any) -> Call:
    """Make a call of model ``m`` that says hi."""
    asked = {"model": "m", "max_tokens": 100, "messages": HELLO, **fields}
    return DIALECT.parse_request(request(asked))


def stream_call(**fields: Any) -> Call:
    """Make a streamed call."""
    return call(stream=True, **fields)


def prompt(**fields: Any) -> Prompt:
    """Read a call of model ``m`` to a Prompt."""
    return read_prompt(call(**fields))


def target(model: str = "m", *quirks: str) -> Target:
    """Make a target that speaks this dialect."""
    return Target(
        provider="p", model=model, dialect="anthropic", quirks=frozenset(quirks)
    )


def event(kind: str, **members: Any) -> bytes:
    """Make one framed event."""
    data = json.dumps({"type": kind, **members})
    return f"event: {kind}\ndata: {data}\n\n".encode()


USAGE = {
    "input_tokens": 5,
    "cache_creation_input_tokens": 2,
    "cache_read_input_tokens": 3,
    "output_tokens": 1,
}


def start(**members: Any) -> bytes:
    """Make the event a stream begins with."""
    return event("message_start", message={**message(), **members})


def block(index: int, begun: dict[str, Any], *deltas: dict[str, Any]) -> bytes:
    """Make the events of one whole block."""
    return b"".join(
        [
            event("content_block_start", index=index, content_block=begun),
            *(event("content_block_delta", index=index, delta=d) for d in deltas),
            event("content_block_stop", index=index),
        ]
    )


def text(index: int, *pieces: str) -> bytes:
    """Make a block of text."""
    deltas = [{"type": "text_delta", "text": piece} for piece in pieces]
    return block(index, {"type": "text", "text": ""}, *deltas)


def thinking(index: int, thought: str, signature: str) -> bytes:
    """Make a block of sealed thoughts."""
    return block(
        index,
        {"type": "thinking", "thinking": "", "signature": ""},
        {"type": "thinking_delta", "thinking": thought},
        {"type": "signature_delta", "signature": signature},
    )


def tool_use(index: int, id_: str, name: str, *pieces: str) -> bytes:
    """Make a call of a tool; the first piece of its input is always empty."""
    deltas = [
        {"type": "input_json_delta", "partial_json": piece} for piece in ("", *pieces)
    ]
    begun = {"type": "tool_use", "id": id_, "name": name, "input": {}}
    return block(index, begun, *deltas)


def end(stop_reason: str | None = "end_turn", **usage: Any) -> bytes:
    """Make the last two events."""
    return event(
        "message_delta",
        delta={"stop_reason": stop_reason, "stop_sequence": None},
        usage={"output_tokens": 9, **usage},
    ) + event("message_stop")


PING = event("ping")


def message(*content: dict[str, Any], **members: Any) -> dict[str, Any]:
    """Make a message, as a provider sends it; not ended unless ``members`` say so."""
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "up",
        "content": list(content),
        "stop_reason": None,
        "stop_sequence": None,
        "usage": USAGE,
        **members,
    }


def whole(*content: dict[str, Any], **members: Any) -> bytes:
    """Make a whole answer."""
    return json.dumps(message(*content, stop_reason="end_turn") | members).encode()


def events(data: bytes) -> list[Any]:
    """Give the JSON of each event of a clean stream; each names its type twice."""
    blocks = data.decode().split("\n\n")
    assert blocks.pop() == ""
    read = []
    for block_ in blocks:
        name, line = block_.split("\n")
        told = json.loads(line.removeprefix("data: "))
        assert name == f"event: {told['type']}"
        read.append(told)
    return read
