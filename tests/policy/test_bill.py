"""Sums of the roll-up's rows."""

from datetime import date

from lightweight.policy.bill import (
    Bill,
    added,
    added_by,
    month_around,
    summed,
    summed_by,
)
from lightweight.records import DayUse, Usage


def row(day: int, model: str, **more: int) -> DayUse:
    return DayUse(
        day=date(2026, 11, day),
        key_id="key_1",
        model=model,
        succeeded=more.get("succeeded", 1),
        failed=more.get("failed", 0),
        usage=Usage(fresh=1, cached=2, cache_write=4, answer=8, reasoning=16),
        micro_usd=more.get("micro_usd", 5),
        unpriced=more.get("unpriced", 0),
    )


def test_nothing_sums_up_to_nothing() -> None:
    assert summed([]) == Bill()


def test_everything_is_summed() -> None:
    rows = [row(1, "a", failed=2), row(2, "b", succeeded=3, micro_usd=7, unpriced=1)]
    assert summed(rows) == Bill(
        succeeded=4,
        failed=2,
        usage=Usage(fresh=2, cached=4, cache_write=8, answer=16, reasoning=32),
        micro_usd=12,
        unpriced=1,
    )


def test_bills_add_up() -> None:
    ten = Bill(succeeded=1, usage=Usage(fresh=10), micro_usd=20)
    one = Bill(failed=1, usage=Usage(fresh=1, answer=3), unpriced=1)
    whole = Bill(
        succeeded=1,
        failed=1,
        usage=Usage(fresh=11, answer=3),
        micro_usd=20,
        unpriced=1,
    )
    assert added([ten, one]) == whole
    assert added_by([("b", ten), ("a", one), ("b", one)]) == {"b": whole, "a": one}
    assert added([]) == Bill()


def test_parts_sum_up_to_the_whole() -> None:
    rows = [row(1, "a"), row(2, "b"), row(2, "a")]
    by_model = summed_by(rows, lambda each: each.model)
    assert {model: bill.succeeded for model, bill in by_model.items()} == {
        "a": 2,
        "b": 1,
    }
    assert sum(bill.micro_usd for bill in by_model.values()) == 15


def test_a_month_ends_where_the_next_begins() -> None:
    assert month_around(date(2026, 11, 22)) == (date(2026, 11, 1), date(2026, 12, 1))
    assert month_around(date(2026, 12, 31)) == (date(2026, 12, 1), date(2027, 1, 1))
    assert month_around(date(2028, 2, 29)) == (date(2028, 2, 1), date(2028, 3, 1))
