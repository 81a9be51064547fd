import re
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.task import Clock
from twisted.logger import capturedLogs

import pytest
import pytest_twisted
from sqlalchemy import Connection

from lightweight.records import Identity, Limits
from lightweight.store.accounts import create_account, set_disabled, set_limits
from lightweight.store.api_keys import (
    create_key,
    revoke_key,
    rotate_key,
    set_key_limits,
)
from lightweight.store.database import Database
from lightweight.store.keyring import Keyring
from lightweight.store.keys import mint
from lightweight.store.problems import StoreUnusable

T = TypeVar("T")
PEPPER = b"p" * 64
NOW = 1_000_000.0


def secret(number: int) -> str:
    return mint(lambda count: number.to_bytes(count, "big"))


def add_account(connection: Connection) -> None:
    create_account(
        connection, account_id="acct_1", name="acme", tier="pro", now=NOW, who="t"
    )


def add_key(
    number: int, expires_at: float | None = None
) -> Callable[[Connection], object]:
    return lambda connection: create_key(
        connection,
        key_id=f"key_{number}",
        account="acme",
        name="",
        secret=secret(number),
        pepper=PEPPER,
        now=NOW,
        who="t",
        expires_at=expires_at,
    )


def revoke(connection: Connection) -> object:
    return revoke_key(connection, "key_1", now=NOW, who="t")


