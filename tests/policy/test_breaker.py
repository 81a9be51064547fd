"""A breaker: when it opens, who probes, whose verdict counts."""

from hypothesis import given
from hypothesis import strategies as st

from lightweight.policy.breaker import Breaker, Rules

RULES = Rules(in_a_row=3, least=10, share=0.5, window=30.0, open_for=5.0, longest=12.0)


def opened(now: float = 0.0) -> Breaker:
    breaker = Breaker(RULES)
    verdicts = [breaker.failed(breaker.enter(now), now) for _ in range(3)]
    assert verdicts == [False, False, True]
    return breaker


def test_failures_in_a_row_open_it() -> None:
    breaker = opened(1.0)
    assert breaker.state(1.0) == "open"
    assert breaker.wait(2.0) == 4.0
    assert breaker.state(6.0) == "half-open"
    assert breaker.wait(6.0) == 0


def test_a_success_between_them_starts_the_row_anew() -> None:
    breaker = Breaker(RULES)
    for good in (False, False, True, False, False):
        entered = breaker.enter(0)
        (breaker.succeeded if good else breaker.failed)(entered, 0)
    assert breaker.state(0) == "closed"


def test_a_share_of_failures_opens_it() -> None:
    breaker = Breaker(RULES)
    for turn in range(4):
        breaker.failed(breaker.enter(turn), turn)
        breaker.succeeded(breaker.enter(turn), turn)
    assert not breaker.failed(breaker.enter(5), 5)
    assert breaker.failed(breaker.enter(5), 5)
    assert breaker.state(5) == "open"


def test_what_is_long_ago_does_not_count() -> None:
    breaker = Breaker(RULES)
    for turn in range(4):
        breaker.failed(breaker.enter(turn), turn)
        breaker.succeeded(breaker.enter(turn), turn)
    assert not breaker.failed(breaker.enter(60), 60)
    assert not breaker.failed(breaker.enter(60), 60)
    assert breaker.state(60) == "closed"


def test_one_probe_alone_passes_and_closes_it() -> None:
    breaker = opened()
    probe = breaker.enter(5)
    assert breaker.wait(5) == RULES.probe_wait
    assert breaker.succeeded(probe, 6)
    assert (breaker.state(6), breaker.wait(6)) == ("closed", 0)


def test_a_probe_that_fails_opens_it_for_longer_up_to_a_limit() -> None:
    breaker = opened()
    now, waits = 5.0, []
    for _ in range(3):
        assert breaker.failed(breaker.enter(now), now)
        waits.append(breaker.wait(now))
        now += waits[-1]
    assert waits == [10, 12, 12]
    breaker.succeeded(breaker.enter(now), now)
    for _ in range(3):
        breaker.failed(breaker.enter(now), now)
    assert breaker.wait(now) == 5


def test_a_probe_without_a_verdict_makes_room_for_the_next() -> None:
    breaker = opened()
    breaker.left(breaker.enter(5))
    assert (breaker.state(5), breaker.wait(5)) == ("half-open", 0)


def test_a_late_verdict_is_no_verdict() -> None:
    breaker = Breaker(RULES)
    early = breaker.enter(0)
    for _ in range(3):
        breaker.failed(breaker.enter(0), 0)
    assert not breaker.succeeded(early, 1)
    assert breaker.state(1) == "open"
    probe = breaker.enter(5)
    assert not breaker.failed(early, 5)
    breaker.left(early)
    assert breaker.wait(5) == RULES.probe_wait
    assert breaker.succeeded(probe, 5)
    assert not breaker.failed(probe, 5)
    assert breaker.state(5) == "closed"


def test_a_good_answer_for_nobody_lets_the_next_request_through() -> None:
    breaker = opened()
    breaker.probed(1, good=True)
    assert (breaker.state(1), breaker.wait(1)) == ("half-open", 0)
    assert breaker.failed(breaker.enter(1), 1), "calls may fail all the same"
    assert breaker.wait(1) == 10


def test_a_bad_one_stands_for_the_request_that_would_have_failed() -> None:
    breaker = opened()
    breaker.probed(4, good=False)
    assert breaker.wait(4) == 1, "the wait goes on"
    breaker.probed(5, good=False)
    assert breaker.wait(5) == 10


def test_a_request_that_is_under_way_has_the_last_word() -> None:
    breaker = opened()
    trial = breaker.enter(5)
    breaker.probed(6, good=False)
    breaker.probed(6, good=True)
    assert breaker.wait(6) == RULES.probe_wait
    assert breaker.succeeded(trial, 7)


def test_no_answer_opens_a_closed_one() -> None:
    breaker = Breaker(RULES)
    for _ in range(20):
        breaker.probed(0, good=False)
    assert breaker.state(0) == "closed"
    breaker.failed(breaker.enter(0), 0)
    breaker.failed(breaker.enter(0), 0)
    assert breaker.state(0) == "closed"


@given(
    st.lists(st.tuples(st.integers(0, 80), st.sampled_from(["good", "bad", "left"])))
)
def test_it_never_shuts_for_good(steps: list[tuple[int, str]]) -> None:
    """Time goes in quarters of a second, which sums hold exactly."""
    breaker, now = Breaker(RULES), 0.0
    for wait, verdict in steps:
        now += wait / 4
        if breaker.wait(now):
            continue
        entered = breaker.enter(now)
        if verdict == "left":
            breaker.left(entered)
        else:
            (breaker.succeeded if verdict == "good" else breaker.failed)(entered, now)
        assert breaker.wait(now) <= RULES.longest
    assert breaker.wait(now + RULES.longest) == 0
