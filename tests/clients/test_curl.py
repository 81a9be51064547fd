"""The guide of curl, pasted into a shell."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from support.chat_bytes import SPOKEN, completion
from support.daemon import spawn
from support.guides import Snippet
from support.scripted import ScriptedProvider

pytestmark = pytest.mark.clients

Paste = Callable[[str], Awaitable[str]]


@pytest.fixture
def paste(snippet: Snippet, tmp_path: Path) -> Paste:
    """Run a snippet in a shell that has read the first one; give what is printed."""
    environment = snippet("curl", "env.sh")

    async def paste(text: str) -> str:
        child = spawn(["/bin/sh", "-ec", environment + text], cwd=tmp_path)
        assert await child.ended() == 0, child.text
        return child.text

    return paste


async def test_chat_is_streamed(
    provider: ScriptedProvider, snippet: Snippet, paste: Paste
) -> None:
    provider.stream(SPOKEN)
    said = await paste(snippet("curl", "chat.sh"))
    *events, done = [line for line in said.splitlines() if line]
    assert done == "data: [DONE]"
    deltas = [
        json.loads(e.removeprefix("data: "))["choices"][0]["delta"] for e in events
    ]
    assert "".join(delta.get("content", "") for delta in deltas) == "Hello"
    (asked,) = provider.requests
    assert asked.json()["messages"][1]["content"] == "Write a quicksort in Python."


async def test_models_and_usage(snippet: Snippet, paste: Paste) -> None:
    models = json.loads(await paste(snippet("curl", "models.sh")))
    usage = json.loads(await paste(snippet("curl", "usage.sh")))
    assert [model["id"] for model in models["data"]] == ["renamed", "test-model"]
    assert usage["object"] == "usage"


async def test_other_dialects(
    provider: ScriptedProvider, snippet: Snippet, paste: Paste
) -> None:
    provider.reply(body=completion({"content": "Hello there"}))
    message = json.loads(await paste(snippet("curl", "messages.sh")))
    assert [block["text"] for block in message["content"]] == ["Hello there"]

    provider.stream(SPOKEN)
    lines = (await paste(snippet("curl", "ollama.sh"))).splitlines()
    told = [json.loads(line) for line in lines]
    assert "".join(line["message"]["content"] for line in told) == "Hello"
    assert [line["done"] for line in told].count(True) == 1