class Watched:
    """A database whose reads are counted and can be held or made to fail."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.run = database.run
        self.reads = 0
        self.held: Deferred[None] | None = None
        self.fault: Exception | None = None

    async def read(self, work: Callable[[Connection], T]) -> T:
        self.reads += 1
        if self.fault is not None:
            raise self.fault
        found = await self.database.read(work)
        if self.held is not None:
            await self.held
        return found


class Bench:
    """A keyring that runs by a clock of ours, on a real database."""

    def __init__(self, database: Database) -> None:
        self.database = Watched(database)
        self.clock = Clock()
        self.now = NOW
        self.keyring = Keyring(
            self.database,  # type: ignore[arg-type]  # reads as a Database does
            PEPPER,
            clock=self.clock,
            wall=lambda: self.now,
        )

    def known(self, number: int) -> Identity | None:
        return self.keyring.holder(self.keyring.digest(secret(number)))

    def id_of(self, number: int) -> str | None:
        found = self.known(number)
        return None if found is None else found.key.id

    async def pass_time(self, seconds: float) -> None:
        """Let time pass and the poll that it brings end."""
        self.clock.advance(seconds)
        await self.polled()

    async def polled(self) -> None:
        if self.keyring._polling is not None:
            ended: Deferred[None] = Deferred()
            self.keyring._polling.addCallback(lambda _: ended.callback(None))
            await ended

    def ask(self, number: int) -> "Deferred[Identity | None]":
        return Deferred.fromCoroutine(self.keyring.identify(secret(number)))


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # it has no types
async def bench(database: Database) -> AsyncIterator[Bench]:
    await database.run(add_account)
    await database.run(add_key(1))
    made = Bench(database)
    await made.keyring.start()
    yield made
    made.keyring.stop()
    assert made.clock.getDelayedCalls() == []


# -- what memory knows -------------------------------------------------------------


async def test_keys_are_known_from_the_start(bench: Bench) -> None:
    found = bench.known(1)
    assert found is not None
    assert (found.account.name, found.key.id) == ("acme", "key_1")
    assert await bench.keyring.identify(secret(1)) == found
    assert bench.database.reads == 1


@pytest.mark.parametrize(
    "presented",
    ["", "lw-", secret(1)[:-1] + "x", f"{secret(1)}\n", "\ud800", "x" * 10**6],
)
async def test_what_is_no_key_touches_no_database(bench: Bench, presented: str) -> None:
    assert bench.keyring.holder(bench.keyring.digest(presented)) is None
    assert await bench.keyring.identify(presented) is None
    assert bench.database.reads == 1


async def test_another_pepper_knows_nobody(bench: Bench, database: Database) -> None:
    other = Keyring(database, b"q" * 64, clock=Clock(), wall=lambda: NOW)
    await other.start()
    assert other.holder(other.digest(secret(1))) is None
    other.stop()


async def test_a_key_expires_by_the_wall_clock(bench: Bench) -> None:
    await bench.database.run(add_key(2, expires_at=NOW + 10))
    await bench.pass_time(1)
    bench.now = NOW + 9.9
    assert bench.id_of(2) == "key_2"
    bench.now = NOW + 10
    assert bench.id_of(2) is None
    assert await bench.keyring.identify(secret(2)) is None
    assert bench.database.reads == 2


# -- what changes ------------------------------------------------------------------


async def test_a_revoked_key_is_dead_after_a_poll(bench: Bench) -> None:
    await bench.database.run(revoke)
    assert bench.id_of(1) == "key_1"
    await bench.pass_time(1)
    assert bench.id_of(1) is None
    assert await bench.keyring.identify(secret(1)) is None


async def test_limits_that_change_arrive_with_a_poll(bench: Bench) -> None:
    limits = {"rpm": 5, "quota_tokens": 9}
    await bench.database.run(lambda c: set_limits(c, "acme", limits, now=NOW, who="t"))
    await bench.database.run(
        lambda c: set_key_limits(c, "key_1", {"tpm": 7}, now=NOW, who="t")
    )
    await bench.pass_time(1)
    found = bench.known(1)
    assert found is not None
    assert found.account.limits == Limits(rpm=5, quota_tokens=9)
    assert found.key.limits == Limits(tpm=7)


async def test_who_asks_is_the_same_until_something_changes(bench: Bench) -> None:
    first = bench.known(1)
    await bench.pass_time(1)
    assert bench.known(1) is first is not None
    await bench.database.run(add_key(2))
    await bench.pass_time(1)
    second = bench.known(1)
    assert second == first
    assert second is not first


async def test_polling_goes_on_each_second(bench: Bench) -> None:
    for second in range(5):
        assert bench.database.reads == 1 + second
        await bench.pass_time(0.99)
        assert bench.database.reads == 1 + second
        await bench.pass_time(0.01)


async def test_a_rotated_key_dies_when_its_grace_ends(bench: Bench) -> None:
    await bench.database.run(
        lambda connection: rotate_key(
            connection,
            "key_1",
            new_key_id="key_2",
            secret=secret(2),
            pepper=PEPPER,
            grace=60,
            now=NOW,
            who="t",
        )
    )
    await bench.pass_time(1)
    assert (bench.id_of(1), bench.id_of(2)) == ("key_1", "key_2")
    bench.now = NOW + 60
    assert (bench.id_of(1), bench.id_of(2)) == (None, "key_2")


async def test_a_disabled_account_takes_its_keys_along(bench: Bench) -> None:
    for disabled, expected in [(True, None), (False, "key_1")]:
        await bench.database.run(
            lambda c, disabled=disabled: set_disabled(  # type: ignore[misc]  # mypy sees no default in a lambda
                c, "acme", disabled=disabled, now=NOW, who="t"
            )
        )
        await bench.pass_time(1)
        assert bench.id_of(1) == expected


async def test_only_what_changed_is_read_again(bench: Bench) -> None:
    first = bench.known(1)
    await bench.database.run(add_key(2))
    await bench.pass_time(1)
    second = bench.known(1)
    assert first is not None
    assert second is not None
    assert second.key is first.key
    assert second.account is first.account


async def test_a_restored_backup_is_read_whole(bench: Bench) -> None:
    await bench.database.run(add_key(2))
    await bench.pass_time(1)

    def restore(connection: Connection) -> None:
        connection.exec_driver_sql("DELETE FROM keys WHERE id = 'key_2'")
        connection.exec_driver_sql("UPDATE keys SET revoked_at = 1")
        connection.exec_driver_sql("UPDATE counters SET value = 1")

    await bench.database.run(restore)
    await bench.pass_time(1)
    assert (bench.id_of(1), bench.id_of(2)) == (None, None)


# -- a key that memory does not know -----------------------------------------------


async def test_a_new_key_works_at_once(bench: Bench) -> None:
    bench.clock.advance(0.5)
    await bench.database.run(add_key(2))
    found = await bench.ask(2)
    assert found is not None
    assert found.key.id == "key_2"
    assert bench.database.reads == 2


async def test_all_who_bring_it_at_the_same_time_get_in(bench: Bench) -> None:
    bench.clock.advance(0.5)
    await bench.database.run(add_key(2))
    asked = [bench.ask(2) for _ in range(500)]
    await bench.polled()
    await bench.pass_time(0.05)
    found = await gatherResults(asked)
    assert {identity.key.id for identity in found if identity} == {"key_2"}
    assert None not in found
    assert bench.database.reads == 3


async def test_strangers_cause_at_most_twenty_polls_in_a_second(bench: Bench) -> None:
    asked = []
    for step in range(500):
        asked += [bench.ask(1000 + 2 * step), bench.ask(1001 + 2 * step)]
        await bench.pass_time(0.002)
    assert 15 <= bench.database.reads - 1 <= 20
    await bench.pass_time(0.05)
    assert await gatherResults(asked) == [None] * 1000


async def test_a_new_key_gets_in_among_strangers(bench: Bench) -> None:
    strangers = [bench.ask(1000 + n) for n in range(100)]
    await bench.database.run(add_key(2))
    asked = bench.ask(2)
    await bench.pass_time(0.05)
    found = await asked
    assert found is not None
    assert await gatherResults(strangers) == [None] * 100


async def test_a_poll_under_way_does_not_answer_for_later_keys(bench: Bench) -> None:
    """It may have looked before the key was made."""
    bench.database.held = Deferred()
    bench.clock.advance(1)
    await bench.database.run(add_key(2))
    asked = bench.ask(2)
    held, bench.database.held = bench.database.held, None
    held.callback(None)
    await bench.polled()
    assert not asked.called
    await bench.pass_time(0.05)
    assert await asked is not None


async def test_a_dead_key_costs_no_poll(bench: Bench) -> None:
    await bench.database.run(revoke)
    await bench.pass_time(1)
    assert await bench.ask(1) is None
    assert bench.database.reads == 2


async def test_who_leaves_while_asking_disturbs_nobody(bench: Bench) -> None:
    await bench.database.run(add_key(2))
    leaving, staying = bench.ask(2), bench.ask(2)
    leaving.cancel()
    with pytest.raises(CancelledError):
        await leaving
    await bench.pass_time(0.05)
    assert await staying is not None


# -- trouble -----------------------------------------------------------------------


async def test_an_outage_is_told_once_and_memory_serves(bench: Bench) -> None:
    await bench.database.run(
        lambda c: c.exec_driver_sql("ALTER TABLE counters RENAME TO gone") and None
    )
    with capturedLogs() as events:
        for _ in range(5):
            await bench.pass_time(1)
        asked = bench.ask(2)
        await bench.pass_time(0.05)
        assert await asked is None
    assert bench.id_of(1) == "key_1"
    (event,) = events
    assert re.fullmatch(
        "Changes of keys do not arrive; those in memory work on. The database cannot "
        r'be used: (no such table: counters|relation "counters" does not exist)\.',
        event["log_format"].format(**event),
    )
    await bench.database.run(
        lambda c: c.exec_driver_sql("ALTER TABLE gone RENAME TO counters") and None
    )
    await bench.database.run(revoke)
    with capturedLogs() as events:
        await bench.pass_time(1)
        await bench.pass_time(1)
    assert bench.id_of(1) is None
    assert [e["log_format"] for e in events] == ["Changes of keys arrive again."]


async def test_a_bug_is_logged_and_polling_goes_on(
    bench: Bench, logged_failures: "object"
) -> None:
    bench.database.fault = ZeroDivisionError()
    await bench.pass_time(1)
    assert len(logged_failures.flush(ZeroDivisionError)) == 1  # type: ignore[attr-defined]  # the root conftest's
    bench.database.fault = None
    await bench.database.run(revoke)
    await bench.pass_time(1)
    assert bench.id_of(1) is None


async def test_without_a_database_it_does_not_start(database: Database) -> None:
    bench = Bench(database)
    bench.database.fault = StoreUnusable("The database cannot be used: locked.")
    with pytest.raises(StoreUnusable):
        await bench.keyring.start()
    assert bench.clock.getDelayedCalls() == []


async def test_a_start_that_is_cancelled_leaves_nothing(database: Database) -> None:
    bench = Bench(database)
    bench.database.held = Deferred()
    starting = Deferred.fromCoroutine(bench.keyring.start())
    starting.cancel()
    with pytest.raises(CancelledError):
        await starting
    assert bench.clock.getDelayedCalls() == []
    assert await bench.ask(1) is None


async def test_stopping_answers_who_waits_and_ends_the_poll(bench: Bench) -> None:
    bench.database.held = Deferred()
    bench.clock.advance(0.5)
    polled, queued = bench.ask(2), bench.ask(3)
    bench.keyring.stop()
    assert await gatherResults([polled, queued]) == [None, None]
    assert bench.clock.getDelayedCalls() == []
    bench.clock.advance(10)
    assert bench.database.reads == 2
    assert await bench.ask(2) is None
    assert bench.id_of(1) == "key_1"
    bench.keyring.stop()
