"""A worker as its parent sees it, with real children that are not Lightweight."""

import sys

from twisted.internet.defer import Deferred

import pytest

from lightweight.daemon.messages import (
    ORDERS,
    REPORTS,
    Report,
    encode,
    encode_counted,
)
from lightweight.daemon.worker import NotReady, Worker
from lightweight.observe.counts import Counts, Series
from lightweight.observe.metrics import SENT, WORKER_DEATHS

READY = encode(Report(pid=1, outcome="ready", providers=1, models=2)).decode()


class Spawned:
    """A worker that runs a line of Python."""

    def __init__(self, code: str) -> None:
        from twisted.internet import reactor

        self.gone: Deferred[Worker] = Deferred()
        self.counts = Counts()
        self.worker = Worker(self.gone.callback, self.counts.merge)
        reactor.spawnProcess(
            self.worker,
            sys.executable,
            [sys.executable, "-c", f"import os, sys\n{code}"],
            {},
            childFDs={0: 0, 1: 1, 2: "r", ORDERS: "w", REPORTS: "r"},
        )


async def test_a_ready_worker_gets_its_orders() -> None:
    spawned = Spawned(
        f"os.write({REPORTS}, {READY.encode()!r})\n"
        f"sys.exit(b'drain' not in os.read({ORDERS}, 99))"
    )

    report = await spawned.worker.ready
    assert report.models == 2
    spawned.worker.order("drain")
    await spawned.gone

    assert spawned.worker.pid is None
    spawned.worker.order("now")
    spawned.worker.kill()


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import no_such_package", r"No module named 'no_such_package' \(exit status"),
        ("os._exit(3)", r"It said nothing \(exit status 3\)"),
        ("os.kill(os.getpid(), 9)", "killed by SIGKILL"),
        (f"os.write({REPORTS}, b'what?' + bytes([10]))", "Not a message"),
        (
            f"os.write({REPORTS}, b'{{\"version\":99}}' + bytes([10]))",
            "restart the service",
        ),
        (
            f"os.write({REPORTS}, "
            + repr(encode(Report(pid=1, outcome="failed", text="No room.")))
            + ")",
            "^No room.$",
        ),
    ],
)
async def test_why_it_is_not_ready_is_told(code: str, told: str) -> None:
    spawned = Spawned(code)

    with pytest.raises(NotReady, match=told):
        await spawned.worker.ready
    await spawned.gone


async def test_what_it_counted_outlives_it_and_its_death_counts() -> None:
    line = encode_counted([Series(SENT.name, (), (5.0,))]).decode()
    spawned = Spawned(
        f"os.write({REPORTS}, {(READY + line + line).encode()!r})\n"
        "os.kill(os.getpid(), 9)"
    )
    await spawned.worker.ready
    await spawned.gone

    told = {each.metric: each.values for each in spawned.counts.series()}
    assert told == {SENT.name: (10.0,), WORKER_DEATHS.name: (1.0,)}


async def test_an_orderly_end_is_no_death() -> None:
    spawned = Spawned(f"os.write({REPORTS}, {READY.encode()!r})")
    await spawned.worker.ready
    await spawned.gone
    assert spawned.counts.series() == []
