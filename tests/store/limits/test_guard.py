"""The guard with a shared home that the test takes away and gives back."""

from collections.abc import Iterator, Sequence

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.logger import LogEvent, capturedLogs

import pytest
from support.limits_contract import NOW, ask, left, refusal_of, settlement
from support.local_limits import LocalLimits

from lightweight.policy.book import Book
from lightweight.policy.pace import Ask, Settlement, Verdict
from lightweight.records import Limits
from lightweight.store.limits.guard import AWAY, Guard, Policy
from lightweight.store.limits.limiter import LimitsUnavailable
from lightweight.store.limits.shared import UseUnknown

SECRETIVE = LimitsUnavailable("Redis did not answer in time")


class FakeShared:
    """A shared home in memory that fails while ``problem`` is set."""

    def __init__(self) -> None:
        self.home = LocalLimits(Book(), lambda: NOW / 1000)
        self.problem: Exception | None = None
        self.asked = 0
        self.probes = 0
        self.settled: list[Settlement] = []
        self.hangs: Deferred[Verdict] | None = None
        self.closed = False

    async def start(self) -> None:
        pass

    async def admit(self, ask: Ask) -> Verdict:
        self.asked += 1
        if self.hangs is not None:
            return await self.hangs
        if self.problem:
            raise self.problem
        return await self.home.admit(ask)

    async def look(self, ask: Ask) -> Verdict:
        self.asked += 1
        if self.problem:
            raise self.problem
        return await self.home.look(ask)

    def settle(self, settlement: Settlement) -> None:
        self.settled.append(settlement)
        self.home.settle(settlement)

    async def probe(self) -> None:
        self.probes += 1
        if self.problem:
            raise self.problem

    async def close(self) -> None:
        self.closed = True


class Bench:
    def __init__(self, policy: Policy = "local") -> None:
        self.clock = Clock()
        self.shared = FakeShared()
        self.book = Book()
        local = LocalLimits(self.book, lambda: NOW / 1000, machines=2, fallback=True)
        self.guard = Guard(self.shared, local, policy=policy, clock=self.clock)

    def lose(self) -> None:
        self.shared.problem = SECRETIVE

    def give_back(self) -> None:
        self.shared.problem = None
        self.clock.advance(0.5)


class Said:
    """What was logged."""

    def __init__(self, events: Sequence[LogEvent]) -> None:
        self._events = events

    @property
    def levels(self) -> list[str]:
        """The levels of the guard's lines."""
        return [
            event["log_level"].name
            for event in self._events
            if event["log_namespace"].endswith("guard")
        ]


@pytest.fixture(name="said")
def _said() -> Iterator[Said]:
    with capturedLogs() as events:
        yield Said(events)


async def test_while_the_shared_home_answers_it_decides(said: Said) -> None:
    bench = Bench()
    await bench.guard.start()
    verdict = await bench.guard.admit(ask("r1", account=Limits(rpm=2)))
    assert not verdict.local
    assert verdict.requests is not None
    assert verdict.requests.remaining == 1
    assert (bench.guard.why_degraded, bench.guard.local_decisions) == (None, 0)
    assert said.levels == []
    await bench.guard.close()
    assert bench.shared.closed


async def test_without_it_this_machine_has_its_share(said: Said) -> None:
    bench = Bench()
    bench.lose()
    three = Limits(rpm=3)
    verdicts = [await bench.guard.admit(ask(f"r{n}", account=three)) for n in range(3)]
    assert [verdict.refused is None for verdict in verdicts] == [True, True, False]
    assert all(verdict.local for verdict in verdicts)
    assert refusal_of(verdicts[2])[2] == 2
    assert bench.shared.asked == 1, "nobody waits for it after the first"
    assert bench.guard.local_decisions == 3
    assert "this machine's share" in str(bench.guard.why_degraded)
    assert said.levels == ["error"]
    await bench.guard.close()


