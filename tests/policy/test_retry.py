"""The budget of second attempts, and who rests."""

import pytest

from lightweight.policy.retry import (
    LONGEST_REST,
    Resting,
    RetryBudget,
    retry_after,
)

NOW = 784111777.0
"""Sun, 06 Nov 1994 08:49:37 GMT: the example of RFC 9110 section 5.6.7."""


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("20", 20),
        (" 7.25 ", 7.25),
        ("0", 1),
        ("86400", LONGEST_REST),
        ("Sun, 06 Nov 1994 08:50:07 GMT", 30),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 1),
        ("Sun, 06 Nov 1994 07:00:00 GMT", 1),
        ("Mon, 07 Nov 2094 07:00:00 GMT", LONGEST_REST),
        ("Sun, 31 Feb 1994 07:00:00 GMT", None),
        ("Sun, 06 Foo 1994 07:00:00 GMT", None),
        ("Sunday, 06-Nov-94 08:49:37 GMT", None),
        ("Sun, 06 Nov 1994 08:49:37 +0100", None),
        ("soon", None),
        ("-1", None),
        ("1e3", None),
        ("", None),
    ],
)
def test_a_wait_is_told_in_seconds_or_as_a_date(
    told: str, seconds: float | None
) -> None:
    assert retry_after(told, NOW) == seconds


def test_a_few_may_always_ask_again() -> None:
    budget = RetryBudget(share=0.2, least=3)
    budget.call_began()
    assert [budget.take() for _ in range(4)] == [True, True, True, False]
    budget.give_back()
    assert budget.take()


def test_many_calls_allow_their_share() -> None:
    budget = RetryBudget(share=0.2, least=3)
    for _ in range(50):
        budget.call_began()
    assert sum(budget.take() for _ in range(50)) == 10
    for _ in range(50):
        budget.call_ended()
    assert not budget.take()
    for _ in range(8):
        budget.give_back()
    assert budget.take()


def test_who_rests_is_left_alone_until_then() -> None:
    resting = Resting()
    assert resting.wait("a", 0) == 0
    resting.rest("a", 7, 10)
    assert (resting.wait("a", 12), resting.wait("b", 12)) == (5, 0)
    resting.rest("a", 1, 12)
    assert resting.wait("a", 12) == 5
    assert resting.wait("a", 17) == 0
    resting.rest("a", 1, 20)
    assert resting.wait("a", 20) == 1


def test_nobody_rests_for_ever() -> None:
    resting = Resting()
    resting.rest("a", 1e9, 0)
    assert resting.wait("a", 0) == LONGEST_REST


def test_who_rests_is_told_with_the_longest_wait_first() -> None:
    resting = Resting()
    resting.rest("a", 5, now=0)
    resting.rest("b", 9, now=0)
    resting.rest("c", 2, now=0)
    assert list(resting.waits(2).items()) == [("b", 7), ("a", 3)]
