"""A provider that breaks down behind the real daemon, and is found well again."""

import re
from pathlib import Path

from support.daemon import BIN, Gateway, spawn
from support.http import Fetched, fetch
from support.live import CANARY, config_for
from support.scripted import ScriptedProvider, whole

HELLO = {"model": "test-model", "messages": [{"role": "user", "content": "Hello!"}]}
WHOLE = (
    b'{"id":"1","object":"chat.completion","created":1,"model":"test-model",'
    b'"choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},'
    b'"finish_reason":"stop"}]}'
)


async def chat(gateway: Gateway) -> Fetched:
    url = f"{gateway.base_url}/chat/completions"
    return await fetch(url, method="POST", key=gateway.key, body=HELLO)


async def test_it_is_shown_and_a_probe_brings_it_back(
    provider: ScriptedProvider, tmp_path: Path
) -> None:
    config = config_for(provider).replace("api_key", 'probe = "2s"\napi_key')
    gateway = await Gateway.start(tmp_path, config, environ={"SCRIPTED_KEY": CANARY})
    try:
        provider.always(*whole(500, None, b"{}"))
        for _ in range(5):
            assert (await chat(gateway)).status == 502
        ready = await fetch(f"{gateway.root}/readyz")
        assert ready.status == 503
        assert list(ready.json()["left_alone"]) == ["scripted"]
        told = await gateway.cli("status")
        while told["providers"].get("scripted", {}).get("state") != "open":
            told = await gateway.cli("status")
        assert told["providers"]["scripted"]["wait"] > 0
        socket = tmp_path / "state" / "control.sock"
        people = spawn(
            [BIN / "lightweight", "status", "--socket", socket], cwd=tmp_path
        )
        assert await people.ended() == 0
        assert re.search("Provider scripted +.*open in 1 worker,", people.text)

        provider.always(*whole(200, {"content-type": "application/json"}, WHOLE))
        await gateway.child.line("'scripted' answers again")

        assert (await chat(gateway)).status == 200
        assert (await fetch(f"{gateway.root}/readyz")).status == 200
        paths = [seen.path for seen in provider.requests]
        assert "/v1/models" in paths
    finally:
        assert await gateway.stop() == 0
