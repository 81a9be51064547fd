"""The first call is served by what is there: nobody waits for code to be loaded."""

import subprocess
import sys
from pathlib import Path

import pytest
from support.daemon import Gateway
from support.http import fetch
from support.live import CANARY, config_for
from support.loaded import recorded, recording
from support.scripted import ScriptedProvider

WHOLE = (
    b'{"id":"1","object":"chat.completion","created":1,"model":"test-model",'
    b'"choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},'
    b'"finish_reason":"stop"}]}'
)

EVENTS = (
    b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":"Hi"}}]}\n\n'
    b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
    b"data: [DONE]\n\n"
)
HELLO = [{"role": "user", "content": "Hello!"}]

LATER = "lightweight.web.admin.app, lightweight.web.dashboard.app"
"""What a worker loads by itself, some time after it was ready."""


CODEC = {"encodings.idna", "stringprep"}
"""What the interpreter itself loads for the first name of a host it connects to."""


def with_later() -> set[str]:
    """Give the modules of a process that has loaded all it ever loads by itself."""
    words = f"import sys, lightweight.assembly, {LATER}; print(*sys.modules)"
    told = subprocess.run(
        [sys.executable, "-c", words], check=True, capture_output=True, text=True
    )
    return set(told.stdout.split())


async def loaded(
    directory: Path, provider: ScriptedProvider, more: str, *, calls: bool
) -> set[str]:
    """Start a server, maybe call it, and stop it; give the modules of its worker."""
    directory.mkdir()
    gateway = await Gateway.start(
        directory,
        f"workers = 1\n{more}{config_for(provider)}",
        environ={"SCRIPTED_KEY": CANARY, **recording(directory)},
    )
    if calls:
        for stream in (False, True):
            body = {"model": "test-model", "stream": stream, "messages": HELLO}
            url = f"{gateway.base_url}/chat/completions"
            answer = await fetch(url, method="POST", key=gateway.key, body=body)
            assert answer.status == 200
    assert await gateway.stop() == 0
    return recorded(directory)["serve"]


@pytest.mark.parametrize("more", ["", "express = false\n"], ids=["front", "klein"])
async def test_calls_load_nothing(
    tmp_path: Path, provider: ScriptedProvider, more: str
) -> None:
    before = await loaded(tmp_path / "idle", provider, more, calls=False)
    provider.reply(200, {"content-type": "application/json"}, WHOLE)
    provider.reply(200, {"content-type": "text/event-stream"}, EVENTS)

    after = await loaded(tmp_path / "busy", provider, more, calls=True)

    assert after - before - with_later() <= CODEC
