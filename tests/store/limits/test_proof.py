"""The proof that limits hold, over homes that do not hold them."""

import itertools
from collections.abc import Callable

from twisted.internet.defer import CancelledError, Deferred

import pytest
from msgspec.structs import replace
from support.fakes import FakeLimits
from support.local_limits import LocalLimits

from lightweight.policy.book import Book
from lightweight.policy.pace import Ask, Refusal, Settlement, Verdict
from lightweight.records import Limits
from lightweight.store.limits.proof import KINDS, kinds_of, prove


class Broken:
    """A home on this machine, and what a test breaks of it."""

    def __init__(self) -> None:
        self.home = LocalLimits(Book(), lambda: 1_795_000_000.0)
        self.seen: list[Ask] = []
        self.open: set[str] = set()
        self.gives_back = True
        self.ask: Callable[[Ask], Ask] = lambda ask: ask
        self.say: Callable[[Verdict], Verdict] = lambda verdict: verdict

    async def admit(self, ask: Ask) -> Verdict:
        self.seen.append(ask)
        verdict = self.say(await self.home.admit(self.ask(ask)))
        if verdict.refused is None:
            self.open.add(ask.id)
        return verdict

    async def look(self, ask: Ask) -> Verdict:
        return await self.home.look(ask)

    def settle(self, settlement: Settlement) -> None:
        self.open.remove(settlement.id)
        if self.gives_back:
            self.home.settle(settlement)

    async def close(self) -> None:
        assert not self.open


def ids() -> Callable[[str], str]:
    numbers = itertools.count()
    return lambda prefix: f"{prefix}_{next(numbers)}"


def without(kind: str) -> Callable[[Ask], Ask]:
    """Forget a kind of limit, as a home does that counts wrongly."""

    def forget(ask: Ask) -> Ask:
        (subject,) = ask.subjects
        limits = replace(subject.limits, **{kind: None})
        return replace(ask, subjects=(replace(subject, limits=limits),))

    return forget


async def test_a_home_that_holds_is_left_as_it_was() -> None:
    home = Broken()
    assert await prove(home, list(KINDS), ids()) == []
    assert home.open == set()
    assert len({ask.account for ask in home.seen}) == len(KINDS)


@pytest.mark.parametrize("kind", KINDS)
async def test_one_that_lets_too_many_pass(kind: str) -> None:
    home = Broken()
    home.ask = without(kind)
    assert await prove(home, list(KINDS), ids()) == [
        f"The limit {kind} does not hold: it lets more pass."
    ]
    assert home.open == set()


async def test_one_that_gives_nothing_back() -> None:
    home = Broken()
    home.gives_back = False
    told = await prove(home, list(KINDS), ids())
    assert told == [f"The limit {kind} keeps what was given back." for kind in KINDS]


async def test_one_that_refuses_everybody() -> None:
    home = Broken()
    why = Refusal(subject="", limit="requests", allowed=1, retry_after_ms=1)
    home.say = lambda verdict: replace(verdict, refused=why)
    assert await prove(home, ["tpm"], ids()) == [
        "The limit tpm refuses what it has room for."
    ]
    said = iter([Verdict(), Verdict(refused=why)])
    home.say = lambda _verdict: next(said)
    assert await prove(home, ["tpm"], ids()) == [
        "The limit tpm refuses in the name of another."
    ]


async def test_one_that_cannot_be_asked() -> None:
    home = FakeLimits()
    home.unavailable = True
    assert await prove(home, ["rpm"], ids()) == ["The limit rpm cannot be asked for."]


async def test_giving_up_gives_back() -> None:
    home = FakeLimits()
    home.hold()
    proving = Deferred.fromCoroutine(prove(home, ["rpm", "tpm"], ids()))
    proving.cancel()
    with pytest.raises(CancelledError):
        await proving
    assert home.cancelled == 2
    assert home.open == set()


def test_kinds_are_those_that_tiers_have() -> None:
    assert kinds_of([Limits(rpm=1), Limits(), Limits(quota_micro_usd=5)]) == [
        "rpm",
        "quota_micro_usd",
    ]
