"""What a worker tells of itself each second."""

from collections.abc import Callable, Sequence

from twisted.internet.task import Clock

from lightweight.daemon.messages import Vitals
from lightweight.daemon.pulse import (
    MOST_PROVIDERS,
    TOLD_AT_ONCE,
    Gauges,
    Pulse,
    Reading,
)
from lightweight.observe import metrics
from lightweight.observe.counts import Counts, Series
from lightweight.observe.tally import Tally
from lightweight.policy.route import Standing


class World:
    def __init__(self) -> None:
        self.clock = Clock()
        self.told: list[Vitals] = []
        self.heard = Counts()
        self.tally = Tally(lambda _: None)
        self.cpu = 7.0
        self.standings = {"acme": Standing()}
        self.counts = Counts()
        self.readings: list[Reading] = []
        gauges = Gauges(
            process="worker",
            connections=lambda: 4,
            calls=lambda: 3,
            streams=lambda: 2,
            lag=lambda: 0.01239,
            cpu=lambda: self.cpu,
            memory=lambda: 1000,
            tally=self.tally,
            standings=lambda: self.standings,
            counts=self.counts,
            readings=lambda: self.readings,
            limits_away=lambda: True,
            journal_lag=lambda: 0.5,
        )
        self.pulse = Pulse(self.clock, gauges, self.hear)
        self.clock.advance(100)
        self.pulse.start()

    def hear(self, vitals: Vitals, counted: Callable[[], Sequence[Series]]) -> None:
        self.told.append(vitals)
        self.heard.merge(counted())


def test_what_is_and_what_was_since_the_last_time() -> None:
    world = World()
    world.clock.advance(1)
    world.tally.calls, world.tally.errors, world.cpu = 10, 5, 8.0
    world.clock.advance(2)

    quiet, busy = world.told

    assert (quiet.uptime, quiet.cpu, quiet.calls_per_s) == (1, 0, 0)
    assert (busy.uptime, busy.cpu) == (3, 50)
    assert (busy.calls_per_s, busy.errors_per_s) == (5, 2.5)
    assert (busy.connections, busy.calls, busy.streams) == (4, 3, 2)
    assert (busy.lag, busy.memory) == (0.0124, 1000)
    assert (busy.limits_away, busy.journal_lag) == (True, 0.5)
    assert busy.providers["acme"].state == "closed"


def test_the_troubled_come_first_where_there_are_too_many() -> None:
    world = World()
    names = [f"p{number}" for number in range(2 * MOST_PROVIDERS)]
    world.standings = {name: Standing() for name in names}
    breaker = world.standings[names[-1]].breaker
    for _ in range(5):
        breaker.failed(breaker.enter(100), 100)
    world.standings[names[-2]].resting.rest("m", 60, 100)
    world.clock.advance(1)

    (told,) = world.told

    assert len(told.providers) == MOST_PROVIDERS
    assert list(told.providers)[:2] == [names[-1], names[-2]]


def test_what_was_counted_here_and_elsewhere_is_told_once() -> None:
    world = World()
    world.counts.add(metrics.SENT, (), 5)
    world.readings = [(metrics.LIMIT_DECISIONS, ("admitted",), 3)]
    world.clock.advance(1)
    world.readings = [(metrics.LIMIT_DECISIONS, ("admitted",), 4)]
    world.clock.advance(1)

    heard = {(each.metric, each.labels): each.values for each in world.heard.series()}

    assert heard[metrics.SENT.name, ()] == (5,)
    assert heard[metrics.LIMIT_DECISIONS.name, ("admitted",)] == (4,)
    assert heard[metrics.CPU_SECONDS.name, ("worker",)] == (7,)
    *lags, seconds = heard[metrics.LOOP_LAG.name, ()]
    assert (sum(lags), round(seconds, 4)) == (2, 0.0248)
    assert world.counts.series() == []


def test_many_series_are_told_in_turns_and_the_last_word_tells_all() -> None:
    world = World()
    for model in range(3 * TOLD_AT_ONCE):
        world.counts.add(metrics.CALLS, (str(model), "acme", "openai_chat", "finished"))
    world.clock.advance(1)
    assert len(world.heard.series()) == TOLD_AT_ONCE
    # What waits adds up, and those that waited longest come next.
    world.counts.add(metrics.CALLS, ("0", "acme", "openai_chat", "finished"))
    world.clock.advance(1)
    assert len(world.heard.series()) == 2 * TOLD_AT_ONCE

    world.pulse.tell()

    calls = [each for each in world.heard.series() if each.metric == metrics.CALLS.name]
    assert len(calls) == 3 * TOLD_AT_ONCE
    assert sum(each.values[0] for each in calls) == 3 * TOLD_AT_ONCE + 1
    assert world.counts.series() == []
