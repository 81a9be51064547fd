"""The budget of second attempts, and who rests."""

from contextlib import ExitStack

from lightweight.policy.retry import LONGEST_REST, Resting, RetryBudget


def test_a_few_may_always_ask_again() -> None:
    budget = RetryBudget(share=0.2, least=3)
    with budget.call():
        assert [budget.take() for _ in range(4)] == [True, True, True, False]
        budget.give_back()
        assert budget.take()


def test_many_calls_allow_their_share() -> None:
    budget = RetryBudget(share=0.2, least=3)
    with ExitStack() as calls:
        for _ in range(50):
            calls.enter_context(budget.call())
        assert sum(budget.take() for _ in range(50)) == 10
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
