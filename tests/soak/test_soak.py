"""Load and faults for half an hour: memory and descriptors stay, and the bill adds up.

LIGHTWEIGHT_SOAK_MINUTES says for how long, 30 if it does not.
"""

import http.client
import json
import os
import random
import statistics
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater

import pytest
from support.chat_bytes import DONE, USAGE, event
from support.daemon import BIN, Gateway, spawn
from support.http import fetch
from support.live import CANARY, config_for
from support.processes import servers
from support.scripted import Abort, ScriptedProvider, Send, Step, head, streamed, whole

pytestmark = pytest.mark.soak

MINUTES = float(os.environ.get("LIGHTWEIGHT_SOAK_MINUTES", "30"))
CLIENTS = 12
SAMPLES = 60
"""Looks at the worker, evenly over the time."""

FORGIVEN = 6 * 2**20
"""Bytes that the last third may have more than the second: what an allocator keeps."""

PIECES = [
    event({"role": "assistant", "content": ""}),
    *(event({"content": f"word {number} "}) for number in range(40)),
    event({}, "stop"),
    event({}, choices=[], usage=USAGE),
    DONE,
]
BUSY = b'{"error":{"message":"slow down"}}'

Script = tuple[Step, ...]
SCRIPTS: list[tuple[int, Callable[[], Script]]] = [  # of about a thousand
    (960, lambda: streamed(PIECES)),
    (8, lambda: whole(500, None, b"{}")),
    (1, lambda: whole(429, {"Retry-After": "1"}, BUSY)),
    (6, lambda: (Send(head(200, {"Content-Length": "99"}) + b"half"), Abort())),
    (10, lambda: streamed(PIECES[:9], end="abort")),
    (4, lambda: (Send(b"HTTP/1.1 nonsense\r\n\r\n"), Abort())),
    (4, lambda: (Abort(),)),
]


async def pause(seconds: float) -> None:
    from twisted.internet import reactor

    await deferLater(reactor, seconds)


class Load:
    """Clients that call until they are told to stop, and what became of it."""

    def __init__(self, gateway: Gateway, provider: ScriptedProvider) -> None:
        self.over = False
        self.statuses: Counter[int] = Counter()
        self._gateway = gateway
        self._provider = provider
        self._random = random.Random(7)

    async def client(self) -> None:
        weights, made = zip(*SCRIPTS, strict=True)
        while not self.over:
            (make,) = self._random.choices(made, weights)
            self._provider.script(*make())
            status = await self._call()
            self.statuses[status] += 1
            # While the provider is left alone nobody hurries.
            await pause(0.02 if status == 200 else 0.5)

    async def _call(self) -> int:
        messages = [{"role": "user", "content": "Hello! " * 50}]
        body = {"model": "test-model", "stream": True, "messages": messages}
        url = f"{self._gateway.base_url}/chat/completions"
        try:
            answer = await fetch(url, method="POST", key=self._gateway.key, body=body)
        except (OSError, http.client.HTTPException):
            return 0
        return answer.status


class Watched:
    """What the kernel says of the one worker."""

    def __init__(self, gateway: Gateway) -> None:
        (pid,) = servers(gateway.child.pid)
        self._place = Path(f"/proc/{pid}")
        self.memory: list[int] = []
        self.files: list[int] = []

    def look(self) -> None:
        pages = int((self._place / "statm").read_text().split()[1])
        self.memory.append(pages * os.sysconf("SC_PAGE_SIZE"))
        self.files.append(len(list((self._place / "fd").iterdir())))


@pytest.mark.timeout(MINUTES * 60 + 300)
@pytest.mark.async_limit(MINUTES * 60 + 240)
async def test_nothing_grows_and_nothing_is_lost(tmp_path: Path) -> None:
    provider = await ScriptedProvider().start()
    config = f"{config_for(provider)}\n[tiers.beta]\nconcurrency = 100\n"
    gateway = await Gateway.start(tmp_path, config, environ={"SCRIPTED_KEY": CANARY})
    try:
        load, watched = Load(gateway, provider), Watched(gateway)
        running = gatherResults(
            [Deferred.fromCoroutine(load.client()) for _ in range(CLIENTS)]
        )
        for _ in range(SAMPLES):
            await pause(MINUTES * 60 / SAMPLES)
            watched.look()
        load.over = True
        await running
        told = {
            "calls": load.statuses.total(),
            "statuses": dict(load.statuses),
            "MiB": [size // 2**20 for size in watched.memory],
            "files": watched.files,
        }
        (tmp_path / "soak.json").write_text(json.dumps(told))
        print(json.dumps(told))  # noqa: T201 -- the figures are the point
        _, second, last = (watched.memory[i : i + 20] for i in (0, 20, 40))
        assert statistics.median(last) - statistics.median(second) < FORGIVEN, told
        assert max(watched.files[40:]) <= max(watched.files[:40]) + 2, told
        assert load.statuses[200] > load.statuses.total() * 0.5, told

        tool = [BIN / "lightweight", "-c", gateway.config, "reconcile"]
        reconciled = spawn(tool, cwd=tmp_path)
        assert await reconciled.ended() == 0, reconciled.text
    finally:
        assert await gateway.stop() == 0
        await provider.stop()
    assert "Unhandled" not in gateway.child.text
    assert "Traceback" not in gateway.child.text
