"""Limits and bill of a real daemon: exact over workers, whole whatever is killed."""

import http.client
import os
import random
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater

import pytest
from support.daemon import BIN, Gateway, spawn
from support.http import Fetched, fetch
from support.processes import children, servers
from support.redis import RedisServer
from support.until import until

DEMO = '[providers.demo]\nkind = "demo"\n'
TIERS = "[tiers.sixty]\nrpm = 60\n[tiers.few]\nquota_tokens = 1000\n"
CALL = {
    "model": "demo",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "hi"}],
}
GONE = (OSError, http.client.HTTPException)
"""What a client sees when the worker that serves it is killed."""


async def call(gateway: Gateway, key: str) -> Fetched:
    return await fetch(
        f"{gateway.base_url}/chat/completions", method="POST", key=key, body=CALL
    )


async def together(calls: Sequence[Any]) -> list[Any]:
    running = [Deferred.fromCoroutine(each) for each in calls]
    return list(await gatherResults(running, consumeErrors=True))


async def key_of(gateway: Gateway, tier: str) -> str:
    await gateway.cli("accounts", "create", tier, "--tier", tier)
    made = await gateway.cli("keys", "create", "--account", tier)
    return str(made["key"])


async def usage(gateway: Gateway, key: str) -> Any:
    answer = await fetch(f"{gateway.base_url}/usage", key=key)
    assert answer.status == 200
    return answer.json()


async def reconciled(gateway: Gateway) -> bool:
    child = spawn(
        [BIN / "lightweight", "-c", gateway.config, "reconcile"], cwd=gateway.directory
    )
    return await child.ended() == 0


@pytest.mark.parametrize("home", ["embedded", "redis"])
@pytest.mark.async_limit(110)
async def test_sixty_pass_of_all_that_come_at_once(home: str, tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    redis = f'[redis]\nurl = "{server.url}"\n' if home == "redis" else ""
    if redis:
        server.start()
    gateway = await Gateway.start(tmp_path, f"workers = 3\n{DEMO}{TIERS}{redis}")
    try:
        key = await key_of(gateway, "sixty")
        answers = await together([call(gateway, key) for _ in range(150)])
        passed = [each for each in answers if each.status == 200]
        assert len(passed) == 60
        refused = [each for each in answers if each.status == 429]
        assert len(refused) == 90
        for each in refused:
            assert 1 <= int(each.headers["retry-after"]) <= 61
            assert each.json()["error"]["type"] == "requests"
        assert {each.headers["x-ratelimit-limit-requests"] for each in answers} == {
            "60"
        }
        ready = await fetch(f"{gateway.root}/readyz")
        assert ready.json()["status"] == "ready"
    finally:
        status = await gateway.stop()
        server.kill()
    assert status == 0


async def test_a_quota_is_shown_used_up_and_told(tmp_path: Path) -> None:
    gateway = await Gateway.start(tmp_path, DEMO + TIERS)
    try:
        key = await key_of(gateway, "few")
        # All at once: together they want more than there is.
        answers = await together([call(gateway, key) for _ in range(30)])
        passed = [each for each in answers if each.status == 200]
        refused = [each for each in answers if each.status == 403]
        assert len(passed) + len(refused) == 30
        spent = sum(each.json()["usage"]["total_tokens"] for each in passed)
        assert 0 < spent <= 1000
        error = refused[0].json()["error"]
        assert error["code"] == "insufficient_quota"
        assert refused[0].headers["x-should-retry"] == "false"

        async def told() -> bool:
            shown = await usage(gateway, key)
            return bool(shown["requests"]["succeeded"] == len(passed))

        while not await told():
            await pause()
        shown = await usage(gateway, key)
        assert shown["tokens"]["total"] == spent
        assert shown["quota"]["used"] == spent
        assert shown["quota"]["reserved"] == 0
        assert shown["requests"]["failed"] == 0
    finally:
        assert await gateway.stop() == 0


@pytest.mark.async_limit(110)
async def test_what_clients_saw_finished_is_billed_once(tmp_path: Path) -> None:
    gateway = await Gateway.start(tmp_path, f"workers = 2\n{DEMO}")
    seen: list[str] = []
    over = False

    async def client() -> None:
        while not over:
            try:
                answer = await call(gateway, gateway.key)
            except GONE:
                await pause()
            else:
                assert answer.status == 200
                seen.append(answer.headers["x-request-id"])

    try:
        clients = [Deferred.fromCoroutine(client()) for _ in range(6)]
        chosen = random.Random(4)
        for _ in range(5):
            await pause(0.4)
            parent = gateway.child.pid
            victims = servers(parent)
            if chosen.random() < 0.5:
                victims = [pid for pid in children(parent) if pid not in victims]
            for pid in victims[:1]:
                os.kill(pid, signal.SIGKILL)
            await pause(0.6)
        over = True
        await gatherResults(clients)
        await until(lambda: len(servers(gateway.child.pid)) == 2)
        while not await reconciled(gateway):
            await pause()
        shown = await usage(gateway, gateway.key)
        succeeded = shown["requests"]["succeeded"]
        # What was recorded and killed before its client heard of it is billed too.
        assert len(seen) <= succeeded <= len(seen) + 5 * 6
        assert len(seen) > 20
    finally:
        assert await gateway.stop() == 0
    assert await reconciled(gateway)


async def test_nothing_waits_in_a_journal_after_a_stop(tmp_path: Path) -> None:
    gateway = await Gateway.start(tmp_path, DEMO)
    try:
        await together([call(gateway, gateway.key) for _ in range(10)])
    finally:
        assert await gateway.stop() == 0
    assert await reconciled(gateway)


async def pause(seconds: float = 0.05) -> None:
    from twisted.internet import reactor

    await deferLater(reactor, seconds)
