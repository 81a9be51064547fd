"""A worker's view of the embedded home, over a real pair of sockets."""

from collections.abc import AsyncIterator, Callable

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock

import pytest
import pytest_twisted
from msgspec.structs import replace
from support.limits_contract import (
    LimitsContract,
    ask,
    at_once,
    left,
    refusal_of,
    settlement,
)
from support.limits_link import LinkedHome
from support.sink import turns

from lightweight.records import Limits
from lightweight.store.limits import remote
from lightweight.store.limits.limiter import LimitsUnavailable
from lightweight.store.limits.remote import CLOSE_S, PATIENCE_S
from lightweight.store.limits.wire import MOST, Look, ToKeeper, Whose, to_keeper_of

ONE = Limits(rpm=1, tpm=10, concurrency=1, quota_tokens=10)


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # theirs
async def home() -> AsyncIterator[LinkedHome]:
    linked = LinkedHome()
    linked.keeper.open()
    yield linked
    await linked.close()


class TestRemoteLimits(LimitsContract):
    """Runs the contract with the fixture of this file."""


async def test_two_workers_share_one_book(home: LinkedHome) -> None:
    other = home.link("worker_2")
    asks = [ask(f"r{n}", account=Limits(rpm=10)) for n in range(30)]
    mine = Deferred.fromCoroutine(at_once(home.limits, asks[:15]))
    theirs = Deferred.fromCoroutine(at_once(other, asks[15:]))
    verdicts = [*await mine, *await theirs]
    assert sum(verdict.refused is None for verdict in verdicts) == 10


async def test_who_has_the_very_same_limits_is_somebody_else(home: LinkedHome) -> None:
    each = ask("r", account=ONE)
    for account in ("acct_1", "acct_2"):
        verdict = await home.limits.admit(replace(each, id=account, account=account))
        assert verdict.refused is None


async def test_numbers_that_begin_anew_mean_nobody_of_before(
    home: LinkedHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "KNOWN", 3)
    asks = [ask("r", of=f"acct_{n}", account=Limits(rpm=10 + n)) for n in range(5)]
    for turn in range(4):
        for number, each in enumerate(asks):
            verdict = await home.limits.admit(replace(each, id=f"{number} {turn}"))
            assert verdict.requests is not None
            assert verdict.requests.limit == 10 + number
            assert verdict.requests.remaining == 10 + number - turn - 1
    [link] = home.keeper._links
    assert len(link._whose) == 3


async def test_whose_limits_count_is_said_once(home: LinkedHome) -> None:
    said: list[type[ToKeeper]] = []
    send = home.limits.sendString

    def listened(frame: bytes) -> None:
        said.extend(type(message) for message in to_keeper_of(frame))
        send(frame)

    home.limits.sendString = listened  # type: ignore[method-assign]  # on its way
    one = ask("r", account=ONE)
    for number in range(3):
        await home.limits.look(replace(one, id=f"r{number}"))
    assert said == [Whose, Look, Look, Look]


async def test_a_turn_is_one_frame_each_way(home: LinkedHome) -> None:
    frames: list[bytes] = []

    def counted(pass_on: Callable[[bytes], None]) -> Callable[[bytes], None]:
        def count(frame: bytes) -> None:
            frames.append(frame)
            pass_on(frame)

        return count

    for way in ("sendString", "stringReceived"):
        setattr(home.limits, way, counted(getattr(home.limits, way)))
    await at_once(home.limits, [ask(f"r{n}") for n in range(50)])
    assert len(frames) == 2


async def test_more_than_a_frame_takes_goes_in_several(home: LinkedHome) -> None:
    asks = [ask(f"r{n}", account=Limits(rpm=10)) for n in range(2 * MOST + 1)]
    verdicts = await at_once(home.limits, asks)
    assert sum(verdict.refused is None for verdict in verdicts) == 10


