"""The period and the shape of a bill; what a route adds is tested with it."""

from datetime import date

import pytest

from lightweight.errors import BadRequest
from lightweight.policy.statement import LONGEST_DAYS, described, parts, period_of

TODAY = date(2026, 12, 31)


def test_a_period_is_this_month_where_nothing_else_is_said() -> None:
    assert period_of(None, None, today=TODAY) == (date(2026, 12, 1), date(2027, 1, 1))
    assert period_of("2026-11-30", None, today=TODAY)[0] == date(2026, 11, 30)
    assert period_of(None, "2026-12-02", today=TODAY)[1] == date(2026, 12, 2)


def test_a_period_that_was_told_can_be_asked_for() -> None:
    told = described([], date(2026, 2, 1), date(2026, 3, 1))["period"]
    assert isinstance(told, dict)
    assert period_of(told["start"], told["end"], today=TODAY) == (
        date(2026, 2, 1),
        date(2026, 3, 1),
    )


@pytest.mark.parametrize(
    ("start", "end", "param"),
    [
        ("", None, "start"),
        ("2026-12-31T10:00:00Z", None, "start"),
        (None, "2026-12-01", "end"),
        ("2027-01-01", None, "start"),
        ("2026-01-01", "2026-01-01", "end"),
        ("2025-12-30", None, "start"),
    ],
)
def test_a_period_that_is_none_is_named(
    start: str | None, end: str | None, param: str
) -> None:
    with pytest.raises(BadRequest) as caught:
        period_of(start, end, today=TODAY)
    assert caught.value.param == param


def test_a_year_fits() -> None:
    assert LONGEST_DAYS >= 366
    period_of("2024-01-01", "2025-01-01", today=TODAY)


def test_parts_are_those_asked_for() -> None:
    assert list(parts([], None)) == ["by_model", "by_day"]
    assert list(parts([], "key")) == ["by_key"]