async def test_it_is_asked_again_once_a_probe_succeeds(said: Said) -> None:
    bench = Bench()
    bench.lose()
    await bench.guard.admit(ask("r1"))
    bench.clock.pump([0.5] * 4)
    assert bench.shared.probes == 4
    assert bench.guard.why_degraded is not None
    bench.give_back()
    assert bench.guard.why_degraded is None
    assert not (await bench.guard.admit(ask("r2"))).local
    bench.clock.pump([0.5] * 4)
    assert bench.shared.probes == 5, "nobody probes what answers"
    assert said.levels == ["error", "info"]
    bench.lose()
    await bench.guard.admit(ask("r3"))
    assert said.levels == ["error", "info", "error"]
    await bench.guard.close()


async def test_a_home_that_is_away_at_the_start(said: Said) -> None:
    bench = Bench()
    bench.lose()
    await bench.guard.start()
    assert (await bench.guard.admit(ask("r1"))).local
    assert bench.shared.asked == 0
    assert said.levels == ["error"]
    bench.give_back()
    assert not (await bench.guard.admit(ask("r2"))).local
    await bench.guard.close()


async def test_settlements_go_to_whoever_admitted() -> None:
    bench = Bench()
    limits = Limits(rpm=9, concurrency=4)
    early, late = ask("r1", account=limits), ask("r2", account=limits)
    await bench.guard.admit(early)
    bench.lose()
    await bench.guard.admit(late)
    bench.guard.settle(settlement(early))
    assert bench.shared.settled == [settlement(early)]
    bench.give_back()
    bench.guard.settle(settlement(late))
    assert bench.shared.settled == [settlement(early)]
    assert bench.book.look(late, NOW).refused is None
    bench.guard.settle(settlement(late))
    assert bench.shared.settled == [settlement(early), settlement(late)], "forgotten"
    await bench.guard.close()


async def test_open_allows_all() -> None:
    bench = Bench("open")
    bench.lose()
    one = Limits(rpm=1, quota_tokens=1)
    for number in range(3):
        verdict = await bench.guard.admit(ask(f"r{number}", account=one))
        assert verdict == Verdict(local=True)
        bench.guard.settle(settlement(ask(f"r{number}", account=one)))
    assert await bench.guard.look(ask("r", account=one)) == Verdict(local=True)
    assert bench.shared.settled == []
    assert "no limits" in str(bench.guard.why_degraded)
    await bench.guard.close()


async def test_closed_refuses_all() -> None:
    bench = Bench("closed")
    bench.lose()
    for question in (bench.guard.admit, bench.guard.look):
        with pytest.raises(LimitsUnavailable) as caught:
            await question(ask("r1"))
        assert str(caught.value) == AWAY
    bench.give_back()
    assert (await bench.guard.admit(ask("r1"))).refused is None
    await bench.guard.close()


QUOTA = Limits(quota_tokens=100, quota_micro_usd=1_000)


async def test_quotas_go_on_from_the_last_known_balance() -> None:
    bench = Bench()
    first = ask("r1", account=QUOTA, tokens=60)
    await bench.guard.admit(first)
    bench.lose()
    assert refusal_of(await bench.guard.look(ask("r2", account=QUOTA, tokens=41)))[
        1
    ] == ("quota_tokens")
    second = ask("r2", account=QUOTA, tokens=30)
    verdict = await bench.guard.admit(second)
    assert verdict.local
    assert left(verdict.quota_tokens) == (60, 30)
    bench.guard.settle(settlement(second, 20))
    third = await bench.guard.admit(ask("r3", account=QUOTA, tokens=21))
    assert refusal_of(third)[1] == "quota_tokens"
    await bench.guard.close()


async def test_a_second_loss_goes_on_from_what_is_known_then() -> None:
    bench = Bench()
    await bench.guard.admit(ask("r1", account=QUOTA, tokens=10))
    bench.lose()
    await bench.guard.admit(ask("r2", account=QUOTA, tokens=10))
    bench.give_back()
    await bench.guard.admit(ask("r3", account=QUOTA, tokens=50))
    bench.lose()
    verdict = await bench.guard.look(ask("r4", account=QUOTA))
    assert left(verdict.quota_tokens) == (60, 10)
    await bench.guard.close()


