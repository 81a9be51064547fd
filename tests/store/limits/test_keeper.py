"""The keeper's end: who is served when, and what a worker's end leaves."""

import os
import struct
import sys
from collections.abc import AsyncIterator, Sequence

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import capturedLogs
from twisted.python.failure import Failure

import pytest
import pytest_twisted
from support.limits_contract import KEY, NOW, ask, left, settlement
from support.limits_link import LinkedHome
from support.sink import turns

from lightweight.policy.pace import ACCOUNT, Recent, Used
from lightweight.policy.period import month_of
from lightweight.records import Limits
from lightweight.store.limits.keeper import ORPHANED_S
from lightweight.store.limits.limiter import LimitsUnavailable
from lightweight.store.limits.wire import VERSION, Admit, Hello, encode

ONE = Limits(concurrency=1, quota_tokens=100)
USED = Used(
    account="acct_1", subject=ACCOUNT, month=month_of(NOW), tokens=95, micro_usd=0
)
RECENT = Recent(account="acct_1", subject=KEY, requests={NOW // 1000: 9})


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # theirs
async def home() -> AsyncIterator[LinkedHome]:
    linked = LinkedHome()
    yield linked
    await linked.close()


async def reserved(home: LinkedHome) -> tuple[int, int]:
    return left((await home.limits.look(ask("x", account=ONE))).quota_tokens)


async def test_nobody_is_answered_before_the_ledger_has_spoken(
    home: LinkedHome,
) -> None:
    limits = Limits(rpm=10, quota_tokens=100)
    waiting = [
        Deferred.fromCoroutine(home.limits.admit(ask(f"r{n}", key=limits, tokens=1)))
        for n in range(3)
    ]
    looking = Deferred.fromCoroutine(home.limits.look(ask("x", account=limits)))
    await turns(home.reactor, 5)
    assert not any(each.called for each in waiting)
    ledger = home.link("bookkeeper")
    ledger.raise_used([USED])
    ledger.seed([RECENT])
    ledger.replayed()
    verdicts = [await each for each in waiting]
    assert [verdict.refused is None for verdict in verdicts] == [True, False, False]
    assert (await looking).quota_tokens is not None
    assert left((await looking).quota_tokens) == (95, 1)


async def test_who_is_cancelled_while_waiting_takes_nothing(home: LinkedHome) -> None:
    for asking in (home.limits.admit, home.limits.look):
        waiting = Deferred.fromCoroutine(asking(ask("r1", account=ONE)))
        await turns(home.reactor, 5)
        waiting.cancel()
        with pytest.raises(CancelledError):
            await waiting
    await turns(home.reactor, 5)
    assert not any(link._held for link in home.keeper._links)
    home.keeper.open()
    assert await reserved(home) == (0, 0)


async def test_a_dead_workers_leases_end_at_once_and_its_reservations_later(
    home: LinkedHome,
) -> None:
    home.keeper.open()
    dying = home.link("worker_2")
    for number in range(3):
        await dying.admit(ask(f"r{number}", account=Limits()))
    dying.settle(settlement(ask("r0"), 7))
    assert (await home.limits.look(ask("x", account=ONE))).refused
    await home.crash(dying)
    assert (await home.limits.look(ask("x", account=ONE))).refused is None
    assert await reserved(home) == (7, 20)
    # The ledger bills what was dispatched, and says when it is through.
    ledger = home.link("bookkeeper")
    ledger.settled([settlement(ask("r1"), 11)])
    await ledger.look(ask("x"))
    assert await reserved(home) == (18, 10)
    ledger.writer_done("worker_2")
    await ledger.look(ask("x"))
    assert await reserved(home) == (18, 0)
    assert not home.timers.getDelayedCalls()


CHILD = """
import os, sys, time
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from support.limits_contract import ask
from lightweight.records import Limits
from lightweight.store.limits.remote import RemoteLimits, join

async def work():
    limits = join(reactor, 5, RemoteLimits("worker_2", reactor))
    await limits.admit(ask("r1", account=Limits(concurrency=1)))
    os.write(1, b"taken")
    time.sleep(60)

reactor.callWhenRunning(lambda: Deferred.fromCoroutine(work()))
reactor.run()
"""


class Child(ProcessProtocol):
    def __init__(self) -> None:
        self.taken: Deferred[bytes] = Deferred()
        self.errors = b""
        self.over: Deferred[None] = Deferred()

    def outReceived(self, data: bytes) -> None:
        self.taken.callback(data)

    def errReceived(self, data: bytes) -> None:
        self.errors += data

    def processEnded(self, reason: Failure) -> None:
        if not self.taken.called:
            self.taken.callback(self.errors)
        self.over.callback(None)


async def test_a_child_that_is_killed_leaves_no_lease(home: LinkedHome) -> None:
    home.keeper.open()
    child = Child()
    with home.keeper.connect(home.reactor) as other_end:
        home.reactor.spawnProcess(
            child,
            sys.executable,
            [sys.executable, "-c", CHILD],
            env={"PYTHONPATH": os.pathsep.join(sys.path)},
            childFDs={0: 0, 1: "r", 2: "r", 5: other_end.fileno()},
        )
    try:
        assert await child.taken == b"taken"
        assert (await home.limits.look(ask("x", account=ONE))).refused
    finally:
        child.transport.signalProcess("KILL")  # type: ignore[union-attr]  # it runs
        await child.over
    await home.until(lambda: len(home.keeper._links) == 1)
    assert (await home.limits.look(ask("x", account=ONE))).refused is None
    assert await reserved(home) == (0, 10)


async def test_without_the_ledgers_word_they_are_released_after_a_time(
    home: LinkedHome,
) -> None:
    home.keeper.open()
    dying = home.link("worker_2")
    await dying.admit(ask("r1"))
    await home.crash(dying)
    home.timers.advance(ORPHANED_S - 1)
    assert await reserved(home) == (0, 10)
    with capturedLogs() as logged:
        home.timers.advance(1)
    assert [event["name"] for event in logged] == ["worker_2"]
    assert await reserved(home) == (0, 0)


async def test_the_ledger_may_know_of_the_end_first(home: LinkedHome) -> None:
    home.keeper.open()
    dying = home.link("worker_2")
    await dying.admit(ask("r1"))
    home.keeper.writer_done("worker_2")
    assert await reserved(home) == (0, 10)
    await home.crash(dying)
    assert await reserved(home) == (0, 0)
    assert not home.timers.getDelayedCalls()


async def test_in_this_process_the_ledger_speaks_without_a_link(
    home: LinkedHome,
) -> None:
    home.keeper.seed([RECENT])
    home.keeper.raise_used([USED])
    home.keeper.open()
    assert (await home.limits.look(ask("x", key=Limits(rpm=9)))).refused
    await home.limits.admit(ask("r1", tokens=2))
    assert await reserved(home) == (95, 2)
    home.keeper.settled([settlement(ask("r1"), 3)])
    assert await reserved(home) == (98, 0)


async def test_memory_is_bounded(home: LinkedHome) -> None:
    home.keeper.open()
    for number in range(100):
        one = ask("r", of=f"acct_{number}")
        await home.limits.admit(one)
        home.limits.settle(settlement(one, refund=True))
    assert home.book.size < 10
    assert not any(len(link._open) > 1 for link in home.keeper._links)


@pytest.mark.parametrize(
    ("frames", "said"),
    [
        ([encode(Hello(VERSION + 1, "other"))], "restart the service"),
        ([b"\xc1"], "nonsense"),
        ([encode(Hello(VERSION, "other")), encode([[99, 1]])], "nonsense"),
        ([encode(Hello(VERSION, "other")), encode({"admit": 1})], "nonsense"),
        (
            [encode(Hello(VERSION, "other")), encode([Admit(1, 7, "r1", 1, 1)])],
            "nonsense",
        ),
    ],
)
async def test_who_speaks_otherwise_is_sent_away(
    home: LinkedHome, frames: Sequence[bytes], said: str
) -> None:
    home.keeper.open()
    odd = home.keeper.connect(home.reactor)
    with capturedLogs() as logged, odd:
        for frame in frames:
            odd.sendall(struct.pack("!I", len(frame)) + frame)
        await home.until(lambda: len(home.keeper._links) == 1)
    assert [said in event["log_format"] for event in logged] == [True]
    assert (await home.limits.admit(ask("r1"))).refused is None


async def test_closed_it_answers_nobody_and_waits_for_nothing(
    home: LinkedHome,
) -> None:
    home.keeper.open()
    dying = home.link("worker_2")
    await dying.admit(ask("r1"))
    await home.crash(dying)
    await home.limits.admit(ask("r2"))
    asking = Deferred.fromCoroutine(home.limits.admit(ask("r3")))
    home.keeper.close()
    assert not home.timers.getDelayedCalls()
    with pytest.raises(LimitsUnavailable):
        await asking
    await turns(home.reactor, 5)
    assert not home.timers.getDelayedCalls()
