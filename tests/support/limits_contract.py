"""What every home of limits promises; each home's tests run all of it over theirs.

A class of a test file inherits ``LimitsContract`` and gives the fixture ``home``. The
home's clock stands at NOW until ``home.advance`` moves it; if it cannot be moved, time
must not pass by more than a second in a test.
"""

import itertools
from collections.abc import Sequence
from typing import Protocol

from twisted.internet.defer import CancelledError, Deferred, gatherResults

import pytest
from msgspec import convert

from lightweight.policy.pace import (
    ACCOUNT,
    Ask,
    Balance,
    Settlement,
    Subject,
    Verdict,
)
from lightweight.policy.period import month_of, start_of
from lightweight.records import Limits
from lightweight.store.limits.limiter import Limiter
from lightweight.store.limits.proof import KINDS, prove

NOW = 1_795_000_000_250
"""2026-11-18, a quarter of a second into its second."""

KEY = "key_1"


class Home(Protocol):
    """A home under test and its clock."""

    @property
    def limits(self) -> Limiter:
        """What is asked."""

    def advance(self, ms: int) -> None:
        """Let so many milliseconds pass for the home."""


def ask(
    request_id: str,
    *,
    account: Limits | None = None,
    key: Limits | None = None,
    tokens: int = 10,
    micro_usd: int = 0,
    of: str = "acct_1",
) -> Ask:
    """Give an ask of one account, with the limits of a key if it has any."""
    subjects = [Subject(ACCOUNT, account or Limits())]
    if key is not None:
        subjects.append(Subject(KEY, key))
    return Ask(
        id=request_id,
        account=of,
        subjects=tuple(subjects),
        tokens=tokens,
        micro_usd=micro_usd,
    )


def settlement(
    of: Ask, tokens: int = 0, micro_usd: int = 0, *, refund: bool = False
) -> Settlement:
    """Give the end of what ``of`` opened."""
    return Settlement(
        id=of.id,
        account=of.account,
        subjects=tuple(subject.name for subject in of.subjects),
        tokens=tokens,
        micro_usd=micro_usd,
        refund=refund,
    )


def refusal_of(verdict: Verdict) -> tuple[str, str, int, int | None]:
    """Give who refused: subject, limit, how much is allowed, the wait."""
    refused = verdict.refused
    assert refused is not None, "it was allowed"
    return refused.subject, refused.limit, refused.allowed, refused.retry_after_ms


def left(balance: Balance | None) -> tuple[int, int]:
    """Give what is used and what is reserved of a quota."""
    assert balance is not None
    return balance.used, balance.reserved


async def at_once(limits: Limiter, asks: Sequence[Ask]) -> Sequence[Verdict]:
    """Ask for all of them without waiting for one before the next."""
    verdicts: list[Verdict] = await gatherResults(
        [Deferred.fromCoroutine(limits.admit(each)) for each in asks]
    )
    return verdicts


def allowed(verdicts: Sequence[Verdict]) -> int:
    """Count those that may go on."""
    return sum(verdict.refused is None for verdict in verdicts)


