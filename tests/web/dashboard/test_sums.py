"""Sums laid out for charts and tables."""

from datetime import date

from lightweight.policy.bill import Bill
from lightweight.records import Usage
from lightweight.store.summary import DaySum
from lightweight.web.dashboard.sums import LINES, REST, lines, per_day

DAYS = [date(2026, 11, n) for n in (1, 2, 3)]


def bill(tokens: int) -> Bill:
    return Bill(succeeded=1, usage=Usage(fresh=tokens), micro_usd=2 * tokens)


def tokens(each: Bill) -> float:
    return each.usage.total


SUMS = [
    DaySum(DAYS[0], "a", bill(1)),
    DaySum(DAYS[0], "b", bill(10)),
    DaySum(DAYS[2], "a", bill(5)),
]


def test_a_day_without_use_is_0_and_other_days_are_left_out() -> None:
    assert per_day(DAYS, SUMS, tokens) == [11, 0, 5]
    assert per_day(DAYS[:2], SUMS, tokens) == [11, 0]


def test_the_largest_parts_have_lines_and_the_others_one_together() -> None:
    many = [DaySum(DAYS[1], f"m{n}", bill(n)) for n in range(1, LINES + 4)]
    drawn = lines(DAYS, many, tokens)
    assert list(drawn) == ["m8", "m7", "m6", "m5", "m4", REST]
    assert drawn["m8"] == [0, 8, 0]
    assert drawn[REST] == [0, 1 + 2 + 3, 0]
    assert REST not in lines(DAYS, many[:LINES], tokens)
