"""The book beyond the contract of homes: jumping clocks, leases, the ledger, memory."""

from support.limits_contract import KEY, NOW, ask, left, refusal_of, settlement

from lightweight.policy.book import Book
from lightweight.policy.pace import ACCOUNT, Recent, Used
from lightweight.policy.period import PREPAID, month_of, start_of
from lightweight.records import Limits

HOUR = 3_600_000
MONTH = month_of(NOW)
ALL = Limits(rpm=100, tpm=1000, concurrency=9, quota_tokens=500, quota_micro_usd=500)


def test_a_clock_that_goes_back_reopens_no_window() -> None:
    for back in (1, 1_000, 59_000, 61_000, HOUR, 400 * 24 * HOUR):
        book = Book()
        one = Limits(rpm=1)
        assert book.admit(ask("r1", account=one), NOW).refused is None
        refused = book.admit(ask("r2", account=one), NOW - back)
        wait = refusal_of(refused)[3]
        # A jump by less than the span is waited out, one by more costs nothing.
        assert wait is not None
        assert 60_000 < wait <= 61_000 + 60_000
        assert book.admit(ask("r3", account=one), NOW - back + wait - 1).refused
        assert book.admit(ask("r4", account=one), NOW - back + wait).refused is None


def test_a_clock_that_ran_ahead_and_was_put_right_freezes_nothing() -> None:
    book = Book()
    one = Limits(rpm=1)
    book.admit(ask("r1", account=one), NOW)
    book.admit(ask("r2", account=one), NOW + 10 * HOUR)
    assert refusal_of(book.look(ask("r3", account=one), NOW + 5))[3] == 60_750
    assert book.admit(ask("r3", account=one), NOW + 5 + 60_750).refused is None


def test_a_clock_that_goes_back_reopens_no_month() -> None:
    book = Book()
    quota = Limits(quota_tokens=100)
    december = start_of(MONTH + 1)
    for now in (NOW, december):
        first = ask(f"r{now}", account=quota, tokens=80)
        assert book.admit(first, now).refused is None
        book.settle(settlement(first, 80), now)
    refused = book.admit(ask("r3", account=quota, tokens=80), NOW)
    assert refusal_of(refused)[1:] == (
        "quota_tokens",
        100,
        start_of(MONTH + 2) - NOW,
    )


def test_not_even_one_that_was_forgotten() -> None:
    book = Book()
    quota = Limits(quota_tokens=100)
    first = ask("r1", account=quota, tokens=100)
    book.admit(first, NOW)
    book.settle(settlement(first, 100), NOW)
    december = start_of(MONTH + 1)
    book.tidy(december)
    assert book.size == 0
    looked = book.look(ask("r2", account=quota), NOW)
    assert looked.quota_tokens is not None
    assert looked.quota_tokens.resets_at_ms == start_of(MONTH + 2)


# -- leases ----------------------------------------------------------------------------


def test_leases_end_unless_they_are_renewed() -> None:
    book = Book(lease_ms=30_000)
    two = Limits(concurrency=2)
    book.admit(ask("r1", account=two), NOW)
    book.admit(ask("r2", account=two), NOW)
    book.renew("acct_1", ["r1", "r9"], NOW + 20_000)
    assert book.look(ask("r3", account=two), NOW + 29_999).refused
    assert book.admit(ask("r3", account=two), NOW + 30_000).refused is None
    book.renew("acct_1", ["r1", "r2"], NOW + 40_000)
    assert book.look(ask("r4", account=two), NOW + 59_999).refused
    assert book.look(ask("r4", account=two), NOW + 60_000).refused is None


def test_a_lease_that_ended_is_not_renewed() -> None:
    book = Book(lease_ms=30_000)
    one = Limits(concurrency=1)
    book.admit(ask("r1", account=one), NOW)
    book.renew("acct_1", ["r1"], NOW + 30_000)
    assert book.look(ask("r2", account=one), NOW + 30_000).refused is None


def test_what_nobody_renews_for_long_is_given_up() -> None:
    book = Book(lease_ms=30_000)
    lost = ask("r1", account=ALL, key=ALL, tokens=40)
    book.admit(lost, NOW)
    book.admit(ask("r2", account=ALL, tokens=5), NOW)
    book.renew("acct_1", ["r2"], NOW + 1)
    given_up = NOW + 630_000
    quota = Limits(quota_tokens=100)
    before = book.look(ask("r3", account=quota), given_up - 1)
    assert left(before.quota_tokens) == (0, 45)
    now = book.look(ask("r3", account=quota), given_up)
    assert left(now.quota_tokens) == (0, 5)
    # Nobody asked for the key: its part is still there for a late settlement.
    book.settle(settlement(lost, 30), given_up)
    after = book.look(ask("r3", account=quota), given_up)
    assert left(after.quota_tokens) == (0, 5)
    of_key = book.look(ask("r3", account=Limits(), key=quota), given_up)
    assert left(of_key.quota_tokens) == (30, 0)


def test_dropped_leases_leave_the_reservation() -> None:
    book = Book()
    open_ask = ask("r1", account=ALL, key=ALL, tokens=40)
    book.admit(open_ask, NOW)
    for _ in range(2):
        book.drop_leases("acct_1", ["r1", "r9"])
    book.drop_leases("acct_9", ["r1"])
    one = Limits(concurrency=1, quota_tokens=100, rpm=10)
    looked = book.look(ask("r2", account=one, key=one), NOW)
    assert looked.refused is None
    assert looked.requests is not None
    assert looked.requests.remaining == 9
    assert left(looked.quota_tokens) == (0, 40)
    book.settle(settlement(open_ask, 30), NOW)
    assert left(book.look(ask("r2", account=one), NOW).quota_tokens) == (30, 0)


