"""Sums laid out for charts and tables."""

from datetime import date

from lightweight.policy.bill import Bill
from lightweight.records import Usage
from lightweight.store.summary import DaySum
from lightweight.web.dashboard.sums import REST, largest, lines

DAYS = [date(2026, 11, n) for n in (1, 2, 3)]


def bill(tokens: int) -> Bill:
    return Bill(succeeded=1, usage=Usage(fresh=tokens), micro_usd=2 * tokens)


def tokens(each: Bill) -> float:
    return each.usage.total


def test_the_largest_come_first() -> None:
    parts = {"a": bill(1), "b": bill(10), "c": bill(5)}
    assert list(largest(parts, tokens)) == ["b", "c", "a"]


def test_a_day_without_use_is_0_and_what_has_no_line_is_one_together() -> None:
    top = {"a": [DaySum(DAYS[0], "a", bill(1)), DaySum(DAYS[2], "a", bill(5))]}
    whole = {DAYS[0]: bill(11), DAYS[2]: bill(5)}
    drawn = lines(DAYS, top, whole, tokens)
    assert drawn == {"a": [1, 0, 5], REST: [10, 0, 0]}
    assert lines(DAYS, {}, {}, tokens) == {}


def test_parts_of_one_name_share_a_line() -> None:
    top = {"a": [DaySum(DAYS[0], "key_1", bill(1)), DaySum(DAYS[0], "key_2", bill(2))]}
    assert lines(DAYS, top, {DAYS[0]: bill(3)}, tokens) == {"a": [3, 0, 0]}


def test_fractions_leave_no_line_of_nothing() -> None:
    def dollars(each: Bill) -> float:
        return each.micro_usd / 1_000_000

    amounts = [Bill(micro_usd=1), Bill(micro_usd=2)]
    top = {str(n): [DaySum(DAYS[0], str(n), each)] for n, each in enumerate(amounts)}
    assert REST not in lines(DAYS, top, {DAYS[0]: Bill(micro_usd=3)}, dollars)
