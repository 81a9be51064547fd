from datetime import UTC, date, datetime

from twisted.internet.task import Clock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightweight.daemon.telling import (
    SETTLED_S,
    Telling,
    counted,
    numbered,
    recents,
    settlement,
)
from lightweight.policy.pace import Settlement
from lightweight.policy.pace import Used as Counted
from lightweight.policy.period import PREPAID, month_of
from lightweight.records import Outcome, Usage, Use
from lightweight.store.usage import ALL_KEYS, Used


def use(usage: Usage | None, micro_usd: int | None) -> Use:
    outcome = Outcome(
        request_id="r1",
        account_id="a",
        key_id="k",
        model="m",
        provider=None,
        upstream_model=None,
        dialect="openai_chat",
        stream=False,
        status=500,
        ending="aborted",
        fault=None,
        usage=usage,
        provenance="estimated",
        first_byte_s=None,
        duration_s=0.0,
    )
    return Use(outcome=outcome, at=1.0, micro_usd=micro_usd)


def test_an_accounts_seconds_are_those_of_its_keys() -> None:
    told = recents({("a", "k"): {7: 2, 8: 1}, ("a", "j"): {8: 3}, ("b", "i"): {7: 1}})
    assert {(each.account, each.subject): dict(each.requests) for each in told} == {
        ("a", ""): {7: 2, 8: 4},
        ("a", "k"): {7: 2, 8: 1},
        ("a", "j"): {8: 3},
        ("b", ""): {7: 1},
        ("b", "i"): {7: 1},
    }


def test_a_sum_counts_for_its_month_or_for_ever() -> None:
    month = date(2026, 11, 1)
    used = Used(account_id="a", key_id=ALL_KEYS, month=month, tokens=5, micro_usd=7)
    assert counted(used) == Counted(
        account="a", subject="", month=2026 * 12 + 10, tokens=5, micro_usd=7
    )
    prepaid = Used(account_id="a", key_id="k", month=None, tokens=5, micro_usd=7)
    assert (counted(prepaid).month, counted(prepaid).subject) == (PREPAID, "k")


@given(st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2400, 1, 1)))  # noqa: DTZ001 -- in UTC, as the line below says
def test_months_are_numbered_as_the_limits_do(at: datetime) -> None:
    moment = at.replace(tzinfo=UTC)
    assert numbered(moment.date()) == month_of(int(moment.timestamp() * 1000))


def test_a_call_without_its_process_is_settled_as_billed() -> None:
    assert settlement(use(Usage(fresh=9, answer=1), 4)) == Settlement(
        id="r1", account="a", subjects=("", "k"), tokens=10, micro_usd=4
    )
    assert settlement(use(None, None)).tokens == 0


class Heard:
    """A home that writes down what it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def __getattr__(self, name: str) -> object:
        return lambda *_: self.said.append(name)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.mark.parametrize("homes", [1, 2])
def test_every_home_hears_everything_before_it_may_answer(
    homes: int, clock: Clock
) -> None:
    voices = [Heard() for _ in range(homes)]
    telling = Telling(voices, clock)  # type: ignore[arg-type]  # it answers to every name
    telling.used([])
    telling.admitted({("a", "k"): {1: 1}})
    telling.aborted([use(None, None)])
    telling.left("w")
    telling.replayed()
    for voice in voices:
        assert voice.said == [
            "seed",
            "settled",
            "raise_used",
            "writer_done",
            "replayed",
        ]
    telling.close()


def test_a_sum_waits_until_its_uses_are_settled(clock: Clock) -> None:
    voice = Heard()
    telling = Telling([voice], clock)  # type: ignore[list-item]  # as above
    telling.used([])
    clock.advance(SETTLED_S / 2)
    telling.left("w")
    clock.advance(SETTLED_S / 2 - 0.01)
    assert voice.said == []
    clock.advance(0.02)
    assert voice.said == ["raise_used"]
    clock.advance(SETTLED_S)
    assert voice.said == ["raise_used", "writer_done"]
    telling.used([])
    telling.close()
    clock.advance(SETTLED_S)
    assert voice.said == ["raise_used", "writer_done"]
