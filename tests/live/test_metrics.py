"""/metrics of a real daemon: every metric moves, and no counter ever falls."""

import os
import signal
from pathlib import Path

from twisted.internet.defer import Deferred

import pytest
from support.daemon import Gateway
from support.figures import Figures, scraped
from support.http import Fetched, fetch
from support.live import CANARY, config_for
from support.ports import free_port
from support.processes import servers
from support.scripted import Gate, ScriptedProvider, streamed, whole
from support.until import until

from lightweight.observe import metrics
from lightweight.observe.metrics import METRICS

LIMITED = "[tiers.enterprise]\nrpm = 1000\n"
"""What the first account is in: its calls must ask the limits."""
JSON = {"content-type": "application/json"}
WHOLE = (
    b'{"id":"1","object":"chat.completion","created":1,"model":"test-model",'
    b'"choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},'
    b'"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}}'
)
PIECES = [
    b'data: {"choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n',
    b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
    b"data: [DONE]\n\n",
]


async def call(
    gateway: Gateway, model: str = "test-model", *, stream: bool = False
) -> Fetched:
    return await fetch(
        f"{gateway.base_url}/chat/completions",
        method="POST",
        key=gateway.key,
        body={
            "model": model,
            "stream": stream,
            "messages": [{"role": "user", "content": "A secret question"}],
        },
    )


async def started(
    provider: ScriptedProvider,
    directory: Path,
    extra: str = "",
    *,
    single: bool = False,
) -> Gateway:
    return await Gateway.start(
        directory,
        extra + config_for(provider, LIMITED),
        environ={"SCRIPTED_KEY": CANARY},
        single=single,
    )


def moved(figures: Figures) -> set[str]:
    """Give the metrics that are not zero."""
    return {
        metric.name
        for metric in METRICS
        if figures.total(metric.name + ("_count" if metric.kind == "histogram" else ""))
    }


async def refused_reload(gateway: Gateway) -> None:
    text = gateway.config.read_text()
    gateway.config.write_text("no toml")
    gateway.child.send(signal.SIGHUP)
    await gateway.child.line("Reload refused")
    gateway.config.write_text(text)


async def test_every_metric_moves(provider: ScriptedProvider, tmp_path: Path) -> None:
    redis = f'[redis]\nurl = "redis://127.0.0.1:{free_port()}/0"\n'
    gateway = await started(provider, tmp_path, redis)
    gate = Gate()
    try:
        provider.always(*whole(200, JSON, WHOLE))
        for _ in range(3):
            assert (await call(gateway)).status == 200
        assert (await call(gateway, "no-such-model")).status == 404
        provider.stream(PIECES)
        assert (await call(gateway, stream=True)).status == 200
        provider.reply(429, {"retry-after": "1"}, b"{}")
        assert (await call(gateway, "renamed")).status == 429
        await refused_reload(gateway)
        # A worker that is killed takes what it did not tell with it: a second's worth.
        await scraped(gateway, lambda told: told.total("lightweight_calls_total") == 6)
        (worker,) = servers(gateway.child.pid)
        os.kill(worker, signal.SIGKILL)
        await gateway.child.line(f"Worker {worker} ended")
        provider.script(*streamed(PIECES, gate))
        await until(lambda: len(servers(gateway.child.pid)) == 1)
        stream = Deferred.fromCoroutine(call(gateway, stream=True))
        # No load reaches these: what would be too many series is tested where they are,
        # and a home that does not hold limits in test_self_test.
        elsewhere = {metrics.LEFT_OUT.name, metrics.SELF_TEST_FAILED.name}
        wanted = {metric.name for metric in METRICS} - elsewhere

        figures = await scraped(gateway, lambda told: wanted <= moved(told))
        gate.open()
        assert (await stream).status == 200

        one = {"model": "test-model", "provider": "scripted"}
        assert figures.total("lightweight_calls_total", **one, ending="finished") >= 4
        assert figures.total("lightweight_calls_total", model="unknown") == 1
        assert figures.total("lightweight_tokens_total", kind="fresh") >= 21
        assert figures.total("lightweight_attempts_total", result="limited") == 1
        assert figures.total("lightweight_upstream_connections_total", how="reused")
        assert figures.total("lightweight_reloads_total", result="refused") == 1
        assert figures.total("lightweight_worker_deaths_total") == 1
        assert figures.total("lightweight_streams") == 1
        assert figures.total("lightweight_limits_unreachable") == 1
        for secret in (CANARY, gateway.key, "acct_", "key_", "secret question"):
            assert secret not in figures.text
    finally:
        gate.open()
        assert await gateway.stop() == 0


