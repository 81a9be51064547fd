"""The worker's pipes: its report gets out, orders get in, an end is noticed."""

import os
from collections.abc import AsyncIterator

from twisted.internet.defer import Deferred, DeferredQueue

import pytest
import pytest_twisted
from support.vitals import vitals

from lightweight.daemon.link import Link
from lightweight.daemon.messages import (
    LONGEST,
    Counted,
    Order,
    Report,
    Vitals,
    decode,
    decode_report,
    encode,
)
from lightweight.observe import metrics
from lightweight.observe.counts import Counts


class Ends:
    """A Link and the parent's ends of its pipes."""

    def __init__(self) -> None:
        orders, self.orders = os.pipe()
        self.reports, reports = os.pipe()
        self.link = Link(orders, reports)
        self.happened: DeferredQueue[str] = DeferredQueue()
        self.link.orders_go_to(
            leave=self.happened.put,
            reopen_log=lambda: self.happened.put("reopened"),
            orphaned=lambda: self.happened.put("orphaned"),
            was_ready=lambda: self.happened.put("ready"),
            last_word=lambda: self.happened.put("last word"),
            dump=lambda: self.happened.put("dumped"),
        )

    def order(self, line: bytes) -> None:
        os.write(self.orders, line)

    def reported(self) -> Report:
        return decode(os.read(self.reports, 65536), Report)


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # has no types
async def ends() -> AsyncIterator[Ends]:
    from twisted.internet import reactor

    made = Ends()
    made.link.listen(reactor)
    yield made
    os.close(made.orders)
    assert await made.happened.get() == "orphaned"
    os.close(made.reports)


async def test_it_serves_when_all_are_ready(ends: Ends) -> None:
    serving = Deferred.fromCoroutine(ends.link.ready(2, 41, "m"))

    report = ends.reported()
    assert (report.outcome, report.providers, report.models) == ("ready", 2, 41)
    assert report.pid == os.getpid()
    assert await ends.happened.get() == "ready"
    assert not serving.called
    ends.order(encode(Order(do="serve")) * 2)
    await serving


async def test_orders_are_passed_on_in_turn(ends: Ends) -> None:
    for do in ("drain", "reopen", "dump", "stop", "now"):
        ends.order(encode(Order(do=do)))

    happened = [await ends.happened.get() for _ in range(5)]

    assert happened == ["drain", "reopened", "dumped", "stop", "now"]


async def test_an_order_of_another_version_is_not_done(ends: Ends) -> None:
    ends.order(b'{"version":99,"do":"now"}\n' + encode(Order(do="reopen")))

    assert await ends.happened.get() == "reopened"


async def test_why_it_cannot_serve_is_told_in_one_line(ends: Ends) -> None:
    ends.link.failed("first\nsecond" + "x" * 100_000)

    report = ends.reported()

    assert report.outcome == "failed"
    assert report.text.startswith("first\nsecondxxx")


async def test_a_parent_that_does_not_read_holds_nobody_up(ends: Ends) -> None:
    for uptime in range(2000):
        ends.link.beat(vitals(uptime=uptime), list)
    read = os.read(ends.reports, 1 << 20)
    ends.link.beat(vitals(uptime=5000), list)
    ends.link.beat(vitals(uptime=6000), list)
    read += os.read(ends.reports, 1 << 20)

    told = [decode_report(line) for line in read.splitlines()]

    assert [each.uptime for each in told[:2] if isinstance(each, Vitals)] == [0, 1]
    assert len(told) < 2000
    assert isinstance(told[-1], Vitals)
    assert told[-1].uptime == 6000


async def test_what_was_counted_arrives_however_slowly_the_parent_reads(
    ends: Ends,
) -> None:
    counts = Counts()
    for number in range(3000):
        counts.add(metrics.ATTEMPTS, (f"provider-{number}", "answered"), number + 1)
    rest = b""
    heard = Counts()
    for _ in range(20):
        counts.add(metrics.SENT, (), 1)
        ends.link.beat(vitals(), counts.take)
        *lines, rest = (rest + os.read(ends.reports, 40_000)).split(b"\n")
        for line in lines:
            assert len(line) < LONGEST
            told = decode_report(line)
            if isinstance(told, Counted):
                heard.merge(told.series)

    kept = {each.labels: each.values[0] for each in heard.series()}
    assert len(kept) == 3001
    assert kept["provider-2999", "answered"] == 3000
    assert kept[()] == 20


async def test_what_takes_the_place_of_the_pipe_gets_no_report() -> None:
    from twisted.internet import reactor

    orders, ours = os.pipe()
    reads, reports = os.pipe()
    link, gone = Link(orders, reports), Deferred[None]()
    link.orders_go_to(
        leave=lambda _: None,
        reopen_log=lambda: None,
        orphaned=lambda: gone.callback(None),
        was_ready=lambda: None,
        last_word=lambda: None,
        dump=lambda: None,
    )
    link.listen(reactor)
    os.close(ours)
    await gone
    client, connection = os.pipe()
    os.dup2(connection, reports)
    os.set_blocking(client, False)

    link.beat(vitals(), list)
    link.failed("too late")

    with pytest.raises(BlockingIOError):
        os.read(client, 1)
    for descriptor in {reads, client, connection, reports}:
        os.close(descriptor)


def test_a_report_to_nobody_is_no_problem() -> None:
    read, write = os.pipe()
    os.close(read)
    Link(0, write).failed("nobody hears this")
    Link(0, write).beat(vitals(), list)
    os.close(write)
