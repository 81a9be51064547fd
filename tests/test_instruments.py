"""Where the figures of a process come from."""

from collections import Counter
from typing import Any

from twisted.internet.task import Clock

from support.outcome import outcome
from support.visit import visit

from lightweight.config.schema import Timeouts
from lightweight.daemon.messages import Tested
from lightweight.instruments import Instruments
from lightweight.observe.access import Visit
from lightweight.observe.metrics import CALLS
from lightweight.upstream.http import HttpProvider


class StandIn:
    """Whatever the instruments read, as it is set."""

    def __init__(self, **given: Any) -> None:
        self.__dict__.update(given)


def instruments() -> Any:
    from twisted.internet import reactor

    provider = HttpProvider(
        reactor,
        name="acme",
        base_url="http://127.0.0.1:1",
        credential={},
        timeouts=Timeouts(),
        instance="x",
        wall=lambda: 0.0,
    )
    current = StandIn(
        providers={"acme": provider, "demo": StandIn()},
        offering=StandIn(models={"m": None}),
        standings={},
    )
    swap: Any = StandIn(current=current)
    return Instruments(swap)


def test_before_there_is_metering_there_is_little_to_read() -> None:
    made = instruments()
    gauges = made.gauges(
        StandIn(connections=[1], streams=2),
        StandIn(count=3),
        StandIn(worst_lag=float),
        StandIn(told=Tested(state="passed")),
    )
    assert gauges.self_test().state == "passed"
    assert (gauges.connections(), gauges.calls(), gauges.streams()) == (1, 3, 2)
    assert {labels for _, labels, _ in gauges.readings()} == {
        ("acme", "opened"),
        ("acme", "reused"),
    }
    assert (gauges.limits_away(), gauges.journal_lag()) == (False, None)


def test_limits_and_books_are_read_where_they_are() -> None:
    made = instruments()
    gauges = made.gauges(StandIn(), StandIn(), StandIn(worst_lag=float), StandIn())
    made.meter(
        StandIn(
            local_decisions=lambda: 4,
            why_degraded=lambda: "Away.",
            books=StandIn(lag=1.5),
        ),
        StandIn(decisions=Counter(admitted=9)),
    )
    read = {
        (metric.name, *labels): total for metric, labels, total in gauges.readings()
    }
    assert read["lightweight_limit_decisions_total", "admitted"] == 9
    assert read["lightweight_limit_local_decisions_total",] == 4
    assert (gauges.limits_away(), gauges.journal_lag()) == (True, 1.5)


def test_visits_are_tallied_counted_and_recorded() -> None:
    made = instruments()
    seen: list[Visit] = []
    ends: list[str] = []
    record = made.measured(seen.append, Clock(), lambda: ends.append("flushed"))
    gauges = made.gauges(StandIn(), StandIn(), StandIn(worst_lag=float), StandIn())
    seen_one = visit(outcome=outcome("finished", model="m"))
    record.keep(seen_one)
    assert seen == []
    gauges.gathered()

    assert (seen, ends) == ([seen_one], ["flushed"])
    assert gauges.tally.calls == 1
    (told,) = [s for s in gauges.counts.series() if s.metric == CALLS.name]
    assert told.labels[0] == "m"
