"""What a process is measured with: who counts, and where each figure comes from.

A part of the composition root: it knows which room knows what.
"""

from collections.abc import Callable, Iterator

from lightweight.daemon.metering import Metering
from lightweight.daemon.pulse import Gauges, Reading, nothing
from lightweight.daemon.self_test import SelfTest
from lightweight.daemon.swap import Swap
from lightweight.observe import metrics
from lightweight.observe.access import Visit
from lightweight.observe.counts import Counts
from lightweight.observe.measured import Measured
from lightweight.observe.memory import cpu_seconds, resident
from lightweight.observe.tally import Tally
from lightweight.observe.together import Together
from lightweight.observe.writer import Later
from lightweight.upstream.http import HttpProvider
from lightweight.web.live import Live
from lightweight.web.overload import Overload
from lightweight.web.rates import Rates
from lightweight.web.site import GatewaySite


class Instruments:
    """Those of one serving process."""

    def __init__(self, swap: Swap) -> None:
        self._swap = swap
        self._counts = Counts()
        self._tally = Tally(lambda _: None)
        self._gathered: Callable[[], None] = nothing
        self._metering: Metering | None = None
        self._rates: Rates | None = None

    def measured(
        self, record: Callable[[Visit], None], timer: Later, after: Callable[[], None]
    ) -> Together:
        """Have every visit counted on its way to ``record``, some at a time.

        ``after`` is called when some were.
        """

        def offered(model: str) -> bool:
            return model in self._swap.current.offering.models

        self._tally = Tally(Measured(record, self._counts, offered).count)
        visits = Together(self._tally.count, timer, after)
        self._gathered = visits.flush
        return visits

    def meter(self, metering: Metering, rates: Rates) -> None:
        """Read these too, from now on."""
        self._metering, self._rates = metering, rates

    def gauges(
        self, site: GatewaySite, live: Live, overload: Overload, self_test: SelfTest
    ) -> Gauges:
        """Give where the figures come from."""
        return Gauges(
            process="worker",
            gathered=self._gathered,
            connections=lambda: len(site.connections),
            calls=lambda: live.count,
            streams=lambda: site.streams,
            lag=overload.worst_lag,
            cpu=cpu_seconds,
            memory=resident,
            tally=self._tally,
            standings=lambda: self._swap.current.standings,
            counts=self._counts,
            readings=self._readings,
            limits_away=self._limits_away,
            journal_lag=self._journal_lag,
            self_test=lambda: self_test.told,
        )

    def _readings(self) -> Iterator[Reading]:
        for name, provider in self._swap.current.providers.items():
            if isinstance(provider, HttpProvider):
                opened, reused = provider.connections
                yield metrics.UPSTREAM_CONNECTIONS, (name, "opened"), opened
                yield metrics.UPSTREAM_CONNECTIONS, (name, "reused"), reused
        if self._rates is not None:
            for decision, count in self._rates.decisions.items():
                yield metrics.LIMIT_DECISIONS, (decision,), count
        if self._metering is not None:
            yield metrics.LOCAL_DECISIONS, (), self._metering.local_decisions()

    def _limits_away(self) -> bool:
        return self._metering is not None and self._metering.why_degraded() is not None

    def _journal_lag(self) -> float | None:
        if self._metering is None or self._metering.books is None:
            return None
        return self._metering.books.lag
