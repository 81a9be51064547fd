"""Ollama's requests and answers, for tests of its dialects."""

import json
from typing import Any

from lightweight.dialects.ollama import Ollama, OllamaGenerate
from lightweight.records import Call, Request, Target

CHAT = Ollama()
GENERATE = OllamaGenerate()
AT = "2023-11-14T22:13:20Z"
"""1,700,000,000 seconds since the epoch."""

COUNTS: dict[str, Any] = {
    "total_duration": 5_000_000,
    "load_duration": 1_000_000,
    "prompt_eval_count": 7,
    "prompt_eval_duration": 1_000_000,
    "eval_count": 2,
    "eval_duration": 3_000_000,
}


def request(path: str, **fields: Any) -> Request:
    """Make a client's request for model ``m``."""
    return Request(
        id="r1",
        method="POST",
        path=path,
        headers={},
        body=json.dumps({"model": "m", **fields}).encode(),
        arrived=1.5,
    )


def call(**fields: Any) -> Call:
    """Make a chat that says hi; a stream unless it says otherwise."""
    messages = [{"role": "user", "content": "hi"}]
    return CHAT.parse_request(request("/api/chat", **{"messages": messages, **fields}))


def generate_call(**fields: Any) -> Call:
    """Make a completion of a prompt."""
    return GENERATE.parse_request(
        request("/api/generate", **{"prompt": "hi", **fields})
    )


def target(model: str = "m") -> Target:
    """Make a target that speaks Ollama's API."""
    return Target(provider="p", model=model, dialect="ollama")


def line(content: str = "", *, model: str = "up", **more: Any) -> bytes:
    """Make a line of a chat, as a server writes it."""
    said = {"role": "assistant", "content": content, **more.pop("message", {})}
    told = {"model": model, "created_at": AT, "message": said, "done": False, **more}
    return json.dumps(told).encode() + b"\n"


def last(reason: str = "stop", **more: Any) -> bytes:
    """Make the last line of a chat."""
    return line(done=True, done_reason=reason, **COUNTS, **more)


def lines(data: bytes) -> list[Any]:
    """Read the lines of an answer."""
    assert data.endswith(b"\n")
    return [json.loads(each) for each in data.splitlines()]
