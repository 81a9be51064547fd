"""The embedded home in one process keeps the contract."""

import pytest
from support.limits_contract import (
    NOW,
    LimitsContract,
    ask,
    at_once,
    refusal_of,
    settlement,
)
from support.local_limits import LocalLimits

from lightweight.policy.book import Book
from lightweight.records import Limits


class LocalHome:
    def __init__(self, *, machines: int = 1, fallback: bool = False) -> None:
        self.now = NOW
        self.book = Book()
        self.limits = LocalLimits(
            self.book, lambda: self.now / 1000, machines=machines, fallback=fallback
        )

    def advance(self, ms: int) -> None:
        self.now += ms


class TestLocalLimits(LimitsContract):
    @pytest.fixture
    def home(self) -> LocalHome:
        return LocalHome()


async def test_standing_in_for_a_shared_home_it_has_a_share_and_says_so() -> None:
    limits = LocalHome(machines=3, fallback=True).limits
    ten = Limits(rpm=10, quota_tokens=100)
    verdicts = await at_once(limits, [ask(f"r{n}", account=ten) for n in range(5)])
    assert all(verdict.local for verdict in verdicts)
    assert refusal_of(verdicts[4])[1:3] == ("requests", 4)
    looked = await limits.look(ask("r9", account=ten))
    assert looked.local
    assert looked.quota_tokens is not None
    assert looked.quota_tokens.limit == 100


async def test_memory_is_bounded() -> None:
    home = LocalHome()
    for number in range(100):
        await home.limits.admit(ask("r", of=f"acct_{number}"))
        home.limits.settle(settlement(ask("r", of=f"acct_{number}"), refund=True))
    assert home.book.size < 10
    await home.limits.close()
