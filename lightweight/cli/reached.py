"""What `lightweight doctor --online` asks over the network: Redis and the providers.

Needs Twisted: imported only where it is wanted.
"""

import time
from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import react

from lightweight.cli.findings import Finding
from lightweight.config.redis import parse_redis_url
from lightweight.config.schema import Config
from lightweight.errors import ProviderFault
from lightweight.policy.pace import Subject
from lightweight.runtime import Runtime
from lightweight.store.limits.limiter import LimitsUnavailable
from lightweight.store.limits.redis import RedisLimits
from lightweight.store.limits.shared import Seed
from lightweight.upstream.http import HttpProvider


def reached(runtime: Runtime, reactor: Any) -> Sequence[Finding]:
    """Ask Redis and each provider, on a reactor that runs for this alone."""
    reactor.seconds = time.monotonic
    found: list[Finding] = []

    async def run() -> None:
        found.extend(await ask_all(runtime, reactor))

    try:
        react(lambda _: Deferred.fromCoroutine(run()), _reactor=reactor)
    except SystemExit as end:
        if end.code:
            raise
    return found


async def ask_all(runtime: Runtime, reactor: Any) -> Sequence[Finding]:
    """Give a finding for Redis, where it is configured, and one for each provider.

    Cancelling stops asking.
    """
    found = []
    if runtime.config.redis.url is not None:
        found.append(await _redis(runtime.config, reactor))
    for name, provider in runtime.providers.items():
        if isinstance(provider, HttpProvider):
            found.append(await _provider(name, provider))
        await provider.close()
    return found


async def _provider(name: str, provider: HttpProvider) -> Finding:
    try:
        await provider.probe()
    except ProviderFault as fault:
        return Finding(f"provider {name}", "problem", fault.message)
    text = "Its name resolves, it connects and answers. Its key was not judged: "
    return Finding(f"provider {name}", "ok", f"{text}`lightweight models test` does.")


async def _redis(config: Config, reactor: Any) -> Finding:
    assert config.redis.url is not None
    place = parse_redis_url(config.redis.url.reveal())
    limits = RedisLimits(place, reactor=reactor, seed_from=_no_seed)
    try:
        await limits.start()
        await limits.probe()
    except LimitsUnavailable as problem:
        return Finding("redis", "problem", f"It cannot be used: {problem}.")
    finally:
        await limits.close()
    return Finding("redis", "ok", "It answers and can be written to.")


async def _no_seed(_account: str, _subjects: Sequence[Subject]) -> Seed:
    """Know nothing of any account: none is asked about."""
    return Seed(used=[], recent=[])
