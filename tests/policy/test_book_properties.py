"""The book against an exact log of everything that was accepted.

For any order of asks, settlements and pauses: never more than the limit in any 60 s,
nothing refused without need, a wait that is told is enough, nothing stays reserved.
"""

from copy import deepcopy
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from support.limits_contract import NOW, ask, left, settlement

from lightweight.policy.book import Book
from lightweight.policy.pace import ACCOUNT, Ask, Subject
from lightweight.policy.period import month_of, start_of
from lightweight.records import Limits

SPAN = 60_000
KEYS = (ACCOUNT, "key_1", "key_2")


class Entry(Struct):
    """One accepted ask, as an exact log has it."""

    ask: Ask
    at: int
    amounts: list[tuple[int, int]]
    """Tokens and when they counted, in milliseconds."""
    open: bool = True
    refunded: bool = False
    used: int = 0


class Step(Struct, frozen=True):
    """What happens next, after a pause of so many milliseconds."""

    pause: int
    what: str
    key: int
    tokens: int
    which: int


steps = st.lists(
    st.builds(
        Step,
        pause=st.one_of(
            st.just(0),
            st.integers(0, 2_000),
            st.sampled_from([59_000, 59_999, 60_000, 60_749, 60_750, 61_000]),
            st.integers(0, 70_000),
            st.integers(0, 40 * 24 * 3_600_000),
        ),
        what=st.sampled_from(["ask", "ask", "ask", "settle", "refund", "forget"]),
        key=st.integers(0, 2),
        tokens=st.integers(0, 60),
        which=st.integers(0, 100),
    ),
    max_size=60,
)
some_limit = st.one_of(st.none(), st.integers(0, 6))
some_amount = st.one_of(st.none(), st.integers(0, 150))
limits = st.builds(
    Limits,
    rpm=some_limit,
    tpm=some_amount,
    quota_tokens=some_amount,
    prepaid=st.booleans(),
)