async def test_a_prepaid_quota_is_no_monthly_one() -> None:
    bench = Bench()
    prepaid = Limits(quota_tokens=100, prepaid=True)
    await bench.guard.admit(ask("r1", account=prepaid, tokens=70))
    bench.lose()
    verdict = await bench.guard.look(ask("r2", account=prepaid, tokens=31))
    assert refusal_of(verdict) == ("", "quota_tokens", 100, None)
    await bench.guard.close()


async def test_a_key_gets_no_more_than_was_left_of_the_scarcest() -> None:
    bench = Bench()
    key = Limits(quota_tokens=20)
    await bench.guard.admit(ask("r1", account=QUOTA, key=key, tokens=15))
    bench.lose()
    refused = await bench.guard.admit(ask("r2", account=QUOTA, key=key, tokens=6))
    assert refusal_of(refused)[1] == "quota_tokens"
    allowed = await bench.guard.admit(ask("r3", account=QUOTA, key=key, tokens=5))
    assert allowed.refused is None
    await bench.guard.close()


async def test_a_balance_that_is_old_or_unknown_is_none() -> None:
    bench = Bench()
    await bench.guard.admit(ask("r1", account=QUOTA))
    bench.lose()
    with pytest.raises(LimitsUnavailable, match="cannot be checked"):
        await bench.guard.admit(ask("r2", account=QUOTA, of="acct_2"))
    assert (await bench.guard.admit(ask("r3", account=QUOTA))).refused is None
    bench.clock.pump([1.0] * 61)
    with pytest.raises(LimitsUnavailable) as caught:
        await bench.guard.admit(ask("r4", account=QUOTA))
    assert str(caught.value) == AWAY
    assert (await bench.guard.admit(ask("r5", account=Limits(rpm=2)))).local
    await bench.guard.close()


async def test_balances_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lightweight.store.limits.guard.MOST_KNOWN", 2)
    bench = Bench()
    for number in (1, 2, 1, 3):
        await bench.guard.look(ask("r", account=QUOTA, of=f"acct_{number}"))
    bench.lose()
    for number in (1, 3):
        verdict = await bench.guard.look(ask("r", account=QUOTA, of=f"acct_{number}"))
        assert verdict.local
    with pytest.raises(LimitsUnavailable):
        await bench.guard.look(ask("r", account=QUOTA, of="acct_2"))
    await bench.guard.close()


async def test_a_use_that_nobody_knows_closes_one_account_alone(
    said: Said,
) -> None:
    bench = Bench()
    bench.shared.problem = UseUnknown("the ledger cannot say what was used: locked")
    for number in range(2):
        with pytest.raises(LimitsUnavailable) as caught:
            await bench.guard.admit(ask(f"r{number}", account=QUOTA))
        assert str(caught.value) == AWAY
    assert bench.guard.why_degraded is None
    assert said.levels == ["error"]
    await bench.guard.close()


async def test_cancelling_is_no_trouble_of_the_shared_home() -> None:
    bench = Bench()
    bench.shared.hangs = Deferred()
    asking = Deferred.fromCoroutine(bench.guard.admit(ask("r1")))
    asking.cancel()
    with pytest.raises(CancelledError):
        await asking
    assert bench.guard.why_degraded is None
    await bench.guard.close()


async def test_closing_while_it_is_away_ends_the_probes() -> None:
    bench = Bench()
    bench.lose()
    await bench.guard.admit(ask("r1"))
    await bench.guard.close()
    assert bench.clock.getDelayedCalls() == []


async def test_a_balance_of_other_limits_is_none() -> None:
    bench = Bench()
    await bench.guard.admit(ask("r1", account=QUOTA))
    bench.lose()
    changed = Limits(quota_tokens=500, quota_micro_usd=1_000)
    with pytest.raises(LimitsUnavailable, match="cannot be checked"):
        await bench.guard.admit(ask("r2", account=changed))
    assert (await bench.guard.admit(ask("r3", account=QUOTA))).local
    await bench.guard.close()
