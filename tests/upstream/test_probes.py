"""Who is left alone is asked now and then whether it works."""

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from conftest import LoggedFailures

from lightweight.errors import ProviderUnreachable
from lightweight.policy.breaker import Breaker, Rules
from lightweight.upstream.probes import Probed, Probes


class World:
    """One provider that is probed every three seconds."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.breaker = Breaker(Rules(in_a_row=1, open_for=20.0))
        self.asked: list[Deferred[None]] = []
        self.probes = Probes(self.clock, lambda: [self.probed()])
        self.probes.start()

    def probed(self) -> Probed:
        return Probed(name="acme", every=3.0, breaker=self.breaker, ask=self.ask)

    async def ask(self) -> None:
        self.asked.append(Deferred())
        await self.asked[-1]

    def open(self) -> None:
        now = self.clock.seconds()
        assert self.breaker.failed(self.breaker.enter(now), now)

    def wait(self, seconds: int) -> None:
        for _ in range(seconds):
            self.clock.advance(1)

    @property
    def state(self) -> str:
        return self.breaker.state(self.clock.seconds())


def test_who_is_well_is_not_asked() -> None:
    world = World()
    world.wait(60)
    assert world.asked == []


def test_an_answer_ends_the_wait() -> None:
    world = World()
    world.open()
    world.wait(3)
    assert world.asked == []
    world.wait(1)
    assert world.state == "open"
    world.asked[0].callback(None)
    assert world.state == "half-open"


def test_no_answer_changes_nothing_before_the_wait_is_over() -> None:
    world = World()
    world.open()
    for number in range(4):
        world.wait(4)
        world.asked[number].errback(ProviderUnreachable("gone"))
    assert world.breaker.wait(world.clock.seconds()) == 4
    world.wait(5)
    assert world.state == "half-open"
    world.asked[4].errback(ProviderUnreachable("gone"))
    assert world.breaker.wait(world.clock.seconds()) == 40


def test_one_question_at_a_time() -> None:
    world = World()
    world.open()
    world.wait(19)
    assert len(world.asked) == 1


def test_at_the_end_nobody_waits_for_an_answer() -> None:
    world = World()
    world.open()
    world.wait(5)
    world.probes.stop()
    assert world.clock.getDelayedCalls() == []
    assert world.state == "open"
    world.probes.stop()


def test_a_bug_is_logged_and_the_next_question_asked(
    logged_failures: LoggedFailures,
) -> None:
    world = World()
    world.open()
    world.wait(4)
    world.asked[0].errback(ZeroDivisionError())
    assert logged_failures.flush(ZeroDivisionError)
    world.wait(4)
    assert len(world.asked) == 2
