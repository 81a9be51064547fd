"""How a worker fares, measured and told once a second."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from twisted.internet.interfaces import IReactorTime

from lightweight.daemon.messages import Vitals
from lightweight.observe.tally import Tally
from lightweight.policy.route import Health, Standing

BEAT_SECONDS = 1.0

MOST_PROVIDERS = 100
"""How many are told, the troubled ones first: a message has a limit."""


@dataclass(frozen=True, kw_only=True)
class Gauges:
    """Where the figures come from."""

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


class Pulse:
    """Tells a worker's vitals each second, from ``start`` to the process's end."""

    def __init__(
        self, clock: IReactorTime, gauges: Gauges, tell: Callable[[Vitals], None]
    ) -> None:
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
        self._tell(self._vitals())

    def _counted(self) -> tuple[float, float, int, int]:
        gauges = self._gauges
        tally = gauges.tally
        return self._clock.seconds(), gauges.cpu(), tally.calls, tally.errors

    def _vitals(self) -> Vitals:
        gauges, last = self._gauges, self._last
        now, cpu, calls, errors = self._last = self._counted()
        seconds = now - last[0]
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
        )

    def _providers(self, now: float) -> Mapping[str, Health]:
        found = [(name, s.health(now)) for name, s in self._gauges.standings().items()]
        found.sort(key=lambda pair: (pair[1].state == "closed", not pair[1].resting))
        return dict(found[:MOST_PROVIDERS])
