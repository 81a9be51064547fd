"""`lightweight models test` as a process of its own, against a scripted provider."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.daemon import BIN, Child, spawn
from support.live import CANARY, config_for
from support.scripted import ScriptedProvider

ANSWER = json.dumps(
    {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "upstream",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "OK", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
    }
).encode()


def models_test(directory: Path, provider: ScriptedProvider, *words: str) -> Child:
    config = directory / "lightweight.toml"
    config.write_text(config_for(provider))
    config.chmod(0o600)
    return spawn(
        [BIN / "lightweight", "-c", config, "models", "test", "renamed", *words],
        cwd=directory,
        environ={"SCRIPTED_KEY": CANARY},
    )


async def test_each_target_is_asked(provider: ScriptedProvider, tmp_path: Path) -> None:
    provider.reply(body=ANSWER)
    child = models_test(tmp_path, provider, "--yes", "--json")
    assert await child.ended() == 0, child.text
    (target,) = json.loads(child.text)["targets"]
    assert (target["provider"], target["model"]) == ("scripted", "upstream")
    assert (target["answered"], target["tokens"]) == (True, 4)
    (request,) = provider.requests
    assert request.headers["authorization"] == f"Bearer {CANARY}"


@pytest.mark.parametrize("words", [["--yes"], ["--yes", "--json"]])
async def test_a_target_that_refuses(
    provider: ScriptedProvider, tmp_path: Path, words: list[str]
) -> None:
    provider.reply(status=401, body=b'{"error":{"message":"no"}}')
    child = models_test(tmp_path, provider, *words)
    assert await child.ended() == 1
    assert "rejected this gateway's credential" in child.text
    assert CANARY not in child.text


async def test_without_a_yes_nothing_is_sent(
    provider: ScriptedProvider, tmp_path: Path
) -> None:
    child = models_test(tmp_path, provider)
    transport: Any = child.transport
    transport.closeStdin()
    assert await child.ended() == 1
    assert "costs a few tokens" in child.text
    assert provider.requests == []