class LimitsContract:
    """The contract of ``Limiter``."""

    async def test_without_limits_all_is_allowed_and_nothing_told(
        self, home: Home
    ) -> None:
        assert await home.limits.admit(ask("r1", tokens=10**12)) == Verdict()

    # -- each limit ----------------------------------------------------------------

    async def test_requests(self, home: Home) -> None:
        rpm = Limits(rpm=2)
        first = await home.limits.admit(ask("r1", account=rpm))
        assert first.refused is None
        assert first.requests is not None
        assert (first.requests.limit, first.requests.remaining) == (2, 1)
        assert 60_000 < first.requests.reset_ms <= 61_000
        home.advance(5_000)
        assert (await home.limits.admit(ask("r2", account=rpm))).refused is None
        third = await home.limits.admit(ask("r3", account=rpm))
        subject, limit, allows, wait = refusal_of(third)
        assert (subject, limit, allows) == (ACCOUNT, "requests", 2)
        assert third.requests is not None
        assert third.requests.remaining == 0
        assert wait is not None
        home.advance(wait - 1)
        assert (await home.limits.admit(ask("r4", account=rpm))).refused
        home.advance(1)
        assert (await home.limits.admit(ask("r5", account=rpm))).refused is None
        assert (await home.limits.admit(ask("r6", account=rpm))).refused

    async def test_refused_requests_do_not_count(self, home: Home) -> None:
        rpm = Limits(rpm=1)
        await home.limits.admit(ask("r1", account=rpm))
        for number in range(5):
            home.advance(10_000)
            refused = await home.limits.admit(ask(f"no{number}", account=rpm))
            assert refused.refused
        home.advance(11_000)
        assert (await home.limits.admit(ask("r2", account=rpm))).refused is None

    async def test_tokens_wait_for_as_many_as_they_need(self, home: Home) -> None:
        tpm = Limits(tpm=100)
        for number, tokens in enumerate((30, 30, 40)):
            await home.limits.admit(ask(f"r{number}", account=tpm, tokens=tokens))
            home.advance(10_000)
        verdict = await home.limits.admit(ask("r4", account=tpm, tokens=60))
        assert verdict.tokens is not None
        assert verdict.tokens.remaining == 0
        _, limit, allows, wait = refusal_of(verdict)
        assert (limit, allows) == ("tokens", 100)
        # The second 30 have to leave too: they came 20 s ago.
        assert wait is not None
        assert 40_000 < wait <= 41_000
        home.advance(wait)
        assert (
            await home.limits.admit(ask("r5", account=tpm, tokens=60))
        ).refused is None

    async def test_more_tokens_than_the_limit_never_pass(self, home: Home) -> None:
        verdict = await home.limits.admit(ask("r1", account=Limits(tpm=5)))
        assert refusal_of(verdict) == (ACCOUNT, "tokens", 5, None)

    async def test_concurrency(self, home: Home) -> None:
        two = Limits(concurrency=2)
        asks = [ask(f"r{number}", account=two) for number in range(4)]
        assert allowed(await at_once(home.limits, asks[:2])) == 2
        refused = await home.limits.admit(asks[2])
        assert refusal_of(refused) == (ACCOUNT, "concurrency", 2, 1000)
        home.limits.settle(settlement(asks[0], 10))
        assert (await home.limits.admit(asks[2])).refused is None
        assert (await home.limits.admit(asks[3])).refused

    async def test_a_monthly_quota(self, home: Home) -> None:
        month = Limits(quota_tokens=100)
        first, second = (ask(f"r{n}", account=month, tokens=60) for n in (1, 2))
        assert left((await home.limits.admit(first)).quota_tokens) == (0, 60)
        refused = await home.limits.admit(second)
        subject, limit, allows, wait = refusal_of(refused)
        assert (subject, limit, allows) == (ACCOUNT, "quota_tokens", 100)
        assert refused.quota_tokens is not None
        assert refused.quota_tokens.resets_at_ms == start_of(month_of(NOW) + 1)
        assert wait is not None
        assert 0 <= start_of(month_of(NOW) + 1) - NOW - wait <= 1000
        home.limits.settle(settlement(first, 70))
        verdict = await home.limits.look(second)
        assert left(verdict.quota_tokens) == (70, 0)
        assert verdict.refused
        fits = ask("r3", account=month, tokens=30)
        assert left((await home.limits.admit(fits)).quota_tokens) == (70, 30)

    async def test_the_next_month_has_its_own_quota(self, home: Home) -> None:
        month = Limits(quota_tokens=100)
        late, early = (ask(f"r{n}", account=month, tokens=100) for n in (1, 2))
        await home.limits.admit(late)
        home.advance(start_of(month_of(NOW) + 1) - NOW)
        assert left((await home.limits.admit(early)).quota_tokens) == (0, 100)
        home.limits.settle(settlement(late, 100))
        home.limits.settle(settlement(early, 40))
        assert left((await home.limits.look(late)).quota_tokens) == (40, 0)

    async def test_a_prepaid_quota_never_resets(self, home: Home) -> None:
        prepaid = Limits(quota_micro_usd=100, prepaid=True)
        first = ask("r1", account=prepaid, micro_usd=100)
        verdict = await home.limits.admit(first)
        assert verdict.quota_usd is not None
        assert verdict.quota_usd.resets_at_ms is None
        home.limits.settle(settlement(first, 1, 80))
        home.advance(start_of(month_of(NOW) + 1) - NOW)
        refused = await home.limits.admit(ask("r2", account=prepaid, micro_usd=21))
        assert refusal_of(refused) == (ACCOUNT, "quota_usd", 100, None)
        assert left(refused.quota_usd) == (80, 0)

    async def test_what_alone_exceeds_a_quota_never_passes(self, home: Home) -> None:
        verdict = await home.limits.admit(ask("r1", account=Limits(quota_tokens=9)))
        assert refusal_of(verdict) == (ACCOUNT, "quota_tokens", 9, None)

    # -- all of them in one step ---------------------------------------------------

    async def test_refused_by_one_nothing_is_taken_of_any(self, home: Home) -> None:
        roomy = Limits(
            rpm=10, tpm=1000, concurrency=10, quota_tokens=1000, quota_micro_usd=1000
        )
        for number, tight in enumerate(
            (
                Limits(rpm=0),
                Limits(tpm=9),
                Limits(concurrency=0),
                Limits(quota_tokens=9),
                Limits(quota_micro_usd=4),
            )
        ):
            for account, key in ((roomy, tight), (tight, roomy)):
                verdict = await home.limits.admit(
                    ask(f"r{number}", account=account, key=key, micro_usd=5)
                )
                assert verdict.refused
        untouched = await home.limits.look(
            ask("r9", account=roomy, key=roomy, micro_usd=5)
        )
        assert untouched.refused is None
        assert untouched.requests is not None
        assert untouched.tokens is not None
        assert (untouched.requests.remaining, untouched.requests.reset_ms) == (10, 0)
        assert (untouched.tokens.remaining, untouched.tokens.reset_ms) == (1000, 0)
        assert left(untouched.quota_tokens) == (0, 0)
        assert left(untouched.quota_usd) == (0, 0)

    async def test_the_first_limit_without_room_is_named(self, home: Home) -> None:
        assert (
            await home.limits.admit(
                ask("r1", account=Limits(), key=Limits(), micro_usd=5)
            )
        ).refused is None
        full = {
            "rpm": 1,
            "tpm": 10,
            "concurrency": 1,
            "quota_tokens": 10,
            "quota_micro_usd": 5,
        }
        for limit in ("requests", "tokens", "concurrency", "quota_tokens", "quota_usd"):
            tight = convert(full, Limits)
            both = await home.limits.look(
                ask("r2", account=tight, key=tight, micro_usd=5)
            )
            assert refusal_of(both)[:2] == (ACCOUNT, limit)
            one = await home.limits.look(ask("r2", key=tight, micro_usd=5))
            assert refusal_of(one)[:2] == (KEY, limit)
            del full[next(iter(full))]

    async def test_the_wait_is_that_of_the_slowest_limit(self, home: Home) -> None:
        await home.limits.admit(ask("r1", account=Limits(), key=Limits()))
        home.advance(30_000)
        await home.limits.admit(ask("r2", account=Limits(), key=Limits(), tokens=5))
        verdict = await home.limits.look(
            ask("r3", account=Limits(rpm=2), key=Limits(tpm=15), tokens=15)
        )
        subject, limit, _, wait = refusal_of(verdict)
        assert (subject, limit) == (ACCOUNT, "requests")
        assert wait is not None
        assert 60_000 < wait <= 61_000

    async def test_the_subject_with_the_least_left_is_told(self, home: Home) -> None:
        verdict = await home.limits.admit(
            ask(
                "r1",
                account=Limits(rpm=100, tpm=20, quota_tokens=500),
                key=Limits(rpm=50, tpm=1000, quota_tokens=5000, quota_micro_usd=7),
            )
        )
        assert verdict.requests is not None
        assert verdict.tokens is not None
        assert verdict.quota_tokens is not None
        assert verdict.quota_usd is not None
        told = (verdict.requests, verdict.tokens, verdict.quota_tokens)
        assert [each.limit for each in told] == [50, 20, 500]
        assert verdict.quota_usd.limit == 7

    async def test_accounts_are_apart(self, home: Home) -> None:
        one = Limits(rpm=1, quota_tokens=10)
        for account in ("acct_1", "acct_2"):
            mine = ask(f"r_{account}", account=one, of=account)
            assert (await home.limits.admit(mine)).refused is None
            assert (await home.limits.admit(ask("x", account=one, of=account))).refused

    # -- settling ------------------------------------------------------------------

    async def test_a_refund_gives_back_the_request_too(self, home: Home) -> None:
        one = Limits(rpm=1, tpm=10, concurrency=1, quota_tokens=10)
        first = ask("r1", account=one, key=one)
        before = await home.limits.look(first)
        await home.limits.admit(first)
        home.limits.settle(settlement(first, refund=True))
        assert await home.limits.look(first) == before

    async def test_settling_corrects_the_tokens(self, home: Home) -> None:
        tpm = Limits(tpm=100)
        high, low = (ask(f"r{n}", account=tpm, tokens=40) for n in (1, 2))
        await home.limits.admit(high)
        home.limits.settle(settlement(high, 10))
        home.advance(5_000)
        await home.limits.admit(low)
        home.advance(5_000)
        home.limits.settle(settlement(low, 60))
        verdict = await home.limits.look(ask("r3", account=tpm, tokens=100))
        assert verdict.tokens is not None
        assert verdict.tokens.remaining == 30
        # What was more than estimated counts from now on: 20 of the 60.
        assert 60_000 < verdict.tokens.reset_ms <= 61_000
        home.advance(57_000)
        verdict = await home.limits.look(ask("r3", account=tpm, tokens=100))
        assert verdict.tokens is not None
        assert verdict.tokens.remaining == 80

    async def test_a_correction_that_comes_late_changes_no_window(
        self, home: Home
    ) -> None:
        limits = Limits(rpm=2, tpm=100)
        first, second = (ask(f"r{n}", account=limits, tokens=40) for n in (1, 2))
        await home.limits.admit(first)
        home.advance(70_000)
        await home.limits.admit(second)
        home.limits.settle(settlement(first, refund=True))
        verdict = await home.limits.look(first)
        assert verdict.requests is not None
        assert verdict.tokens is not None
        assert (verdict.requests.remaining, verdict.tokens.remaining) == (1, 60)

    async def test_what_is_not_open_cannot_be_settled(self, home: Home) -> None:
        limits = Limits(rpm=5, tpm=500, quota_tokens=500)
        first = ask("r1", account=limits)
        home.limits.settle(settlement(first, 99))
        await home.limits.admit(first)
        for _ in range(3):
            home.limits.settle(settlement(first, 30))
        home.limits.settle(settlement(first, refund=True))
        verdict = await home.limits.look(ask("r2", account=limits))
        assert verdict.requests is not None
        assert verdict.tokens is not None
        assert (verdict.requests.remaining, verdict.tokens.remaining) == (4, 470)
        assert left(verdict.quota_tokens) == (30, 0)

    async def test_asking_twice_takes_once(self, home: Home) -> None:
        one = Limits(rpm=1, tpm=10, concurrency=1, quota_tokens=10)
        twice = ask("r1", account=one)
        verdicts = await at_once(home.limits, [twice, twice])
        assert verdicts[0] == verdicts[1]
        assert allowed(verdicts) == 2
        assert (await home.limits.admit(ask("r2", account=one))).refused
        assert (await home.limits.look(twice)).refused is None

    async def test_looking_takes_nothing(self, home: Home) -> None:
        one = Limits(rpm=1, tpm=10, concurrency=1, quota_tokens=10)
        for _ in range(3):
            looked = await home.limits.look(ask("r1", account=one))
            assert looked.refused is None
            assert looked.requests is not None
            assert looked.requests.remaining == 1
        assert (await home.limits.admit(ask("r1", account=one))).refused is None

    # -- races ---------------------------------------------------------------------

    @pytest.mark.parametrize("limit", ["tpm", "quota_tokens", "quota_micro_usd"])
    async def test_two_never_share_the_last_thousand(
        self, home: Home, limit: str
    ) -> None:
        last = convert({limit: 1000}, Limits)
        for race in range(500):
            rivals = [
                ask(
                    f"{limit}{race}{rival}",
                    account=last,
                    tokens=1000,
                    micro_usd=1000,
                    of=f"acct_{race % 3}",
                )
                for rival in "ab"
            ]
            verdicts = await at_once(home.limits, rivals)
            assert allowed(verdicts) == 1
            for rival in rivals:
                home.limits.settle(settlement(rival, refund=True))
        for account in range(3):
            end = await home.limits.look(
                ask(
                    "end",
                    account=Limits(quota_tokens=9, quota_micro_usd=9),
                    of=f"acct_{account}",
                )
            )
            assert left(end.quota_tokens) == left(end.quota_usd) == (0, 0)

    async def test_exactly_as_many_as_allowed(self, home: Home) -> None:
        limits = Limits(rpm=60, concurrency=90)
        asks = [ask(f"r{number}", account=limits) for number in range(200)]
        assert allowed(await at_once(home.limits, asks)) == 60

    async def test_in_the_end_nothing_is_reserved(self, home: Home) -> None:
        limits = Limits(concurrency=20, quota_tokens=10_000, quota_micro_usd=10_000)
        used = 0
        for turn in range(10):
            asks = [
                ask(f"r{turn}_{n}", account=limits, key=limits, tokens=n, micro_usd=n)
                for n in range(1, 30)
            ]
            verdicts = await at_once(home.limits, asks)
            for each, verdict in zip(asks, verdicts, strict=True):
                if verdict.refused is None:
                    actual = each.tokens % 7
                    used += actual
                    home.limits.settle(settlement(each, actual, actual))
        end = await home.limits.look(ask("end", account=limits, key=limits))
        assert used > 0
        assert left(end.quota_tokens) == left(end.quota_usd) == (used, 0)

    async def test_a_cancelled_ask_is_given_back(self, home: Home) -> None:
        one = Limits(rpm=5, tpm=100, concurrency=1, quota_tokens=100)
        before = await home.limits.look(ask("r0", account=one))
        cancelled = ask("r1", account=one)
        admitting = Deferred.fromCoroutine(home.limits.admit(cancelled))
        admitting.cancel()
        try:
            await admitting
        except CancelledError:
            pass
        else:  # it was answered already, and whoever has the answer settles it
            home.limits.settle(settlement(cancelled, refund=True))
        assert await home.limits.look(ask("r0", account=one)) == before

    async def test_it_passes_the_self_test(self, home: Home) -> None:
        numbers = itertools.count()
        for _ in range(2):
            told = await prove(
                home.limits, list(KINDS), lambda name: f"{name}_{next(numbers)}"
            )
            assert told == []
