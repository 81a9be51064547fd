"""The home in Redis keeps the contract, over a real server."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.task import deferLater

import pytest
import pytest_twisted
from support.limits_contract import (
    NOW,
    LimitsContract,
    allowed,
    ask,
    at_once,
    left,
    refusal_of,
    settlement,
)
from support.redis import RedisServer
from support.until import until

from lightweight.config.redis import parse_redis_url
from lightweight.policy.pace import Ask, Recent, Subject, Used
from lightweight.policy.period import PREPAID, month_of
from lightweight.records import Limits
from lightweight.store.limits.limiter import LimitsUnavailable
from lightweight.store.limits.redis import RedisLimits, Seed, UseUnknown
from lightweight.store.problems import StoreUnusable


class Ledger:
    """What the ledger would say."""

    def __init__(self) -> None:
        self.seed = Seed()
        self.asked: list[tuple[str, Sequence[Subject]]] = []
        self.problem: StoreUnusable | None = None

    async def __call__(self, account: str, subjects: Sequence[Subject]) -> Seed:
        from twisted.internet import reactor

        self.asked.append((account, subjects))
        await deferLater(reactor, 0.01)  # type: ignore[arg-type]  # the module stands for the reactor
        if self.problem:
            raise self.problem
        return self.seed


class RedisHome:
    """A home whose clock the test moves."""

    def __init__(self, server: RedisServer) -> None:
        from twisted.internet import reactor

        self.now = NOW
        self.server = server
        self.ledger = Ledger()
        self.limits = RedisLimits(
            parse_redis_url(server.url),
            reactor=reactor,
            seed_from=self.ledger,
            now=lambda: self.now,
        )

    def advance(self, ms: int) -> None:
        self.now += ms

    def keys(self) -> dict[str, int]:
        """Give every key there is with the milliseconds it has to live."""
        with self.server.session() as run:
            return {key: run("PTTL", key) for key in run("KEYS", "*")}


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # has no types
async def home(server: RedisServer) -> AsyncIterator[RedisHome]:
    opened = RedisHome(server)
    await opened.limits.start()
    yield opened
    await opened.limits.close()


class TestRedisLimits(LimitsContract):
    @pytest.fixture(name="home")
    def _home(self, home: RedisHome) -> RedisHome:
        return home