@pytest.mark.async_limit(120)
async def test_no_counter_falls_whoever_leaves_or_dies(
    provider: ScriptedProvider, tmp_path: Path
) -> None:
    gateway = await started(provider, tmp_path, "workers = 2\n")
    finished = "lightweight_calls_total"
    try:
        provider.always(*whole(200, JSON, WHOLE))
        for _ in range(10):
            assert (await call(gateway)).status == 200
        before = await scraped(gateway, lambda told: told.total(finished) == 10)

        for _ in range(4):
            assert (await call(gateway)).status == 200
        gate = Gate()
        provider.stream(PIECES, gap=gate)
        last_stream = Deferred.fromCoroutine(call(gateway, stream=True))
        gateway.child.send(signal.SIGHUP)
        await gateway.child.line("Reloaded")
        # The worker leaves as this ends: it tells of it with its last word.
        gate.open()
        assert (await last_stream).status == 200
        await gateway.child.line("Generation 1 has left")
        after = await scraped(gateway, lambda told: told.total(finished) >= 15)
        assert after.total("lightweight_generation") == 2
        assert_none_fell(before, after)

        for worker in servers(gateway.child.pid):
            os.kill(worker, signal.SIGKILL)
            await gateway.child.line(f"Worker {worker} ended")
        await until(lambda: len(servers(gateway.child.pid)) == 2)
        last = await scraped(gateway, lambda told: told.total(finished) == 15)
        assert_none_fell(after, last)
        for _ in range(3):
            assert (await call(gateway)).status == 200
        await scraped(gateway, lambda told: told.total(finished) == 18)
    finally:
        assert await gateway.stop() == 0


def assert_none_fell(before: Figures, after: Figures) -> None:
    """Compare every sample of a counter or histogram."""
    gauges = {metric.name for metric in METRICS if metric.kind == "gauge"}
    later = {(name, *sorted(of.items())): value for name, of, value in after.samples}
    for name, of, value in before.samples:
        if name not in gauges:
            assert later[name, *sorted(of.items())] >= value, (name, of)


async def test_one_process_tells_its_own(
    provider: ScriptedProvider, tmp_path: Path
) -> None:
    gateway = await started(provider, tmp_path, single=True)
    try:
        provider.always(*whole(200, JSON, WHOLE))
        assert (await call(gateway)).status == 200

        figures = await scraped(gateway, bool)

        assert figures.total("lightweight_calls_total") == 1
        assert figures.total("lightweight_limit_decisions_total") == 1
        assert "lightweight_journal_lag_seconds" in figures.text
    finally:
        assert await gateway.stop() == 0


async def test_the_token_opens_it_through_a_proxy_and_a_reload_changes_it(
    provider: ScriptedProvider, tmp_path: Path
) -> None:
    token = tmp_path / "metrics.token"
    token.write_text("scrape-me-0123456789\n")
    token.chmod(0o600)
    gateway = await started(
        provider, tmp_path, f'metrics_token = {{ file = "{token}" }}\n'
    )
    proxied = {"X-Forwarded-For": "192.0.2.7"}

    async def status(key: str | None) -> int:
        url = f"{gateway.root}/metrics"
        return (await fetch(url, key=key, headers=proxied)).status

    try:
        assert await status(None) == 403
        assert await status("wrong") == 403
        assert await status(gateway.key) == 403
        assert await status("scrape-me-0123456789") == 200
        token.write_text("another-0123456789\n")
        gateway.child.send(signal.SIGHUP)
        await gateway.child.line("Generation 1 has left")
        assert await status("scrape-me-0123456789") == 403
        assert await status("another-0123456789") == 200
        assert "0123456789" not in gateway.child.text
    finally:
        assert await gateway.stop() == 0


@pytest.mark.parametrize("single", [False, True])
async def test_what_is_in_flight_is_dumped(
    provider: ScriptedProvider, tmp_path: Path, *, single: bool
) -> None:
    gateway = await started(provider, tmp_path, single=single)
    gate = Gate()
    try:
        provider.stream(PIECES, gap=gate)
        stream = Deferred.fromCoroutine(call(gateway, stream=True))
        await provider.request_seen()
        gateway.child.send(signal.SIGUSR2)
        line = await gateway.child.line("In flight: req_")
        assert "model 'test-model' at scripted, 1 asked, account acct_" in line.string
        await gateway.child.line(r"In flight: 1 call\.")
        gate.open()
        assert (await stream).status == 200
    finally:
        gate.open()
        assert await gateway.stop() == 0
