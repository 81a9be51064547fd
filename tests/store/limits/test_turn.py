"""Calls that wait for the end of a turn."""

from twisted.internet.task import Clock

from lightweight.store.limits.turn import put_off_by


class Turning(Clock):
    """A reactor with a way of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.put_off: list[object] = []

    def at_end(self, call: object) -> None:
        """Note it."""
        self.put_off.append(call)


def test_a_reactor_of_twisteds_calls_in_its_next_turn() -> None:
    clock = Clock()
    called: list[int] = []
    put_off_by(clock)(lambda: called.append(1))
    assert not called
    clock.advance(0)
    assert called == [1]


def test_a_reactor_that_has_an_end_of_a_turn_is_asked_for_it() -> None:
    clock = Turning()
    put_off_by(clock)(test_a_reactor_that_has_an_end_of_a_turn_is_asked_for_it)
    assert clock.put_off == [test_a_reactor_that_has_an_end_of_a_turn_is_asked_for_it]
    assert not clock.getDelayedCalls()
