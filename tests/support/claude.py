"""A gateway in memory with Claude behind it, and clients that speak Anthropic's way."""

import json
from dataclasses import replace
from typing import Any

from support.answered import Answered
from support.gateway import KEY, Client, Gateway, model, offering

from lightweight.records import Target

CLAUDE = Target(provider="one", model="claude-there", dialect="anthropic")
CHAT = Target(provider="two", model="gpt-there", dialect="openai_chat")
HELLO: Any = [{"role": "user", "content": "Hi"}]


def claude_gateway() -> Gateway:
    """Make one that offers ``claude`` and, of a chat provider, ``gpt``."""
    gateway = Gateway()
    models = offering(model("claude", CLAUDE), model("gpt", CHAT))
    gateway.runtime = replace(gateway.runtime, offering=models)
    return gateway


def ask(
    gateway: Gateway,
    path: str = "/v1/messages",
    *,
    key: str | None = KEY,
    headers: dict[str, str] | None = None,
    **fields: Any,
) -> Client:
    """Ask for a message and give the connection it was asked on."""
    asked = {"model": "claude", "max_tokens": 9, "messages": HELLO, **fields}
    client = gateway.connect()
    client.ask(
        "POST",
        path,
        json.dumps(asked).encode(),
        {"Content-Type": "application/json", **(headers or {})},
        key,
    )
    return client


def error_of(answer: Answered) -> tuple[int, str]:
    """Give the status and the type of an Anthropic error; check its id."""
    told = answer.json()
    assert told["type"] == "error"
    assert told["request_id"] == answer.headers["request-id"]
    assert answer.headers["request-id"] == answer.headers["x-request-id"]
    return answer.status, told["error"]["type"]
