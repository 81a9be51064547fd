"""Lua and Python decide alike: the scripts beside the book, whatever happens."""

import itertools
from collections.abc import Callable
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import Struct, msgpack
from msgspec.structs import replace
from support.limits_contract import settlement
from support.redis import RedisServer

from lightweight.policy.book import Book
from lightweight.policy.pace import (
    ACCOUNT,
    Ask,
    Recent,
    Settlement,
    Subject,
    Used,
    Verdict,
)
from lightweight.policy.period import PREPAID, month_of
from lightweight.records import Limits
from lightweight.store.limits.scripts import (
    ADMIT,
    ALL,
    RAISE,
    RENEW,
    SETTLE,
    Script,
    keys_of,
    verdict_of,
)

LEASE_MS = 30_000
ACCOUNT_ID = "acct_1"
NAMES = (ACCOUNT, "key_1", "key_2")
EVERYTHING = Limits(
    rpm=10**9,
    tpm=10**15,
    concurrency=10**9,
    quota_tokens=10**15,
    quota_micro_usd=10**15,
)

some = st.sampled_from([None] * 9 + [0, 1, 3])
amount = st.sampled_from([None] * 9 + [0, 100, 400])
limits = st.builds(
    Limits,
    rpm=some,
    tpm=amount,
    concurrency=some,
    quota_tokens=amount,
    quota_micro_usd=amount,
)
taken = st.sampled_from([0, 1, 20, 35, 90, 10**13])


class Asking(Struct, frozen=True):
    key: int
    of_account: int
    """Which of the example's limits."""
    of_key: int
    tokens: int
    micro_usd: int
    look: bool


class Settling(Struct, frozen=True):
    which: int
    tokens: int
    micro_usd: int
    refund: bool


class Renewing(Struct, frozen=True):
    pass


class Telling(Struct, frozen=True):
    subject: int
    month: int
    tokens: int
    ages: dict[int, int]


class Waiting(Struct, frozen=True):
    ms: int


asking = st.builds(
    Asking,
    st.integers(0, 2),
    st.integers(0, 2),
    st.integers(0, 2),
    taken,
    taken,
    st.sampled_from([False] * 5 + [True]),
)
settling = st.builds(Settling, st.integers(0, 4), taken, taken, st.booleans())
telling = st.builds(
    Telling,
    st.integers(0, 2),
    st.sampled_from([-2, -1, 0, None]),
    taken,
    st.dictionaries(st.integers(-2, 70), st.integers(0, 4), max_size=3),
)
waiting = st.builds(
    Waiting,
    st.sampled_from([1, 700, 1_500, 9_999, 29_000, 30_000, 59_999, 61_000, 600_000])
    | st.sampled_from([-1, -1_500, -30_000, -62_000, -65_000, -4_000_000]),
)
often = [asking, asking, asking, settling, settling, waiting, waiting]
seldom = [st.builds(Renewing), telling]
# one_of would take each of them as often as any other.
some_step = st.sampled_from([*often, *seldom]).flatmap(lambda step: step)
steps = st.lists(some_step, min_size=20, max_size=40)
ends_of_months = st.sampled_from(
    [1_796_083_200_000, 1_709_251_200_000, 4_107_542_400_000]
)
"""December 2026, March of the leap year 2024, March 2100, which has no leap day."""


