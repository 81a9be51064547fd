"""The bill of a period: parted, charted, and as a file. Its filters are its address."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Literal, TypeAlias, cast
from urllib.parse import urlencode

from msgspec import Struct

from lightweight.errors import BadRequest
from lightweight.policy.bill import Bill, added, month_around
from lightweight.policy.price import dollars
from lightweight.policy.statement import period_of
from lightweight.records import Answer
from lightweight.store.connect import Connection
from lightweight.store.summary import (
    DaySum,
    Part,
    Period,
    account_names,
    day_bills,
    day_sums,
    key_names,
    part_bills,
)
from lightweight.web.dashboard.asked import Asked
from lightweight.web.dashboard.overview import quotas_of
from lightweight.web.dashboard.sums import LINES, REST, largest, lines
from lightweight.web.dashboard.views import Chart, UsageRow, UsageView

Group: TypeAlias = Literal["model", "day", "key", "account"]
Metric: TypeAlias = Literal["tokens", "requests", "usd"]

METRICS: Mapping[Metric, Callable[[Bill], float]] = {
    "tokens": lambda bill: bill.usage.total,
    "requests": lambda bill: bill.succeeded + bill.failed,
    "usd": lambda bill: bill.micro_usd / 1_000_000,
}

ROWS = 500
"""Parts that a page shows."""

COLUMNS = (
    *("requests", "failed", "prompt_tokens", "completion_tokens"),
    *("cached_tokens", "reasoning_tokens", "cost_usd", "unpriced_requests"),
)


class Chosen(Struct, frozen=True, kw_only=True):
    """The filters."""

    first: date
    last: date
    group: Group
    metric: Metric

    @property
    def part(self) -> Part:
        """What each day is parted by."""
        return "model" if self.group == "day" else self.group

    @property
    def days(self) -> Sequence[date]:
        """Give every day of the period."""
        length = (self.last - self.first).days + 1
        return [self.first + timedelta(n) for n in range(length)]


async def show_usage(asked: Asked) -> Answer:
    """Show the bill."""
    chosen = _chosen(asked)
    measure = METRICS[chosen.metric]
    sums = await asked.read(lambda c: _sums(c, asked, chosen))
    parts = sums.rows(chosen)
    whole = added(parts.values())
    most = measure(whole) or 1.0
    view = UsageView(
        first=chosen.first,
        last=chosen.last,
        group=chosen.group,
        metric=chosen.metric,
        bill=whole,
        rows=[
            UsageRow(label=label, bill=bill, share=measure(bill) / most)
            for label, bill in _largest(parts).items()
        ],
        chart=Chart(
            days=chosen.days,
            series=lines(chosen.days, sums.top, sums.days, measure),
            unit=chosen.metric,
        ),
        quotas=await quotas_of(asked),
        query=_query(chosen),
        groups=_groups(asked),
        presets=_presets(asked, chosen),
    )
    return asked.page("usage", view)


async def usage_csv(asked: Asked) -> Answer:
    """Give the bill as CSV (RFC 4180), for spreadsheets."""
    chosen = _chosen(asked)
    sums = await asked.read(lambda c: _sums(c, asked, chosen))
    parts = sums.rows(chosen)
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerow((chosen.group, *COLUMNS))
    for label, bill in parts.items():
        rows.writerow((_harmless(label), *_figures(bill)))
    return _file(asked, written.getvalue(), "text/csv; charset=utf-8", "csv")


async def usage_json(asked: Asked) -> Answer:
    """Give the bill as JSON, for programs."""
    chosen = _chosen(asked)
    sums = await asked.read(lambda c: _sums(c, asked, chosen))
    parts = sums.rows(chosen)
    body = {
        "start": chosen.first.isoformat(),
        "end": chosen.last.isoformat(),
        "group_by": chosen.group,
        "rows": [
            {chosen.group: label, **dict(zip(COLUMNS, _figures(bill), strict=True))}
            for label, bill in parts.items()
        ],
    }
    return _file(asked, json.dumps(body, indent=2), "application/json", "json")


def _harmless(label: str) -> str:
    """Keep a spreadsheet from taking a name for a formula."""
    return f"'{label}" if label.startswith(("=", "+", "-", "@", "\t", "\r")) else label


def _figures(bill: Bill) -> Sequence[int | str]:
    usage = bill.usage
    return (
        bill.succeeded + bill.failed,
        bill.failed,
        usage.prompt,
        usage.completion,
        usage.cached,
        usage.reasoning,
        dollars(bill.micro_usd),
        bill.unpriced,
    )


def _file(asked: Asked, body: str, content_type: str, ending: str) -> Answer:
    day = datetime.fromtimestamp(asked.now, UTC).date()
    return Answer(
        status=200,
        headers={
            "content-type": content_type,
            "content-disposition": f'attachment; filename="usage-{day}.{ending}"',
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
        },
        body=body.encode(),
    )


# -- the filters -------------------------------------------------------------------


def _chosen(asked: Asked) -> Chosen:
    """Read the filters; raise BadRequest that names a wrong one."""
    today = datetime.fromtimestamp(asked.now, UTC).date()
    first, after = period_of(
        asked.query("start") or (today - timedelta(29)).isoformat(),
        _day_after(asked.query("end") or today.isoformat()),
        today=today,
    )
    group, metric = asked.query("group") or "model", asked.query("metric") or "tokens"
    if group not in _groups(asked):
        raise BadRequest("There is no such grouping: choose one of the list.")
    if metric not in METRICS:
        raise BadRequest("There is no such measure: choose one of the list.")
    return Chosen(
        first=first,
        last=after - timedelta(1),
        group=cast("Group", group),
        metric=cast("Metric", metric),
    )


def _day_after(said: str) -> str:
    try:
        return (date.fromisoformat(said) + timedelta(1)).isoformat()
    except (ValueError, OverflowError):
        return said  # ``period_of`` tells what is wrong


def _groups(asked: Asked) -> Sequence[Group]:
    return ("model", "day", "key", *(() if asked.actor.scope else ("account",)))


def _query(chosen: Chosen, first: date | None = None, last: date | None = None) -> str:
    return urlencode(
        {
            "start": (first or chosen.first).isoformat(),
            "end": (last or chosen.last).isoformat(),
            "group": chosen.group,
            "metric": chosen.metric,
        }
    )


def _presets(asked: Asked, chosen: Chosen) -> Sequence[tuple[str, str, bool]]:
    today = datetime.fromtimestamp(asked.now, UTC).date()
    periods = (
        ("7 days", today - timedelta(6)),
        ("30 days", today - timedelta(29)),
        ("Month", month_around(today)[0]),
    )
    return [
        (
            label,
            _query(chosen, first, today),
            (first, today) == (chosen.first, chosen.last),
        )
        for label, first in periods
    ]


# -- the sums ----------------------------------------------------------------------


class Sums(Struct, frozen=True, kw_only=True):
    """What was used in the period."""

    days: Mapping[date, Bill]
    parts: Mapping[str, Bill]
    """By the names of the parts, the largest first."""
    top: Mapping[str, Sequence[DaySum]]
    """The days of those that a chart has lines for."""

    def rows(self, chosen: Chosen) -> Mapping[str, Bill]:
        """Give what the table and the files have a row for."""
        if chosen.group != "day":
            return self.parts
        return {day.isoformat(): self.days[day] for day in reversed(list(self.days))}


def _sums(connection: Connection, asked: Asked, chosen: Chosen) -> Sums:
    period = Period(account_id=asked.actor.scope, first=chosen.first, last=chosen.last)
    bills = part_bills(connection, period, chosen.part)
    names = _names(connection, chosen.part, bills)
    ids: dict[str, list[str]] = {}
    for part, name in names.items():
        ids.setdefault(name, []).append(part)
    named = {name: added(bills[part] for part in of) for name, of in ids.items()}
    parts = largest(named, METRICS[chosen.metric])
    top: dict[str, list[DaySum]] = {name: [] for name in islice(parts, LINES)}
    only = [part for name in top for part in ids[name]]
    for each in day_sums(connection, period, chosen.part, only):
        top[names[each.part]].append(each)
    return Sums(days=day_bills(connection, period), parts=parts, top=top)


def _names(connection: Connection, part: Part, ids: Iterable[str]) -> Mapping[str, str]:
    """Give what people know each part by: its id where nothing else is known."""
    every = set(ids)
    known: Mapping[str, str] = {}
    if part == "key":
        known = key_names(connection, every)
    elif part == "account":
        known = account_names(connection, every)
    return {each: known.get(each, each) for each in every}


def _largest(parts: Mapping[str, Bill]) -> Mapping[str, Bill]:
    """Give the parts that a page shows, and all others as one; a file has them all."""
    shown = dict(islice(parts.items(), ROWS))
    rest = list(islice(parts.values(), ROWS, None))
    return {**shown, REST: added(rest)} if rest else shown
