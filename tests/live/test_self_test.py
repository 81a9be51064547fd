"""The self-test of a real daemon, whose home of limits is taken away."""

import sqlite3
from pathlib import Path
from typing import Any

from twisted.internet.task import deferLater

import pytest
from support.daemon import BIN, Gateway, spawn
from support.figures import scraped
from support.http import fetch
from support.redis import RedisServer

DEMO = '[providers.demo]\nkind = "demo"\n'
TIERS = "[tiers.few]\ntpm = 1000\nconcurrency = 2\nquota_tokens = 1000\n"


async def tested(gateway: Gateway) -> Any:
    """Wait for the end of the test of the generation that serves."""
    from twisted.internet import reactor

    while True:
        told = (await gateway.cli("status"))["self_test"]
        if told["state"] != "running":
            return told
        await deferLater(reactor, 0.1)


async def call(gateway: Gateway) -> int:
    answer = await fetch(
        f"{gateway.base_url}/chat/completions",
        method="POST",
        key=gateway.key,
        body={"model": "demo", "messages": [{"role": "user", "content": "hi"}]},
    )
    return answer.status


@pytest.mark.async_limit(110)
async def test_a_home_that_does_not_hold_limits_is_told_and_serving_goes_on(
    tmp_path: Path,
) -> None:
    redis = RedisServer(tmp_path).start()
    shared = f'[redis]\nurl = "{redis.url}"\non_failure = "open"\n'
    gateway = await Gateway.start(tmp_path, DEMO + TIERS + shared)
    try:
        assert await tested(gateway) == {"state": "passed", "problems": []}
        assert "Self-test passed: limits of 4 kinds hold" in gateway.child.text
        # What was asked leaves no use, and Redis forgets it by itself.
        with sqlite3.connect(tmp_path / "state" / "lightweight.db") as database:
            assert database.execute("SELECT count(*) FROM uses").fetchone() == (0,)
        left = redis.command("KEYS", "*selftest*")
        assert left
        assert all(redis.command("PTTL", key) > 0 for key in left)

        redis.kill()
        assert (await gateway.cli("reload"))["reloaded"]
        told = await tested(gateway)
        assert told["state"] == "failed"
        assert told["problems"] == [
            f"The limit {kind} does not hold: it lets more pass."
            for kind in ("concurrency", "quota_tokens", "rpm", "tpm")
        ]
        failed = "lightweight_self_test_failed"
        await scraped(gateway, lambda figures: figures.total(failed) == 1)
        assert await call(gateway) == 200
        ready = await fetch(f"{gateway.root}/readyz")
        assert ready.status == 200
        assert "The limit rpm does not hold" in ready.json()["degraded"]["self_test"]
        doctor = spawn(
            [BIN / "lightweight", "-c", gateway.config, "doctor"], cwd=tmp_path
        )
        assert await doctor.ended() == 1
        assert "Its self-test failed: The limit concurrency" in doctor.text

        redis.start()
        assert (await gateway.cli("reload"))["reloaded"]
        assert (await tested(gateway))["state"] == "passed"
    finally:
        status = await gateway.stop()
        redis.kill()
    assert status == 0


async def test_one_process_without_a_parent_tests_itself_too(tmp_path: Path) -> None:
    gateway = await Gateway.start(tmp_path, DEMO + TIERS, single=True)
    try:
        await gateway.child.line("Self-test passed: limits of 4 kinds hold")
        ready = await fetch(f"{gateway.root}/readyz")
        assert ready.json()["degraded"] == {}
    finally:
        assert await gateway.stop() == 0
