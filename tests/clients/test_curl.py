"""The guide of curl, pasted into a shell."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from support.chat_bytes import SPOKEN, completion
from support.guides import Snippet
from support.scripted import ScriptedProvider
from support.shell import paste

pytestmark = pytest.mark.clients

Shell = Callable[[str], Awaitable[str]]


@pytest.fixture
def shell(snippet: Snippet, tmp_path: Path) -> Shell:
    """Run a snippet in a shell that has read the first one; give what is printed."""
    environment = snippet("curl", "env.sh")

    async def shell(text: str) -> str:
        child = paste(environment + text, cwd=tmp_path)
        assert await child.ended() == 0, child.text
        return child.text

    return shell


async def test_chat_is_streamed(
    provider: ScriptedProvider, snippet: Snippet, shell: Shell
) -> None:
    provider.stream(SPOKEN)
    said = await shell(snippet("curl", "chat.sh"))
    *events, done = [line for line in said.splitlines() if line]
    assert done == "data: [DONE]"
    deltas = [
        json.loads(e.removeprefix("data: "))["choices"][0]["delta"] for e in events
    ]
    assert "".join(delta.get("content", "") for delta in deltas) == "Hello"
    (asked,) = provider.requests
    assert asked.json()["messages"][1]["content"] == "Write a quicksort in Python."


async def test_models_and_usage(snippet: Snippet, shell: Shell) -> None:
    models = json.loads(await shell(snippet("curl", "models.sh")))
    usage = json.loads(await shell(snippet("curl", "usage.sh")))
    assert [model["id"] for model in models["data"]] == ["renamed", "test-model"]
    assert usage["object"] == "usage"


async def test_other_dialects(
    provider: ScriptedProvider, snippet: Snippet, shell: Shell
) -> None:
    provider.reply(body=completion({"content": "Hello there"}))
    message = json.loads(await shell(snippet("curl", "messages.sh")))
    assert [block["text"] for block in message["content"]] == ["Hello there"]

    provider.stream(SPOKEN)
    lines = (await shell(snippet("curl", "ollama.sh"))).splitlines()
    told = [json.loads(line) for line in lines]
    assert "".join(line["message"]["content"] for line in told) == "Hello"
    assert [line["done"] for line in told].count(True) == 1
