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
    return added(map(_bill_of, rows))


def summed_by(
    rows: Iterable[DayUse], by: Callable[[DayUse], _By]
) -> Mapping[_By, Bill]:
    """Give the sum of the rows that ``by`` gives the same for."""
    return added_by((by(row), _bill_of(row)) for row in rows)


def added(bills: Iterable[Bill]) -> Bill:
    """Give the sum of bills."""
    all_of = list(bills)
    usages = [bill.usage for bill in all_of]
    return Bill(
        succeeded=sum(bill.succeeded for bill in all_of),
        failed=sum(bill.failed for bill in all_of),
        usage=Usage(
            fresh=sum(usage.fresh for usage in usages),
            cached=sum(usage.cached for usage in usages),
            cache_write=sum(usage.cache_write for usage in usages),
            answer=sum(usage.answer for usage in usages),
            reasoning=sum(usage.reasoning for usage in usages),
        ),
        micro_usd=sum(bill.micro_usd for bill in all_of),
        unpriced=sum(bill.unpriced for bill in all_of),
    )


def added_by(bills: Iterable[tuple[_By, Bill]]) -> Mapping[_By, Bill]:
    """Give the sum of the bills with the same name, the first name first."""
    groups: dict[_By, list[Bill]] = {}
    for name, bill in bills:
        groups.setdefault(name, []).append(bill)
    return {name: added(each) for name, each in groups.items()}


def _bill_of(row: DayUse) -> Bill:
    return Bill(
        succeeded=row.succeeded,
        failed=row.failed,
        usage=row.usage,
        micro_usd=row.micro_usd,
        unpriced=row.unpriced,
    )


def month_around(day: date) -> tuple[date, date]:
    """Give the first day of the calendar month of ``day``, and of the next one."""
    first = day.replace(day=1)
    year, month = divmod(first.year * 12 + first.month, 12)
    return first, date(year, month + 1, 1)
