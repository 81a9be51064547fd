"""How numbers, money and times are written for people: the filters of the templates."""

import json
from datetime import UTC, datetime

from lightweight.amounts import counted
from lightweight.policy.price import dollars
from lightweight.web.dashboard.views import Chart

DOLLAR = 1_000_000
"""In micro-USD."""

NOTHING = "\u2013"

_STEPS = ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "K"))

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


def count(number: float) -> str:
    """``1,234``."""
    return f"{number:,.0f}"


def short(number: float) -> str:
    """``999``, ``12.3K``, ``4.56M``: three digits, and never a false ``1000K``."""
    for size, letter in _STEPS:
        # 999,500 would be rounded to 1000K.
        if number >= size * 0.9995:
            return f"{number / size:.3g}{letter}"
    return f"{number:,.0f}"


def usd(micro_usd: int) -> str:
    """Cents, or as many digits as a small amount needs: ``$12.30``, ``$0.0042``."""
    if micro_usd and micro_usd < DOLLAR:
        return f"${dollars(micro_usd)}"
    return f"${micro_usd / DOLLAR:,.2f}"


def seconds(duration: float | None) -> str:
    """``340 ms``, ``1.25 s``, ``3 min 20 s``; a dash for what nobody measured."""
    if duration is None:
        return NOTHING
    if duration < 1:
        return f"{duration * 1000:.0f} ms"
    if duration < MINUTE:
        return f"{duration:.2f} s"
    return f"{duration // MINUTE:.0f} min {duration % MINUTE:.0f} s"


def percent(part: float, whole: float) -> str:
    """``0.4 %``; 0 of nothing is 0."""
    return f"{100 * part / whole:.1f} %" if whole else "0.0 %"


def moment(at: float) -> str:
    """A time in UTC as people read it: ``2026-11-22 10:30:05``."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


def machine(at: float) -> str:
    """The same as ``datetime`` of HTML's ``time``."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day(at: float) -> str:
    """Its day in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")


def distance(at: float, now: float) -> str:
    """How long ago, or in how long: ``just now``, ``5 min ago``, ``in 3 days``."""
    away = abs(at - now)
    if away < MINUTE:
        return "just now" if at <= now else "in a minute"
    for size, word in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "min")):
        if away >= size:
            number = int(away // size)
            said = f"{number} min" if word == "min" else counted(number, word)
            return f"{said} ago" if at <= now else f"in {said}"
    raise AssertionError(away)


def plotted(chart: Chart) -> str:
    """What the chart's script reads: days as seconds since the epoch, lines by name."""
    return json.dumps(
        {
            "days": [
                int(datetime(d.year, d.month, d.day, tzinfo=UTC).timestamp())
                for d in chart.days
            ],
            "series": [
                {"name": name, "values": list(values)}
                for name, values in chart.series.items()
            ],
            "unit": chart.unit,
        },
        separators=(",", ":"),
    )