class Bench:
    """A book, and the log beside it."""

    def __init__(self, of_subject: list[Limits]) -> None:
        self.book = Book()
        self.now = NOW
        self.of_subject = of_subject
        self.log: list[Entry] = []

    def make(self, step: Step) -> Ask:
        held = sorted({0, step.key})
        return Ask(
            id=f"r{len(self.log)}",
            account="acct_1",
            subjects=tuple(Subject(KEYS[n], self.of_subject[n]) for n in held),
            tokens=step.tokens,
            micro_usd=0,
        )

    def of(self, subject: str) -> list[Entry]:
        return [
            entry
            for entry in self.log
            if any(each.name == subject for each in entry.ask.subjects)
        ]

    def has_room(self, wanted: Ask) -> bool:
        """Say by the log alone whether all limits have room."""
        oldest = self.now // 1000 - 60
        for subject in wanted.subjects:
            allows, entries = subject.limits, self.of(subject.name)
            recent = sum(e.at // 1000 >= oldest and not e.refunded for e in entries)
            tokens = sum(
                amount
                for entry in entries
                for amount, at in entry.amounts
                if at // 1000 >= oldest
            )
            gone = sum(
                entry.ask.tokens if entry.open else entry.used
                for entry in entries
                if allows.prepaid or month_of(entry.at) == month_of(self.now)
            )
            for limit, total in (
                (allows.rpm, recent + 1),
                (allows.tpm, tokens + wanted.tokens),
                (allows.quota_tokens, gone + wanted.tokens),
            ):
                if limit is not None and total > limit:
                    return False
        return True

    def ask(self, step: Step) -> None:
        wanted = self.make(step)
        expected = self.has_room(wanted)
        looked = self.book.look(wanted, self.now)
        before = deepcopy(self.book)
        verdict = self.book.admit(wanted, self.now)
        assert (verdict.refused is None) == (looked.refused is None) == expected
        if verdict.refused is None:
            self.log.append(Entry(wanted, self.now, [(wanted.tokens, self.now)]))
            return
        assert verdict == looked
        wait = verdict.refused.retry_after_ms
        if wait is not None:
            assert before.look(wanted, self.now + wait - 1).refused
            assert before.admit(wanted, self.now + wait).refused is None

    def end(self, entry: Entry, step: Step) -> None:
        entry.open = False
        if step.what == "forget":
            self.book.forget(entry.ask.account, [entry.ask.id])
            return
        entry.refunded = step.what == "refund"
        entry.used = 0 if entry.refunded else step.tokens
        excess = entry.used - entry.ask.tokens
        if excess > 0:
            entry.amounts.append((excess, self.now))
        else:
            entry.amounts = [(entry.used, entry.at)]
        self.book.settle(
            settlement(entry.ask, entry.used, refund=entry.refunded), self.now
        )

    def go(self, step: Step) -> None:
        self.now += step.pause
        if step.which % 2:
            self.book.tidy(self.now)
        opened = [entry for entry in self.log if entry.open]
        if step.what == "ask":
            self.ask(step)
        elif opened:
            self.end(opened[step.which % len(opened)], step)


@settings(max_examples=300, deadline=None)
@given(of_subject=st.lists(limits, min_size=3, max_size=3), journey=steps)
def test_it_decides_as_an_exact_log_does(
    of_subject: list[Limits], journey: list[Step]
) -> None:
    bench = Bench(of_subject)
    for step in journey:
        bench.go(step)
    for key, name in enumerate(KEYS):
        accepted = sorted(e.at for e in bench.of(name) if not e.refunded)
        rpm = of_subject[key].rpm
        if rpm is not None:
            for at, nth in zip(accepted, accepted[rpm:], strict=False):
                assert nth - at >= SPAN
    for entry in bench.log:
        if entry.open:
            bench.end(entry, Step(0, "settle", 0, 1, 0))
    for key in range(3):
        probe = bench.make(Step(0, "ask", key, 0, 0))
        told = bench.book.look(probe, bench.now).quota_tokens
        assert told is None or told.reserved == 0
        for each in probe.subjects:
            tally = bench.book._accounts[probe.account].tallies[each.name]
            assert not tally.leases
            for purse in (tally.monthly, tally.prepaid):
                assert purse.tokens.reserved == purse.micro_usd.reserved == 0


@settings(max_examples=100, deadline=None)
@given(
    rpm=st.integers(1, 5),
    journey=st.lists(
        st.tuples(st.integers(0, 20_000), st.integers(0, 90_000)), max_size=80
    ),
)
def test_a_clock_set_back_again_and_again_lets_no_more_pass(
    rpm: int, journey: list[tuple[int, int]]
) -> None:
    """Real time passes; the clock beside it is only ever set back, by any amount."""
    book, real, set_back = Book(), NOW, 0
    accepted: list[int] = []
    for pause, jump in journey:
        real += pause
        set_back += jump
        wanted = ask(f"r{real}_{len(accepted)}", account=Limits(rpm=rpm))
        verdict = book.admit(wanted, real - set_back)
        if verdict.refused is None:
            accepted.append(real)
        else:
            wait = verdict.refused.retry_after_ms
            assert wait is not None
            assert wait <= 61_000 + SPAN
            assert deepcopy(book).admit(wanted, real - set_back + wait).refused is None
    for at, nth in zip(accepted, accepted[rpm:], strict=False):
        assert nth - at >= SPAN


def test_a_clock_that_wavers_adds_up_to_no_more_than_it_wavers() -> None:
    """Every second of real time it is wrong by 9 s the other way."""
    book, accepted = Book(), []
    for second in range(600):
        wrong_by = 9_000 if second % 2 else -9_000
        wanted = ask(f"r{second}", account=Limits(rpm=1))
        if book.admit(wanted, NOW + second * 1000 + wrong_by).refused is None:
            accepted.append(second)
    assert len(accepted) > 8
    for at, nth in pairwise(accepted):
        assert nth - at >= 60 - 18


def test_at_the_edge_of_a_month() -> None:
    book, quota = Book(), Limits(quota_tokens=10)
    midnight = start_of(month_of(NOW) + 1)
    for number, now in enumerate((midnight - 1, midnight)):
        verdict = book.admit(ask(f"r{number}", account=quota), now)
        assert left(verdict.quota_tokens) == (0, 10)
        again = book.admit(ask("x", account=quota), now)
        assert again.refused is not None
        if number == 0:
            assert again.refused.retry_after_ms == 1
