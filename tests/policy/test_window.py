"""Windows and their clock."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightweight.policy.window import SPAN_MS, Clock, Window

HOUR = 3_600_000


def test_a_second_counts_while_any_part_of_it_is_within_the_span() -> None:
    window = Window()
    window.add(100, 7)
    window.slide(160)
    assert window.total == 7
    assert window.frees(7) == window.empty() == 161_000
    window.slide(161)
    assert (window.total, window.empty()) == (0, 0)


def test_it_says_when_enough_has_left() -> None:
    window = Window()
    for second, amount in ((100, 5), (110, 5), (120, 5)):
        window.add(second, amount)
    assert [window.frees(n) for n in (1, 5, 6, 10, 11, 15)] == [
        161_000,
        161_000,
        171_000,
        171_000,
        181_000,
        181_000,
    ]
    with pytest.raises(AssertionError):
        window.frees(16)


def test_what_is_taken_back_was_never_there() -> None:
    window = Window()
    window.add(100, 5)
    window.add(101, 5)
    window.take_back(101, 5)
    assert (window.total, window.empty()) == (5, 161_000)
    window.take_back(100, 2)
    assert window.total == 3
    window.slide(161)
    window.take_back(100, 3)
    assert window.total == 0


def test_it_is_raised_to_what_others_counted() -> None:
    window = Window()
    window.add(100, 5)
    window.add(103, 1)
    window.raise_to({99: 2, 100: 3, 101: 4})
    assert window.total == 2 + 5 + 4 + 1
    assert window.frees(3) == 161_000
    window.raise_to({99: 2})
    assert window.total == 12


@given(st.lists(st.tuples(st.integers(0, 90), st.integers(0, 5)), max_size=200))
def test_it_holds_no_more_than_its_seconds(steps: list[tuple[int, int]]) -> None:
    window, second, log = Window(), 0, []
    for wait, amount in steps:
        second += wait
        window.slide(second)
        window.add(second, amount)
        log.append((second, amount))
        assert window.total == sum(n for s, n in log if s >= second - 60)
        assert len(window._amounts) <= 61


def test_a_clock_set_back_a_little_stands_until_it_is_caught_up_with() -> None:
    clock = Clock(HOUR)
    assert clock.read(HOUR - 30_000) == HOUR
    # Who waits for the next second waits for the clock to come back first.
    assert clock.wait(HOUR + 1000, HOUR - 30_000) == 31_000
    assert clock.read(HOUR - 1) == HOUR
    assert clock.read(HOUR + 5) == HOUR + 5


def test_a_clock_set_back_by_much_goes_on_from_where_it_was() -> None:
    clock = Clock(0)
    assert clock.read(10 * HOUR) == 10 * HOUR
    assert clock.read(7) == 10 * HOUR
    assert clock.read(1007) == 10 * HOUR + 1000
    assert clock.wait(10 * HOUR + 3000, 1007) == 2000


@given(st.lists(st.integers(-3 * SPAN_MS, 3 * SPAN_MS), max_size=50))
def test_a_clock_never_goes_back_nor_stands_for_more_than_the_span(
    jumps: list[int],
) -> None:
    now, clock, last = HOUR, Clock(HOUR), HOUR
    for jump in jumps:
        now += jump
        time = clock.read(now)
        assert time >= last
        last = time
        assert clock.wait(time + 1, now) <= SPAN_MS + 1
    assert clock.read(now + SPAN_MS + 1) > last
