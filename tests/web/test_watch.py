"""A connection under a clock: who owes too long is told, who takes nothing is cut."""

from twisted.internet.task import Clock

from support.gateway import Wire

from lightweight.config.schema import Edge
from lightweight.errors import Fault, RequestTimedOut
from lightweight.web.edge import BODY_GRACE, DISCARD_BYTES, DISCARD_SECONDS
from lightweight.web.watch import Watch

EDGE = Edge(header_timeout=20.0, body_timeout=60.0, keep_alive=30.0, write_stall=8.0)


class Watched:
    """A connection that remembers what its watch decided."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.wire = Wire(self.clock)
        self.told: list[Fault | None] = []
        self.watch = Watch(self.clock, lambda: EDGE, self.wire, self.told.append)


def test_who_asks_nothing_is_told_nothing() -> None:
    watched = Watched()
    watched.clock.advance(20)
    assert watched.told == [None]
    assert watched.clock.getDelayedCalls() == []


def test_a_head_has_its_time_from_the_opening() -> None:
    watched = Watched()
    watched.clock.advance(19)
    watched.watch.bytes_came()
    watched.clock.advance(1)
    (fault,) = watched.told
    assert isinstance(fault, RequestTimedOut)


def test_a_body_has_less_time_than_the_head_had() -> None:
    watched = Watched()
    watched.watch.body_begins()
    watched.clock.advance(BODY_GRACE)
    (fault,) = watched.told
    assert isinstance(fault, RequestTimedOut)


def test_a_body_that_comes_has_more() -> None:
    watched = Watched()
    watched.watch.body_begins()
    watched.watch.body_came(5 * 1024)
    watched.clock.advance(BODY_GRACE)
    assert watched.told == []
    watched.clock.advance(5)
    assert len(watched.told) == 1


def test_while_it_is_served_it_owes_nothing() -> None:
    watched = Watched()
    watched.watch.served()
    watched.clock.pump([10] * 10)
    assert watched.told == []
    watched.watch.idle()
    watched.clock.advance(29)
    assert watched.told == []
    watched.clock.advance(1)
    assert watched.told == [None]


def test_whoever_takes_over_is_told() -> None:
    watched = Watched()
    told: list[Fault | None] = []
    watched.watch.out_of_time = told.append
    watched.clock.advance(20)
    assert (told, watched.told) == ([None], [])


def test_who_takes_nothing_is_cut() -> None:
    watched = Watched()
    watched.watch.served()
    watched.watch.takes_nothing()
    watched.clock.pump([2] * 3)
    assert not watched.wire.aborted
    watched.clock.pump([2] * 2)
    assert watched.wire.aborted


def test_who_takes_all_is_not_cut_unless_it_closes() -> None:
    for closing in (False, True):
        watched = Watched()
        watched.watch.served()
        watched.watch.takes_nothing()
        if closing:
            watched.watch.closing()
        watched.watch.took_all()
        watched.clock.pump([2] * 6)
        assert watched.wire.aborted == closing


def test_who_was_refused_may_send_on_for_a_while() -> None:
    watched = Watched()
    watched.watch.refuse()
    watched.watch.discard(DISCARD_BYTES)
    assert not watched.wire.aborted
    watched.clock.advance(DISCARD_SECONDS)
    assert watched.wire.aborted


def test_who_was_refused_may_not_send_for_ever() -> None:
    watched = Watched()
    watched.watch.refuse()
    watched.watch.discard(DISCARD_BYTES + 1)
    assert watched.wire.aborted


def test_a_refused_client_is_out_of_no_time() -> None:
    watched = Watched()
    watched.clock.advance(19)
    watched.watch.refuse()
    watched.clock.advance(1)
    assert watched.told == []


def test_nothing_is_left_behind() -> None:
    watched = Watched()
    watched.watch.takes_nothing()
    watched.watch.refuse()
    watched.watch.stop()
    assert watched.clock.getDelayedCalls() == []