def test_what_is_forgotten_reserves_nothing_and_used_nothing() -> None:
    book = Book()
    book.admit(ask("r1", account=ALL, tokens=40, micro_usd=4), NOW)
    book.forget("acct_1", ["r1", "r1", "r9"])
    book.forget("acct_9", ["r1"])
    looked = book.look(ask("r2", account=ALL), NOW)
    assert left(looked.quota_tokens) == left(looked.quota_usd) == (0, 0)
    assert looked.requests is not None
    assert looked.tokens is not None
    assert (looked.requests.remaining, looked.tokens.remaining) == (99, 960)
    assert book.look(ask("r2", account=Limits(concurrency=1)), NOW).refused is None


# -- the ledger's word -----------------------------------------------------------------


def used(month: int, tokens: int, micro_usd: int = 0, subject: str = ACCOUNT) -> Used:
    return Used(
        account="acct_1",
        subject=subject,
        month=month,
        tokens=tokens,
        micro_usd=micro_usd,
    )


def test_the_ledger_raises_what_is_used() -> None:
    book = Book()
    for said in (30, 50, 40):
        book.raise_used(used(MONTH, said, 7), NOW)
    looked = book.look(ask("r1", account=ALL), NOW)
    assert left(looked.quota_tokens) == (50, 0)
    assert left(looked.quota_usd) == (7, 0)
    book.raise_used(used(MONTH, 400, subject=KEY), NOW)
    refused = book.look(ask("r1", account=ALL, key=ALL, tokens=101), NOW)
    assert refusal_of(refused)[:2] == (KEY, "quota_tokens")


def test_the_ledger_speaks_of_other_months_and_of_prepaid() -> None:
    book = Book()
    book.raise_used(used(MONTH, 50), NOW)
    book.raise_used(used(MONTH - 1, 300), NOW)
    assert left(book.look(ask("r1", account=ALL), NOW).quota_tokens) == (50, 0)
    book.raise_used(used(PREPAID, 5), NOW)
    prepaid = Limits(quota_tokens=100, prepaid=True)
    assert left(book.look(ask("r1", account=prepaid), NOW).quota_tokens) == (5, 0)
    book.raise_used(used(MONTH + 1, 20), NOW)
    assert left(book.look(ask("r1", account=ALL), NOW).quota_tokens) == (20, 0)


def test_the_last_minute_is_seeded() -> None:
    book = Book()
    second = NOW // 1000
    seed = Recent(
        account="acct_1",
        subject=ACCOUNT,
        requests={second - 61: 9, second - 60: 1, second - 5: 2, second + 1: 9},
    )
    for _ in range(2):
        book.seed(seed, NOW)
    four = Limits(rpm=4)
    assert book.admit(ask("r1", account=four), NOW).refused is None
    refused = book.admit(ask("r2", account=four), NOW)
    assert refusal_of(refused)[3] == (second + 1) * 1000 - NOW


# -- memory ----------------------------------------------------------------------------


def test_memory_is_bounded_by_who_is_active() -> None:
    book = Book()
    for number in range(5_000):
        now = NOW + number * 1000
        one = ask(f"r{number}", key=Limits(), of=f"acct_{number}")
        book.admit(one, now)
        book.settle(settlement(one), now)
    # 61 have something in their window; the tidying goes round once meanwhile.
    assert book.size < 150


def test_nothing_that_says_something_is_dropped() -> None:
    book = Book()
    kept = {
        "open": ask("r1", of="open"),
        "used": ask("r2", of="used"),
        "prepaid": ask("r3", account=Limits(prepaid=True), of="prepaid"),
    }
    for each in kept.values():
        book.admit(each, NOW)
    book.settle(settlement(kept["used"], 5), NOW)
    book.settle(settlement(kept["prepaid"], 5), NOW)
    for _ in range(3):
        book.tidy(NOW + HOUR)
    assert book.size == 3
    for _ in range(3):
        book.tidy(start_of(MONTH + 1))
    assert book.size == 2
    prepaid = book.look(
        ask("r4", account=Limits(quota_tokens=9, prepaid=True), of="prepaid"), NOW
    )
    assert left(prepaid.quota_tokens) == (5, 0)
    book.forget("open", ["r1"])
    book.tidy(start_of(MONTH + 1))
    book.tidy(start_of(MONTH + 1))
    assert book.size == 1


def test_an_idle_key_is_dropped_from_an_account_that_is_not() -> None:
    book = Book()
    book.raise_used(used(MONTH, 5), NOW)
    one = ask("r1", key=Limits())
    book.admit(one, NOW)
    book.settle(settlement(one, refund=True), NOW)
    book.tidy(NOW)
    assert list(book._accounts["acct_1"].tallies) == [ACCOUNT]


def test_what_is_open_is_kept_even_if_it_reserves_nothing() -> None:
    book = Book()
    free = ask("r1", account=ALL, tokens=0)
    book.admit(free, NOW)
    book.drop_leases("acct_1", ["r1"])
    book.tidy(NOW + HOUR)
    book.settle(settlement(free, 50), NOW + HOUR)
    assert left(book.look(ask("r2", account=ALL), NOW + HOUR).quota_tokens) == (50, 0)
