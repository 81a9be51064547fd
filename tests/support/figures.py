"""/metrics of a real daemon, as Prometheus would read it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic

from twisted.internet.task import deferLater

from prometheus_client.parser import text_string_to_metric_families
from support.daemon import Gateway
from support.http import fetch

PATIENCE = 30.0


@dataclass(frozen=True)
class Figures:
    """One scrape."""

    text: str
    samples: tuple[tuple[str, Mapping[str, str], float], ...]

    def total(self, name: str, **labels: str) -> float:
        """Give the sum of all samples of this name that have these labels."""
        return sum(
            value
            for sample, of, value in self.samples
            if sample == name and labels.items() <= of.items()
        )


async def scrape(gateway: Gateway) -> Figures:
    """Scrape once, from this machine."""
    answer = await fetch(f"{gateway.root}/metrics")
    assert answer.status == 200, answer.text
    return Figures(
        answer.text,
        tuple(
            (sample.name, sample.labels, sample.value)
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
        ),
    )


async def scraped(gateway: Gateway, wanted: Callable[[Figures], object]) -> Figures:
    """Scrape until the figures are as wanted: workers tell theirs each second."""
    from twisted.internet import reactor

    end = monotonic() + PATIENCE
    while True:
        figures = await scrape(gateway)
        if wanted(figures):
            return figures
        assert monotonic() < end, figures.text
        await deferLater(reactor, 0.1)
