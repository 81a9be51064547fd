"""Rows of the roll-up, summed: what an account used, by whatever one asks."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import date
from typing import TypeVar

from msgspec import Struct

from lightweight.records import DayUse, Usage

_By = TypeVar("_By", bound=Hashable)


class Bill(Struct, frozen=True, kw_only=True):
    """The sum of some uses."""

    succeeded: int = 0
    failed: int = 0
    usage: Usage = Usage()
    micro_usd: int = 0
    unpriced: int = 0
    """Calls whose model had no price: they are missing in ``micro_usd``."""


def summed(rows: Iterable[DayUse]) -> Bill:
    """Give the sum of all ``rows``."""
    return summed_by(rows, lambda _: None).get(None, Bill())


def summed_by(
    rows: Iterable[DayUse], by: Callable[[DayUse], _By]
) -> Mapping[_By, Bill]:
    """Give the sum of the rows that ``by`` gives the same for."""
    groups: dict[_By, list[DayUse]] = {}
    for row in rows:
        groups.setdefault(by(row), []).append(row)
    return {name: _sum(each) for name, each in groups.items()}


def _sum(rows: list[DayUse]) -> Bill:
    usages = [row.usage for row in rows]
    return Bill(
        succeeded=sum(row.succeeded for row in rows),
        failed=sum(row.failed for row in rows),
        usage=Usage(
            fresh=sum(usage.fresh for usage in usages),
            cached=sum(usage.cached for usage in usages),
            cache_write=sum(usage.cache_write for usage in usages),
            answer=sum(usage.answer for usage in usages),
            reasoning=sum(usage.reasoning for usage in usages),
        ),
        micro_usd=sum(row.micro_usd for row in rows),
        unpriced=sum(row.unpriced for row in rows),
    )


def month_around(day: date) -> tuple[date, date]:
    """Give the first day of the calendar month of ``day``, and of the next one."""
    first = day.replace(day=1)
    year, month = divmod(first.year * 12 + first.month, 12)
    return first, date(year, month + 1, 1)
