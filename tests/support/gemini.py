"""Gemini's bytes, for tests of the dialect."""

import json
from typing import Any

from lightweight.dialects.gemini import Gemini
from lightweight.records import Target

DIALECT = Gemini()


def target(model: str = "gemini-3-flash-preview") -> Target:
    """Make a target that speaks this dialect."""
    return Target(provider="p", model=model, dialect="gemini")


def response(*parts: Any, finish: str | None = None, **members: Any) -> dict[str, Any]:
    """Make a response with one candidate, or an event of a stream."""
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": list(parts)}}
    if finish is not None:
        candidate["finishReason"] = finish
    return {
        "candidates": [candidate],
        "responseId": "r-1",
        "modelVersion": "up",
        **members,
    }


def called(name: str, /, signature: str | None = None, **args: Any) -> dict[str, Any]:
    """Make the part that calls a function."""
    part: dict[str, Any] = {"functionCall": {"name": name, "args": args}}
    return part if signature is None else {**part, "thoughtSignature": signature}


def event(body: dict[str, Any]) -> bytes:
    """Frame one event, as Google does: with CRLF."""
    return b"data: " + json.dumps(body).encode() + b"\r\n\r\n"


def stream(*bodies: dict[str, Any]) -> bytes:
    """Make a whole stream."""
    return b"".join(map(event, bodies))
