"""OpenAI chat answers as a provider sends them, whole and streamed."""

import json
from typing import Any

USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def completion(message: dict[str, Any], reason: str = "stop", **members: Any) -> bytes:
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": None, "refusal": None, **message},
        "logprobs": None,
        "finish_reason": reason,
    }
    return json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "upstream",
            "choices": [choice],
            "usage": USAGE,
            **members,
        }
    ).encode()


def event(delta: dict[str, Any], reason: str | None = None, **members: Any) -> bytes:
    chunk = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "upstream",
        "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
        "usage": None,
        **members,
    }
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"

SPOKEN = [
    event({"role": "assistant", "content": ""}),
    event({"content": "Hel"}),
    event({"content": "lo"}),
    event({}, "stop"),
    event({}, choices=[], usage=USAGE),
    DONE,
]
"""A whole stream that says Hello."""


def tool_call(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Make a delta that calls a tool, all in one."""
    function = {"name": name, "arguments": json.dumps(arguments)}
    call = {"index": 0, "id": "call_1", "type": "function", "function": function}
    return {"role": "assistant", "content": None, "tool_calls": [call]}
