"""What one subject has taken."""

from lightweight.policy.tally import Tally, balance, room
from lightweight.policy.window import Clock

NOVEMBER = 2026 * 12 + 10


def test_time_takes_away_what_counted() -> None:
    tally = Tally(NOVEMBER)
    tally.requests.add(100, 1)
    tally.tokens.add(100, 5)
    tally.leases |= {"r1": 130_000, "r2": 130_001, "r3": 140_000}
    tally.pass_to(130_000, NOVEMBER)
    assert list(tally.leases) == ["r2", "r3"]
    tally.pass_to(160_999, NOVEMBER)
    assert (tally.requests.total, tally.tokens.total) == (1, 5)
    tally.pass_to(161_000, NOVEMBER)
    assert tally.idle


def test_leases_without_an_end_stay() -> None:
    tally = Tally(NOVEMBER)
    tally.leases["r1"] = None
    tally.pass_to(10**15, NOVEMBER)
    assert list(tally.leases) == ["r1"]


def test_a_month_never_returns() -> None:
    tally = Tally(NOVEMBER)
    tally.monthly.tokens.used = 5
    old = tally.purse(prepaid=False)
    tally.turn(NOVEMBER)
    assert tally.purse(prepaid=False) is old
    tally.turn(NOVEMBER + 1)
    assert tally.purse(prepaid=False).tokens.used == 0
    tally.turn(NOVEMBER)
    assert tally.month == NOVEMBER + 1


def test_it_is_idle_when_a_new_one_would_say_the_same() -> None:
    for change in (
        lambda tally: tally.requests.add(1, 1),
        lambda tally: tally.tokens.add(1, 1),
        lambda tally: tally.leases.update(r1=None),
        lambda tally: setattr(tally.monthly.tokens, "used", 1),
        lambda tally: setattr(tally.prepaid.micro_usd, "reserved", 1),
    ):
        tally = Tally(NOVEMBER)
        assert tally.idle
        change(tally)
        assert not tally.idle


def test_what_is_left_is_never_below_nothing() -> None:
    tally = Tally(NOVEMBER)
    clock = Clock(100_500)
    assert room(tally.tokens, 5, clock, 100_500).reset_ms == 0
    tally.tokens.add(100, 7)
    full = room(tally.tokens, 5, clock, 100_500)
    assert (full.limit, full.remaining, full.reset_ms) == (5, 0, 60_500)
    tally.prepaid.tokens.used = 9
    assert balance(tally.prepaid.tokens, 5, None).remaining == 0
