"""Prices: whole micro-USD, rounded once, never invented."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightweight.policy.price import FREE, cost_of, dollars, highest_cost
from lightweight.records import Price, Usage

PRICE = Price(input=1_250_000, output=10_000_000, cached=125_000)
AMOUNT = st.integers(0, 10**9)


def test_each_class_has_its_price() -> None:
    usage = Usage(fresh=1000, cached=800, cache_write=8, answer=30, reasoning=70)
    assert cost_of(PRICE, usage) == 1250 + 100 + 10 + 1000


def test_a_call_is_rounded_up_once() -> None:
    assert cost_of(PRICE, Usage(cached=1)) == 1
    assert cost_of(PRICE, Usage(fresh=1, cached=6)) == 2
    assert cost_of(PRICE, Usage()) == 0


def test_without_a_price_there_is_no_cost() -> None:
    assert cost_of(None, Usage(fresh=1)) is None
    assert cost_of(FREE, Usage(fresh=10**9)) == 0


@given(fresh=AMOUNT, cached=AMOUNT, answer=AMOUNT)
def test_a_bill_is_never_below_nor_a_millionth_above(
    fresh: int, cached: int, answer: int
) -> None:
    usage = Usage(fresh=fresh, cached=cached, answer=answer)
    exact = Fraction(fresh * 1_250_000 + cached * 125_000 + answer * 10**7, 10**6)
    cost = cost_of(PRICE, usage)
    assert cost is not None
    assert exact <= cost < exact + 1


def test_the_dearest_target_is_reserved_for() -> None:
    usage = Usage(fresh=1_000_000)
    assert highest_cost([None, PRICE, FREE], usage) == 1_250_000
    assert highest_cost([None], usage) is None
    assert highest_cost([], usage) is None


@pytest.mark.parametrize(
    ("micro", "said"),
    [
        (0, "0.00"),
        (1, "0.000001"),
        (100_000, "0.10"),
        (120_000, "0.12"),
        (123_456, "0.123456"),
        (12_000_000, "12.00"),
        (10**15 + 10, "1000000000.00001"),
    ],
)
def test_dollars_are_exact(micro: int, said: str) -> None:
    assert dollars(micro) == said
