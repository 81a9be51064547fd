"""Limits, journal and books as a configuration wants them, on the real reactor."""

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from twisted.internet.task import deferLater

import pytest_twisted
from support.redis import RedisServer
from support.uses import dispatch, use

from lightweight.config.schema import Config, Redis
from lightweight.config.secret import Secret
from lightweight.daemon.metering import Metering
from lightweight.meters import Meters, seed_of
from lightweight.policy.pace import ACCOUNT, Ask, Subject
from lightweight.records import Limits
from lightweight.store.bill import Ledger
from lightweight.store.connect import sqlite_url
from lightweight.store.database import Database
from lightweight.store.ledger import day_of


def meters(directory: Path, config: Config) -> Meters:
    from twisted.internet import reactor

    return Meters(
        reactor=reactor,
        wall=time.time,
        config=config,
        directory=directory,
        generation=0,
        limits_at=None,
    )


def ask(name: str, rpm: int) -> Ask:
    return Ask(
        id=name,
        account="acct",
        subjects=(Subject(ACCOUNT, Limits(rpm=rpm)),),
        tokens=1,
        micro_usd=0,
    )


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # has no types
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    from twisted.internet import reactor

    made = Database(sqlite_url(tmp_path), reactor=reactor)  # type: ignore[arg-type]  # it has threads
    await made.start()
    yield made
    await made.close()


async def begun(metering: Metering) -> None:
    assert metering.books is not None
    metering.books.start(lambda failure: failure.raiseException())
    await metering.begin()


async def test_alone_it_limits_records_and_bills(
    tmp_path: Path, database: Database
) -> None:
    metering = meters(tmp_path, Config()).of_server(database)
    await begun(metering)
    assert metering.why_degraded() is None
    assert metering.local_decisions() == 0
    assert metering.books is not None
    assert metering.books.lag < 60
    verdicts = [await metering.limits.admit(ask(f"r{i}", rpm=2)) for i in range(3)]
    assert [verdict.refused is None for verdict in verdicts] == [True, True, False]
    now = time.time()
    metering.journal.start(dispatch("r0", at=now))
    metering.journal.finish(use("r0", at=now))
    await metering.close()
    today = day_of(now)
    days = await Ledger(database).day_uses(use("r0").outcome.account_id, today, today)
    assert sum(day.succeeded for day in days) == 1


async def test_redis_away_degrades_and_comes_back(
    tmp_path: Path, database: Database
) -> None:
    server = RedisServer(tmp_path)
    config = Config(redis=Redis(url=Secret(server.url), machines=2))
    metering = meters(tmp_path, config).of_server(database)
    await begun(metering)
    assert "out of reach" in (metering.why_degraded() or "")
    verdict = await metering.limits.admit(ask("local", rpm=4))
    assert verdict.local
    assert verdict.requests is not None
    assert verdict.requests.limit == 2
    assert metering.local_decisions() == 1
    server.start()
    try:
        await until_not(metering.why_degraded)
        verdict = await metering.limits.admit(ask("shared", rpm=4))
        assert not verdict.local
        await metering.close()
    finally:
        server.kill()


async def until_not(why: Any) -> None:
    from twisted.internet import reactor

    while why() is not None:
        await deferLater(reactor, 0.05)


async def test_what_redis_forgot_the_ledger_knows(
    tmp_path: Path, database: Database
) -> None:
    now = time.time()
    metering = meters(tmp_path, Config()).of_server(database)
    await begun(metering)
    metering.journal.start(dispatch("r0", at=now))
    ended = use("r0", at=now)
    metering.journal.finish(ended)
    await metering.close()
    account = ended.outcome.account_id
    seed = await database.read(lambda c: seed_of(c, account, now))
    assert {used.account for used in seed.used} == {account}
    assert {used.subject for used in seed.used} == {"", ended.outcome.key_id}
    assert [sum(recent.requests.values()) for recent in seed.recent] == [1, 1]
    assert (await database.read(lambda c: seed_of(c, "other", now))).used == []
