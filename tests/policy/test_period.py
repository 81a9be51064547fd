"""Months: the arithmetic against the standard library's calendar."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from lightweight.policy.period import DAY_MS, month_of, start_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def ms(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


@given(
    st.datetimes(
        min_value=datetime(1970, 1, 1),  # noqa: DTZ001 -- hypothesis wants it naive
        max_value=datetime(2400, 12, 31),  # noqa: DTZ001 -- the same
        timezones=st.just(UTC),
    )
)
def test_a_moment_is_in_its_month(moment: datetime) -> None:
    month = month_of(ms(moment))
    assert month == moment.year * 12 + moment.month - 1
    first = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    assert start_of(month) == ms(first)


def test_every_month_ends_where_the_next_begins() -> None:
    for month in range(1970 * 12, 2401 * 12):
        assert month_of(start_of(month)) == month
        assert month_of(start_of(month + 1) - 1) == month


def test_leap_days_are_in_february() -> None:
    for year, days in ((1999, 28), (2000, 29), (2024, 29), (2026, 28), (2100, 28)):
        february = year * 12 + 1
        assert start_of(february + 1) - start_of(february) == days * DAY_MS
