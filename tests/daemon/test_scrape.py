"""The figures of the whole server, from the parent or from the process itself."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock

import pytest
from prometheus_client.parser import text_string_to_metric_families as families
from support.until import until

from lightweight.daemon import scrape
from lightweight.daemon.control import Control
from lightweight.daemon.messages import CONTROL
from lightweight.daemon.pulse import Gauges
from lightweight.daemon.scrape import Alone, Scrape, ask_parent, ask_sums
from lightweight.errors import Overloaded
from lightweight.observe.counts import Counts, Series
from lightweight.observe.metrics import (
    GENERATION,
    JOURNAL_LAG,
    LIMIT_DECISIONS,
    SENT,
    STREAMS,
    WORKERS,
)
from lightweight.observe.tally import Tally

TOLD = Series(SENT.name, (), (7.0,))
MANY = [Series(SENT.name, (f"label-{n}",), (1.0,)) for n in range(20_000)]


async def answered(
    directory: Path, answer: Callable[[], Awaitable[Mapping[str, object]]]
) -> list[Series]:
    from twisted.internet import reactor

    # Longer than a socket's address may be.
    deep = directory / ("d" * 120)
    deep.mkdir()
    control = Control(reactor, deep / CONTROL, {"metrics": answer})
    try:
        told = list(await ask_parent(reactor, deep / CONTROL))
        # Who has the answer hangs up.
        await until(lambda: not control._open_ones)
        return told
    finally:
        await control.close()


@pytest.mark.parametrize("series", [[TOLD], MANY])
async def test_the_parent_tells_all_it_has(
    series: list[Series], tmp_path: Path
) -> None:
    async def answer() -> Mapping[str, object]:
        return {"series": series}

    assert await answered(tmp_path, answer) == series


async def test_a_parent_that_fails_or_speaks_strangely_is_away(tmp_path: Path) -> None:
    async def strange() -> Mapping[str, object]:
        return {"series": "none"}

    with pytest.raises(Overloaded):
        await answered(tmp_path, strange)


async def test_the_parent_tells_the_sums_of_its_workers(tmp_path: Path) -> None:
    from twisted.internet import reactor

    said: dict[str, object] = {"in_all": {"calls": 2.0}, "generations": []}

    async def answer() -> Mapping[str, object]:
        return said

    control = Control(reactor, tmp_path / CONTROL, {"top": answer})
    try:
        assert await ask_sums(reactor, tmp_path / CONTROL) == {"calls": 2.0}
        del said["in_all"]
        with pytest.raises(Overloaded):
            await ask_sums(reactor, tmp_path / CONTROL)
    finally:
        await control.close()
    with pytest.raises(Overloaded):
        await ask_sums(reactor, tmp_path / CONTROL)


async def test_nobody_at_the_socket(tmp_path: Path) -> None:
    from twisted.internet import reactor

    for path in (tmp_path / CONTROL, tmp_path / "gone" / CONTROL):
        with pytest.raises(Overloaded):
            await ask_parent(reactor, path)


async def test_a_parent_that_hangs_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scrape, "SECONDS", 0.05)
    never: Deferred[Mapping[str, object]] = Deferred()

    async def hang() -> Mapping[str, object]:
        return await never

    with pytest.raises(Overloaded):
        await answered(tmp_path, hang)
    never.callback({})


async def test_who_asked_may_leave(tmp_path: Path) -> None:
    from twisted.internet import reactor

    reached: Deferred[None] = Deferred()
    never: Deferred[Mapping[str, object]] = Deferred()

    async def hang() -> Mapping[str, object]:
        reached.callback(None)
        return await never

    control = Control(reactor, tmp_path / CONTROL, {"metrics": hang})
    asking = Deferred.fromCoroutine(ask_parent(reactor, tmp_path / CONTROL))
    await reached
    asking.cancel()
    with pytest.raises(CancelledError):
        await asking
    never.callback({})
    await control.close()


async def test_it_is_written_in_a_thread() -> None:
    from twisted.internet import reactor

    async def source() -> list[Series]:
        return [TOLD]

    content_type, body = await Scrape(reactor, source)("text/plain")

    found = {each.name: each.samples for each in families(body.decode())}
    assert content_type.startswith("text/plain")
    assert found["lightweight_http_sent_bytes"][0].value == 7


async def test_one_process_has_its_own_figures() -> None:
    counts = Counts()
    counts.add(SENT, (), 5)
    admitted = iter([2, 3])
    gauges = Gauges(
        process="worker",
        connections=lambda: 4,
        calls=lambda: 3,
        streams=lambda: 2,
        lag=float,
        cpu=float,
        memory=int,
        tally=Tally(lambda _: None),
        standings=dict,
        counts=counts,
        readings=lambda: [(LIMIT_DECISIONS, ("admitted",), next(admitted))],
        limits_away=bool,
        journal_lag=lambda: 0.25,
    )
    alone = Alone(Clock(), gauges)
    for total in (2, 3):
        told = {
            (each.metric, each.labels): each.values[0] for each in await alone.series()
        }
        assert told[LIMIT_DECISIONS.name, ("admitted",)] == total
        assert told[SENT.name, ()] == 5
        assert told[STREAMS.name, ()] == 2
        assert told[WORKERS.name, ("serving",)] == 1
        assert told[JOURNAL_LAG.name, ()] == 0.25
        assert (GENERATION.name, ()) not in told
