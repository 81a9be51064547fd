"""Counting calls, waiting for the last, ending them all."""

from collections.abc import Callable

from twisted.internet.defer import CancelledError, Deferred

import pytest

from lightweight.errors import Fault, Overloaded
from lightweight.web.live import InFlight, Live


def ignore(_: Fault) -> None:
    """A call that does not care."""


async def test_empty_is_at_once_true_where_there_is_no_call() -> None:
    await Live().empty()


def test_empty_waits_for_the_last_call() -> None:
    live = Live()
    with live.call(ignore):
        with live.call(ignore):
            waiting = Deferred.fromCoroutine(live.empty())
            assert live.count == 2
        assert not waiting.called
    assert waiting.called
    assert live.count == 0


def test_a_call_that_raises_is_counted_out() -> None:
    live = Live()
    with pytest.raises(ZeroDivisionError), live.call(ignore):
        raise ZeroDivisionError
    assert live.count == 0


def test_waiting_can_be_given_up() -> None:
    live = Live()
    with live.call(ignore):
        waiting = Deferred.fromCoroutine(live.empty())
        given_up: list[object] = []
        waiting.addErrback(lambda f: given_up.append(f.check(CancelledError)))
        waiting.cancel()
        assert given_up == [CancelledError]
    assert live.count == 0


def test_every_call_is_ended_with_the_fault() -> None:
    live = Live()
    told: list[Fault] = []
    fault = Overloaded("Stopping.")
    with live.call(told.append), live.call(told.append):
        live.end_all(fault)
        assert told == [fault, fault]


def test_calls_that_say_what_they_are_are_told_oldest_first() -> None:
    live = Live()

    def telling(number: int) -> Callable[[], InFlight]:
        return lambda: InFlight(
            request_id=f"req_{number}",
            account_id="a",
            key_id="k",
            model="m",
            provider=None,
            attempts=0,
            stream=False,
            answering=False,
            seconds=0.0,
        )

    one, two = live.call(ignore, telling(1)), live.call(ignore, telling(2))
    with one, live.call(ignore), two:
        assert [each.request_id for each in live.in_flight()] == ["req_1", "req_2"]
    assert live.in_flight() == []
