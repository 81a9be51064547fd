"""How a process fares, measured and told once a second, with what it counted."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from twisted.internet.interfaces import IReactorTime

from lightweight.daemon.messages import Tested, Vitals
from lightweight.observe import metrics
from lightweight.observe.counts import Counts, Series
from lightweight.observe.metrics import Metric
from lightweight.observe.tally import Tally
from lightweight.policy.route import Health, Standing

BEAT_SECONDS = 1.0

TOLD_AT_ONCE = 500
"""How many series a beat tells at most: more would not fit into the pipe at once.

They also keep both processes busy: 10,000 of them a second, as thousands of models in
use have, would hold up every call for some 10 ms. The others go on adding up meanwhile.
"""

MOST_PROVIDERS = 100
"""How many are told, the troubled ones first: a message has a limit."""

Reading: TypeAlias = tuple[Metric, tuple[str, ...], float]
"""A counter with its labels, and how far it has come where it is kept."""

Tell: TypeAlias = Callable[[Vitals, Callable[[], Sequence[Series]]], None]
"""Takes vitals, and a way to take what was counted since it was last taken."""


def nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True, kw_only=True)
class Gauges:
    """Where the figures come from."""

    process: str
    """What this process is: worker or books."""
    gathered: Callable[[], None] = nothing
    """Called before the others are: has counted what happened until now."""
    connections: Callable[[], int]
    calls: Callable[[], int]
    streams: Callable[[], int]
    lag: Callable[[], float]
    """Seconds, the most since it was last read."""
    cpu: Callable[[], float]
    """Seconds of a core that the process has used."""
    memory: Callable[[], int]
    tally: Tally
    standings: Callable[[], Mapping[str, Standing]]
    counts: Counts
    """What it counted and did not tell."""
    readings: Callable[[], Iterable[Reading]]
    """What is counted elsewhere, each time in all."""
    limits_away: Callable[[], bool]
    journal_lag: Callable[[], float | None]
    self_test: Callable[[], Tested] = Tested


class Pulse:
    """Tells a process's vitals each second, from ``start`` to the process's end."""

    def __init__(self, clock: IReactorTime, gauges: Gauges, tell: Tell) -> None:
        self._clock = clock
        self._gauges = gauges
        self._tell = tell
        self._began = self._last = (0.0, 0.0, 0, 0)

    def start(self) -> None:
        """Begin to tell."""
        self._began = self._last = self._counted()
        self._clock.callLater(BEAT_SECONDS, self._beat)

    def _beat(self) -> None:
        self._clock.callLater(BEAT_SECONDS, self._beat)
        self._say(partial(self._gauges.counts.take, TOLD_AT_ONCE))

    def tell(self) -> None:
        """Tell now, and all that was counted."""
        self._say(self._gauges.counts.take)

    def _say(self, counted: Callable[[], Sequence[Series]]) -> None:
        vitals = self._vitals()
        gauges = self._gauges
        if gauges.process == "worker":
            gauges.counts.observe(metrics.LOOP_LAG, (), vitals.lag)
        gauges.counts.read(metrics.CPU_SECONDS, (gauges.process,), gauges.cpu())
        for reading in gauges.readings():
            gauges.counts.read(*reading)
        self._tell(vitals, counted)

    def _counted(self) -> tuple[float, float, int, int]:
        gauges = self._gauges
        gauges.gathered()
        tally = gauges.tally
        return self._clock.seconds(), gauges.cpu(), tally.calls, tally.errors

    def _vitals(self) -> Vitals:
        gauges, last = self._gauges, self._last
        now, cpu, calls, errors = self._last = self._counted()
        # At the very end it may be told twice in a moment.
        seconds = max(now - last[0], 0.001)
        return Vitals(
            uptime=round(now - self._began[0], 1),
            cpu=round(100 * (cpu - last[1]) / seconds, 1),
            memory=gauges.memory(),
            connections=gauges.connections(),
            calls=gauges.calls(),
            streams=gauges.streams(),
            calls_per_s=round((calls - last[2]) / seconds, 1),
            errors_per_s=round((errors - last[3]) / seconds, 1),
            lag=round(gauges.lag(), 4),
            providers=self._providers(now),
            limits_away=gauges.limits_away(),
            journal_lag=gauges.journal_lag(),
            self_test=gauges.self_test(),
        )

    def _providers(self, now: float) -> Mapping[str, Health]:
        found = [(name, s.health(now)) for name, s in self._gauges.standings().items()]
        found.sort(key=lambda pair: (pair[1].state == "closed", not pair[1].resting))
        return dict(found[:MOST_PROVIDERS])
