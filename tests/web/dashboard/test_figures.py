"""Numbers, money and times as people read them."""

import json
from datetime import date

import pytest

from lightweight.web.dashboard import figures
from lightweight.web.dashboard.views import Chart

NOW = 1_795_343_400.0


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (0, "0"),
        (999, "999"),
        (999.4, "999"),
        (1_000, "1K"),
        (12_345, "12.3K"),
        (999_499, "999K"),
        (999_500, "1M"),
        (47_508_000, "47.5M"),
        (3_000_000_000, "3B"),
        (2.5e12, "2.5T"),
    ],
)
def test_short(number: float, written: str) -> None:
    assert figures.short(number) == written


@pytest.mark.parametrize(
    ("micro_usd", "written"),
    [
        (0, "$0.00"),
        (1, "$0.000001"),
        (4_210, "$0.00421"),
        (999_999, "$0.999999"),
        (1_000_000, "$1.00"),
        (12_345_678, "$12.35"),
        (1_234_567_000_000, "$1,234,567.00"),
    ],
)
def test_usd(micro_usd: int, written: str) -> None:
    assert figures.usd(micro_usd) == written


@pytest.mark.parametrize(
    ("duration", "written"),
    [
        (None, "\N{EN DASH}"),
        (0.0004, "0 ms"),
        (0.34, "340 ms"),
        (1.254, "1.25 s"),
        (200.0, "3 min 20 s"),
    ],
)
def test_seconds(duration: float | None, written: str) -> None:
    assert figures.seconds(duration) == written


@pytest.mark.parametrize(
    ("away", "written"),
    [
        (0, "just now"),
        (-59, "just now"),
        (-60, "1 min ago"),
        (-7_300, "2 hours ago"),
        (-86_400, "1 day ago"),
        (30, "in a minute"),
        (3_700, "in 1 hour"),
        (3 * 86_400, "in 3 days"),
    ],
)
def test_distance(away: float, written: str) -> None:
    assert figures.distance(NOW + away, NOW) == written


def test_times_are_utc() -> None:
    assert figures.moment(NOW) == "2026-11-22 10:30:00"
    assert figures.machine(NOW) == "2026-11-22T10:30:00Z"
    assert figures.day(NOW) == "2026-11-22"


def test_parts_and_counts() -> None:
    assert figures.percent(1, 3) == "33.3 %"
    assert figures.percent(0, 0) == "0.0 %"
    assert figures.count(1234567) == "1,234,567"


def test_a_chart_as_its_script_reads_it() -> None:
    chart = Chart(days=[date(1970, 1, 2)], series={"a": [1.5]}, unit="usd")
    assert json.loads(figures.plotted(chart)) == {
        "days": [86_400],
        "series": [{"name": "a", "values": [1.5]}],
        "unit": "usd",
    }
