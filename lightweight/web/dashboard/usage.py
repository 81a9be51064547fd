"""The bill of a period: parted, charted, and as a file. Its filters are its address."""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Literal, TypeAlias, cast
from urllib.parse import urlencode

from msgspec import Struct

from lightweight.errors import BadRequest
from lightweight.policy.bill import Bill, added, added_by, month_around
from lightweight.policy.price import dollars
from lightweight.policy.statement import period_of
from lightweight.records import Answer
from lightweight.store.summary import (
    DaySum,
    Part,
    account_names,
    key_names,
)
from lightweight.web.dashboard.asked import Asked
from lightweight.web.dashboard.overview import quotas_of
from lightweight.web.dashboard.sums import REST, lines, sums_for
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
    sums = await _sums(asked, chosen)
    measure = METRICS[chosen.metric]
    parts = _rows(sums, chosen)
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
            series=lines(chosen.days, sums, measure),
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
    parts = _rows(await _sums(asked, chosen), chosen)
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerow((chosen.group, *COLUMNS))
    for label, bill in parts.items():
        rows.writerow((_harmless(label), *_figures(bill)))
    return _file(asked, written.getvalue(), "text/csv; charset=utf-8", "csv")


async def usage_json(asked: Asked) -> Answer:
    """Give the bill as JSON, for programs."""
    chosen = _chosen(asked)
    parts = _rows(await _sums(asked, chosen), chosen)
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


async def _sums(asked: Asked, chosen: Chosen) -> Sequence[DaySum]:
    """Give the sums with names in place of ids. Cancelling is harmless."""
    sums = await sums_for(asked, chosen.first, chosen.last, chosen.part)
    if chosen.part == "model":
        return sums
    named = key_names if chosen.part == "key" else account_names
    names = await asked.read(lambda c: named(c, {each.part for each in sums}))
    return [
        DaySum(each.day, names.get(each.part, each.part), each.bill) for each in sums
    ]


def _largest(parts: Mapping[str, Bill]) -> Mapping[str, Bill]:
    """Give the parts that a page shows, and all others as one; a file has them all."""
    shown = dict(islice(parts.items(), ROWS))
    rest = list(islice(parts.values(), ROWS, None))
    return {**shown, REST: added(rest)} if rest else shown


def _rows(sums: Sequence[DaySum], chosen: Chosen) -> Mapping[str, Bill]:
    if chosen.group == "day":
        return added_by((each.day.isoformat(), each.bill) for each in reversed(sums))
    measure = METRICS[chosen.metric]
    parts = added_by((each.part, each.bill) for each in sums)
    return dict(sorted(parts.items(), key=lambda part: -measure(part[1])))