class Twins:
    """A book, and an account in Redis to which the same happens."""

    def __init__(
        self, run: Callable[..., Any], now: int, limits: tuple[Limits, ...]
    ) -> None:
        self.run = run
        self.limits = limits
        self.prepaid = limits[0].prepaid
        self.book = Book(LEASE_MS)
        self.now = now
        self.numbers = itertools.count()
        self.asks: list[Ask] = []
        self.open: dict[str, tuple[str, ...]] = {}
        run("FLUSHALL")
        for name in NAMES:
            for month in (month_of(now), PREPAID):
                self.tell(
                    Used(
                        account=ACCOUNT_ID,
                        subject=name,
                        month=month,
                        tokens=0,
                        micro_usd=0,
                    )
                )

    def script(
        self, script: Script, names: tuple[str, ...], said: Any, *more: str
    ) -> str:
        keys = keys_of(ACCOUNT_ID, names)
        answer = self.run(
            "EVALSHA",
            script.sha,
            len(keys),
            *keys,
            msgpack.encode(said),
            self.now,
            *more,
        )
        assert isinstance(answer, str)
        return answer

    def do(self, step: object) -> None:
        match step:
            case Asking():
                self.ask(step)
            case Settling():
                self.settle(step)
            case Renewing():
                self.renew()
            case Telling():
                name = NAMES[step.subject]
                month = (
                    PREPAID if step.month is None else month_of(self.now) + step.month
                )
                self.tell(
                    Used(
                        account=ACCOUNT_ID,
                        subject=name,
                        month=month,
                        tokens=step.tokens,
                        micro_usd=step.tokens // 2,
                    ),
                    {self.now // 1000 - age: n for age, n in step.ages.items()},
                )
            case Waiting():
                self.now += step.ms

    def ask(self, step: Asking) -> None:
        subjects = [Subject(ACCOUNT, self.limits[step.of_account])]
        if step.key:
            subjects.append(Subject(NAMES[step.key], self.limits[step.of_key]))
        wanted = Ask(
            id=f"r{next(self.numbers)}",
            account=ACCOUNT_ID,
            subjects=tuple(subjects),
            tokens=step.tokens,
            micro_usd=step.micro_usd,
        )
        verdict = self.decide(wanted, look=step.look)
        if verdict.refused is None and not step.look:
            self.asks.append(wanted)

    def decide(self, wanted: Ask, *, look: bool) -> Verdict:
        names = tuple(subject.name for subject in wanted.subjects)
        decide = self.book.look if look else self.book.admit
        verdict = decide(wanted, self.now)
        line = self.script(ADMIT, names, wanted, "look" if look else "take")
        assert verdict_of(line) == verdict
        if verdict.refused is None and not look:
            self.open[wanted.id] = names
        return verdict

    def compare(self) -> None:
        """Look at all that is counted for each subject."""
        for name in NAMES:
            limits = replace(EVERYTHING, prepaid=self.prepaid)
            self.decide(
                Ask(
                    id="look",
                    account=ACCOUNT_ID,
                    subjects=(Subject(name, limits),),
                    tokens=0,
                    micro_usd=0,
                ),
                look=True,
            )

    def settle(self, step: Settling) -> None:
        if not self.asks:
            return
        asked = self.asks[-1 - step.which % len(self.asks)]
        self.open.pop(asked.id, None)
        end: Settlement = settlement(
            asked, step.tokens, step.micro_usd, refund=step.refund
        )
        self.book.settle(end, self.now)
        self.script(SETTLE, end.subjects, end)

    def renew(self) -> None:
        self.book.renew(ACCOUNT_ID, self.open, self.now)
        held = {
            name: [id_ for id_, names in self.open.items() if name in names]
            for name in NAMES
        }
        self.script(RENEW, tuple(held), tuple(held.values()))

    def tell(self, used: Used, requests: dict[int, int] | None = None) -> None:
        recent = Recent(
            account=ACCOUNT_ID, subject=used.subject, requests=requests or {}
        )
        self.book.raise_used(used, self.now)
        # Whom the ledger does not name in the purse that pays has used nothing of it.
        paying = PREPAID if used.month == PREPAID else month_of(self.now)
        self.book.raise_used(
            replace(used, month=paying, tokens=0, micro_usd=0), self.now
        )
        self.book.seed(recent, self.now)
        told = [{"prepaid": used.month == PREPAID, "used": [used], "recent": [recent]}]
        self.script(RAISE, (used.subject,), told)


NO_LIMITS = (Limits(), Limits(), Limits())
ASKING = Asking(key=1, of_account=0, of_key=0, tokens=0, micro_usd=1, look=False)
LATE = Settling(which=0, tokens=20, micro_usd=20, refund=False)


# What nobody renews for ten minutes after its lease ended is given up …
@example(
    end=1_796_083_200_000,
    before=0,
    limits=NO_LIMITS,
    prepaid=False,
    steps=[ASKING, Waiting(600_000)],
)
# … of each subject when somebody asks for it: a late settlement finds the others.
@example(
    end=1_796_083_200_000,
    before=0,
    limits=NO_LIMITS,
    prepaid=False,
    steps=[ASKING, Waiting(600_000), Waiting(30_000), replace(ASKING, key=2), LATE],
)
@given(
    end=ends_of_months,
    before=st.integers(-1_000, 90_000),
    limits=st.tuples(limits, limits, limits),
    prepaid=st.booleans(),
    steps=steps,
)
@settings(max_examples=100, deadline=None)
def test_both_decide_alike(
    shared_server: RedisServer,
    end: int,
    before: int,
    limits: tuple[Limits, ...],
    prepaid: bool,  # noqa: FBT001 -- hypothesis passes all by name
    steps: list[object],
) -> None:
    # One purse pays all along: in Redis an ask turns the month of its own purse alone.
    limits = tuple(replace(each, prepaid=prepaid) for each in limits)
    with shared_server.session() as run:
        for script in ALL:
            assert run("SCRIPT", "LOAD", script.text) == script.sha
        twins = Twins(run, end - before, limits)
        for each in steps:
            twins.do(each)
        # As seconds leave the windows one after the other they show what they hold.
        for _ in range(7):
            twins.compare()
            twins.now += 10_000