async def test_cancelled_on_its_way_it_is_given_back(home: LinkedHome) -> None:
    for turned in range(4):
        admitting = Deferred.fromCoroutine(home.limits.admit(ask("r1", account=ONE)))
        await turns(home.reactor, turned)
        if admitting.called:
            assert turned > 1
            break
        admitting.cancel()
        with pytest.raises(CancelledError):
            await admitting
        verdict = await home.limits.admit(ask(f"next{turned}", account=ONE))
        assert verdict.refused is None
        next_one = settlement(ask(f"next{turned}"), refund=True)
        home.limits.settle(next_one)


async def test_looking_may_be_cancelled(home: LinkedHome) -> None:
    looking = Deferred.fromCoroutine(home.limits.look(ask("r1", account=ONE)))
    looking.cancel()
    with pytest.raises(CancelledError):
        await looking
    assert (await home.limits.admit(ask("r1", account=ONE))).refused is None


async def test_without_the_keeper_nobody_waits(home: LinkedHome) -> None:
    waiting = Deferred.fromCoroutine(home.limits.admit(ask("r1")))
    home.keeper.close()
    with pytest.raises(LimitsUnavailable):
        await waiting
    for asking in (home.limits.admit, home.limits.look):
        with pytest.raises(LimitsUnavailable, match="gone"):
            await asking(ask("r2"))
    home.limits.settle(settlement(ask("r1")))
    await home.limits.close()


async def test_a_silent_keeper_is_not_waited_for_for_ever() -> None:
    home, clock = LinkedHome(), Clock()
    link = home.link("worker_2", clock)
    early = Deferred.fromCoroutine(link.admit(ask("r1", account=ONE)))
    clock.advance(PATIENCE_S - 1)
    late = Deferred.fromCoroutine(link.look(ask("r2", account=ONE)))
    clock.advance(1)
    with pytest.raises(LimitsUnavailable, match="does not answer"):
        await early
    assert not late.called
    clock.advance(PATIENCE_S)
    with pytest.raises(LimitsUnavailable, match="does not answer"):
        await late
    assert not [call for call in clock.getDelayedCalls() if call.getTime() > 20]
    clock.advance(1)
    home.keeper.open()
    # The answer to the first would have taken what this one takes.
    again = Deferred.fromCoroutine(link.admit(ask("r3", account=ONE)))
    clock.advance(0)
    assert (await again).refused is None
    await home.close()


async def test_closing_sends_what_was_said(home: LinkedHome) -> None:
    first = ask("r1", account=Limits(quota_tokens=100))
    link = home.link("worker_2")
    await link.admit(first)
    link.settle(settlement(first, 7))
    await link.close()
    await link.close()
    with pytest.raises(LimitsUnavailable):
        await link.look(first)
    await home.until(lambda: len(home.keeper._links) == 1)
    assert left((await home.limits.look(first)).quota_tokens) == (7, 0)


async def test_closing_does_not_wait_for_a_keeper_that_stands_still() -> None:
    home, clock = LinkedHome(), Clock()
    link = home.link("worker_2", clock)
    await turns(home.reactor, 2)
    for far in home.keeper._links:
        far.transport.pauseProducing()  # type: ignore[union-attr]  # a socket's can
    for number in range(20_000):
        link.settle(settlement(ask(f"{number}" * 10)))
    closing = Deferred.fromCoroutine(link.close())
    await turns(home.reactor, 3)
    assert not closing.called
    clock.advance(CLOSE_S)
    await closing
    await home.close()


async def test_standing_in_for_a_shared_home_it_has_a_share_and_says_so(
    home: LinkedHome,
) -> None:
    link = home.link("worker_2", machines=4, fallback=True)
    ten = Limits(rpm=10)
    verdicts = await at_once(link, [ask(f"r{n}", account=ten) for n in range(4)])
    assert all(verdict.local for verdict in verdicts)
    assert refusal_of(verdicts[3])[1:3] == ("requests", 3)
    assert (await link.look(ask("r9", account=ten))).local
