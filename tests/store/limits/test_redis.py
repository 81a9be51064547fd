"""The home in Redis keeps the contract, over a real server."""

import signal
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
from lightweight.store.limits.redis import RedisLimits
from lightweight.store.limits.shared import Seed, UseUnknown
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
        await deferLater(reactor, 0.01)
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


QUOTA = Limits(quota_tokens=100)


# -- quotas that Redis lost ------------------------------------------------------------


async def test_the_ledger_says_what_redis_does_not_know(home: RedisHome) -> None:
    limits = Limits(rpm=5, quota_tokens=100, quota_micro_usd=50)
    home.ledger.seed = Seed(
        used=[
            Used(
                account="acct_1",
                subject="",
                month=month_of(NOW),
                tokens=70,
                micro_usd=7,
            ),
            Used(account="acct_1", subject="", month=PREPAID, tokens=9, micro_usd=9),
        ],
        recent=[
            Recent(
                account="acct_1",
                subject="",
                requests={NOW // 1000 - 10: 2, NOW // 1000 - 90: 9},
            )
        ],
    )
    first = ask("r1", account=limits)
    verdict = await home.limits.admit(first)
    assert home.ledger.asked == [("acct_1", first.subjects)]
    assert left(verdict.quota_tokens) == (70, 10)
    assert left(verdict.quota_usd) == (7, 0)
    assert verdict.requests is not None
    assert verdict.requests.remaining == 2
    await home.limits.admit(ask("r2", account=limits))
    assert len(home.ledger.asked) == 1


async def test_whom_the_ledger_does_not_name_used_nothing(home: RedisHome) -> None:
    prepaid = Limits(quota_tokens=10, prepaid=True)
    verdict = await home.limits.admit(ask("r1", account=QUOTA, key=prepaid))
    assert left(verdict.quota_tokens) == (0, 10)


async def test_many_at_once_ask_the_ledger_once(home: RedisHome) -> None:
    verdicts = await at_once(
        home.limits, [ask(f"r{n}", account=QUOTA) for n in range(20)]
    )
    assert allowed(verdicts) == 10
    assert len(home.ledger.asked) == 1


async def test_one_who_stops_waiting_takes_the_ledger_from_nobody(
    home: RedisHome,
) -> None:
    leaving = Deferred.fromCoroutine(home.limits.admit(ask("r1", account=QUOTA)))
    staying = Deferred.fromCoroutine(home.limits.admit(ask("r2", account=QUOTA)))
    await until(lambda: home.ledger.asked)
    leaving.cancel()
    with pytest.raises(CancelledError):
        await leaving
    assert left((await staying).quota_tokens) == (0, 10)
    assert len(home.ledger.asked) == 1


async def test_a_ledger_that_fails_is_asked_again(home: RedisHome) -> None:
    home.ledger.problem = StoreUnusable("The database is locked.")
    with pytest.raises(UseUnknown, match="The database is locked"):
        await home.limits.admit(ask("r1", account=QUOTA))
    assert (await home.limits.admit(ask("r2", account=Limits(rpm=1)))).refused is None
    home.ledger.problem = None
    assert (await home.limits.admit(ask("r3", account=QUOTA))).refused is None


async def test_what_was_flushed_is_told_again(home: RedisHome) -> None:
    first = ask("r1", account=QUOTA, tokens=60)
    await home.limits.admit(first)
    home.server.command("FLUSHALL")
    told = Used(
        account="acct_1", subject="", month=month_of(NOW), tokens=60, micro_usd=0
    )
    home.ledger.seed = Seed(used=[told])
    refused = await home.limits.admit(ask("r2", account=QUOTA, tokens=60))
    assert refusal_of(refused)[1] == "quota_tokens"
    assert left(refused.quota_tokens) == (60, 0)
    home.limits.settle(settlement(first, 60))
    looked = await home.limits.look(ask("r3", account=QUOTA))
    assert left(looked.quota_tokens) == (60, 0)


async def test_the_ledgers_totals_only_raise(home: RedisHome) -> None:
    def used(account: str, tokens: int, month: int) -> Used:
        return Used(
            account=account, subject="", month=month, tokens=tokens, micro_usd=0
        )

    this = month_of(NOW)
    await home.limits.raise_used(
        [
            used("acct_1", 30, this),
            used("acct_2", 5, this),
            used("acct_2", 50, this - 1),
        ]
    )
    await home.limits.raise_used([used("acct_1", 20, this)])
    one = await home.limits.look(ask("r1", account=QUOTA))
    two = await home.limits.look(ask("r2", account=QUOTA, of="acct_2"))
    assert (left(one.quota_tokens), left(two.quota_tokens)) == ((30, 0), (5, 0))
    assert home.ledger.asked == []


# -- leases ----------------------------------------------------------------------------


async def test_a_lease_that_nobody_renews_ends(home: RedisHome) -> None:
    one = Limits(concurrency=1, quota_tokens=100)
    await home.limits.admit(ask("r1", account=one))
    home.advance(29_999)
    assert refusal_of(await home.limits.look(ask("r2", account=one)))[1] == (
        "concurrency"
    )
    home.advance(1)
    verdict = await home.limits.look(ask("r2", account=one))
    assert verdict.refused is None
    assert left(verdict.quota_tokens) == (0, 10)
    home.advance(600_000)
    verdict = await home.limits.look(ask("r2", account=one))
    assert left(verdict.quota_tokens) == (0, 0), "its reservation ends later"


async def test_a_reservation_ends_though_nobody_asks_for_a_day(home: RedisHome) -> None:
    prepaid = Limits(quota_tokens=100, prepaid=True)
    await home.limits.admit(ask("r1", account=prepaid))
    day = 24 * 60 * 60 * 1000
    for key, left_ms in home.keys().items():
        if left_ms <= day:
            home.server.command("DEL", key)
    home.advance(day)
    verdict = await home.limits.look(ask("r2", account=prepaid))
    assert left(verdict.quota_tokens) == (0, 0)


async def test_leases_are_renewed_until_they_are_settled(home: RedisHome) -> None:
    two = Limits(concurrency=2)
    asks = [ask("r1", account=two, key=two), ask("r2", account=two)]
    for each in asks:
        await home.limits.admit(each)
    for _ in range(5):
        home.advance(20_000)
        home.limits._catch_up()
    held = await home.limits.look(ask("r3", account=two))
    assert refusal_of(held)[1] == "concurrency"
    home.limits.settle(settlement(asks[0]))
    assert (await home.limits.look(ask("r3", account=two, key=two))).refused is None
    home.limits.settle(settlement(asks[1]))
    assert home.limits._open == {}


async def test_a_lease_that_ended_is_not_renewed(home: RedisHome) -> None:
    one = Limits(concurrency=1)
    await home.limits.admit(ask("r1", account=one))
    home.advance(30_000)
    home.limits._catch_up()
    assert (await home.limits.admit(ask("r2", account=one))).refused is None


# -- what lies in Redis ----------------------------------------------------------------


async def test_all_is_under_one_hash_tag_and_expires(home: RedisHome) -> None:
    full = Limits(rpm=9, tpm=900, concurrency=9, quota_tokens=900, quota_micro_usd=9)
    asks = [ask(f"r{n}", account=full, key=full) for n in range(3)]
    for each in asks:
        await home.limits.admit(each)
    home.limits.settle(settlement(asks[0], 5, 5))
    await home.limits.probe()
    keys = home.keys()
    assert {key.split("}")[0] for key in keys} == {"lw:{acct_1", "lw:{probe"}
    assert len(keys) == 1 + 1 + 2 * 4
    assert all(left_ms > 0 for left_ms in keys.values())
    windows = [left_ms for key, left_ms in keys.items() if ":window:" in key]
    assert max(windows) <= 62_000


async def test_memory_of_a_busy_subject_is_constant(home: RedisHome) -> None:
    limits = Limits(rpm=10**6, tpm=10**9)
    sizes = []
    for number in range(150):
        each = ask(f"r{number}", account=limits, tokens=100_000)
        assert (await home.limits.admit(each)).refused is None
        home.limits.settle(settlement(each, 90_000))
        home.advance(1_000)
        size = home.server.command("MEMORY", "USAGE", "lw:{acct_1}:window:")
        sizes.append(size)
    assert max(sizes[:70]) == max(sizes) <= 1_100


# -- many at once ----------------------------------------------------------------------


async def test_four_processes_worth_of_connections_are_exact(
    server: RedisServer,
) -> None:
    homes = [RedisHome(server) for _ in range(4)]
    sixty = Limits(rpm=60)
    accepted: list[int] = []
    try:
        await gatherResults([Deferred.fromCoroutine(h.limits.start()) for h in homes])

        async def burst(turn: int, home: RedisHome) -> None:
            asks = [ask(f"{id(home)}_{turn}_{n}", account=sixty) for n in range(20)]
            verdicts = await at_once(home.limits, asks)
            accepted.extend([home.now] * allowed(verdicts))

        # Three minutes; some bursts stand right before and after a minute's edge.
        pauses = [0, 100, 30_000, 29_000, 650, 150, 61_000, 60_749, 1, 5_000]
        for turn, pause in enumerate(pauses):
            for each in homes:
                each.advance(pause)
            await gatherResults(
                [Deferred.fromCoroutine(burst(turn, each)) for each in homes]
            )
    finally:
        for each in homes:
            await each.limits.close()
    most = max(
        sum(start <= at < start + 60_000 for at in accepted) for start in accepted
    )
    assert most == 60
    assert len(accepted) >= 3 * 60


# -- settlements -----------------------------------------------------------------------


async def test_settlements_wait_for_redis_and_are_bounded(
    own_server: RedisServer, monkeypatch: Any
) -> None:
    monkeypatch.setattr("lightweight.store.limits.redis.MOST_OWED", 3)
    home = RedisHome(own_server)
    await home.limits.start()
    asks: list[Ask] = [ask(f"r{n}", account=QUOTA) for n in range(5)]
    for each in asks:
        await home.limits.admit(each)
    own_server.kill()
    await until(lambda: not home.limits._connection.connected)
    for each in asks:
        home.limits.settle(settlement(each, 1))
    assert list(home.limits._owed) == ["r2", "r3", "r4"]
    own_server.start()
    await until(lambda: not home.limits._owed)
    await home.limits.close()


async def test_much_that_is_owed_is_sent_in_parts(
    own_server: RedisServer, monkeypatch: Any
) -> None:
    monkeypatch.setattr("lightweight.store.limits.redis.PAID_AT_ONCE", 7)
    home = RedisHome(own_server)
    await home.limits.start()
    asks = [ask(f"r{n}", account=Limits(concurrency=50)) for n in range(50)]
    await at_once(home.limits, asks)
    own_server.signal(signal.SIGSTOP)
    home.limits._connection.drop()
    await until(lambda: not home.limits._connection.connected)
    for each in asks:
        home.limits.settle(settlement(each, 1))
    own_server.signal(signal.SIGCONT)
    await until(lambda: not home.limits._owed)
    await at_once(home.limits, [ask(f"s{n}", account=QUOTA) for n in range(3)])
    looked = await home.limits.look(ask("r", account=Limits(concurrency=4)))
    assert looked.refused is None
    await home.limits.close()


async def test_closing_waits_for_the_last_settlements(server: RedisServer) -> None:
    home = RedisHome(server)
    await home.limits.start()
    asks = [ask(f"r{n}", account=QUOTA) for n in range(10)]
    await at_once(home.limits, asks)
    for each in asks:
        home.limits.settle(settlement(each, 3))
    await home.limits.close()
    again = RedisHome(server)
    await again.limits.start()
    looked = await again.limits.look(ask("r", account=QUOTA))
    assert left(looked.quota_tokens) == (30, 0)
    await again.limits.close()


async def test_an_answer_that_does_not_come_is_given_back(
    own_server: RedisServer,
) -> None:
    home = RedisHome(own_server)
    await home.limits.start()
    one = Limits(rpm=1, quota_tokens=10)
    await home.limits.look(ask("r0", account=one))
    own_server.signal(signal.SIGSTOP)
    try:
        with pytest.raises(LimitsUnavailable, match="did not answer in time"):
            await home.limits.admit(ask("r1", account=one))
        assert list(home.limits._owed) == ["r1"]
    finally:
        own_server.signal(signal.SIGCONT)
    await until(lambda: not home.limits._owed)
    assert (await home.limits.admit(ask("r2", account=one))).refused is None
    await home.limits.close()


async def test_whoever_refuses_is_named_whatever_the_name(home: RedisHome) -> None:
    name = 'kéy "1\\2"\n}'
    subjects = (Subject("", Limits(rpm=1)), Subject(name, Limits(rpm=0)))
    wanted = Ask(id="r1", account="ä}", subjects=subjects, tokens=1, micro_usd=0)
    assert refusal_of(await home.limits.admit(wanted))[0] == name
