"""The self-test of a process: what it says, and when it says it again."""

import itertools
from typing import Any

from twisted.internet.task import Clock

import pytest
from msgspec.structs import replace
from support.fakes import FakeLimits
from support.gateway import Gateway
from support.local_limits import LocalLimits

from lightweight.daemon.self_test import AGAIN_S, SelfTest
from lightweight.policy.admission import Tier
from lightweight.policy.book import Book
from lightweight.policy.pace import Ask, Verdict
from lightweight.records import Limits
from lightweight.upstream import rehearsal

TIERS = {"pro": Tier(limits=Limits(rpm=250, quota_tokens=10**6)), "all": Tier()}


class Home(LocalLimits):
    """A real home, of which a test may break some answers."""

    breaks = 0

    async def admit(self, ask: Ask) -> Verdict:
        verdict = await super().admit(ask)
        if not self.breaks:
            return verdict
        self.breaks -= 1
        return replace(verdict, refused=None)


class Process:
    """What a process tests, and what was said of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        gateway = Gateway()
        gateway.tiers.clear()
        gateway.tiers.update(TIERS)
        self.gateway = gateway
        self.clock = Clock()
        self.home = Home(Book(), lambda: 1_795_000_000.0)
        self.said: list[str] = []
        numbers = itertools.count()
        self.test = SelfTest(
            self.clock,
            current=lambda: gateway.runtime,
            new_id=lambda prefix: f"{prefix}_{next(numbers)}",
        )
        monkeypatch.setattr(SelfTest, "log", self)

    def info(self, text: str, **parts: Any) -> None:
        self.said.append(text.format(**parts))

    error = failure = info


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Process:
    return Process(monkeypatch)


def test_before_there_is_a_test_nothing_is_said_to_fail(process: Process) -> None:
    assert process.test.told.state == "running"
    assert process.test.why() is None


def test_what_works_is_told_in_a_line(process: Process) -> None:
    process.test.start(process.home)
    (line,) = process.said
    assert line == (
        "Self-test passed: limits of 2 kinds hold, calls of 1 model move on to "
        "another target."
    )
    assert process.test.told.state == "passed"
    assert process.test.why() is None
    assert process.clock.getDelayedCalls() == []


def test_no_provider_hears_of_it(process: Process) -> None:
    process.test.start(process.home)
    gateway = process.gateway
    assert gateway.one.asked == gateway.two.asked == []
    assert gateway.journal.started == {}
    assert gateway.visits == []


def test_a_home_that_breaks_is_named_and_looked_at_again(process: Process) -> None:
    process.home.breaks = 1000
    process.test.start(process.home)
    assert process.test.why() == (
        "The limit rpm does not hold: it lets more pass. "
        "The limit quota_tokens does not hold: it lets more pass."
    )
    assert process.said == [f"Self-test failed: {process.test.why()}"]
    process.clock.advance(AGAIN_S)
    assert len(process.said) == 1, "it is no news"
    process.home.breaks = 0
    process.clock.advance(AGAIN_S)
    assert process.said[1].startswith("Self-test passed")
    assert process.test.told.state == "passed"
    assert process.clock.getDelayedCalls() == []


def test_a_home_that_changes_in_the_middle_is_asked_once_more(
    process: Process,
) -> None:
    process.home.breaks = 2
    process.test.start(process.home)
    assert process.test.told.state == "passed"


def test_failover_that_does_not_work_is_told(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsal, "arranged", lambda targets, _seed: targets[::-1])
    process.test.start(process.home)
    assert process.test.told.problems == (
        "Model 'org/path.1': targets are not asked in the configured order.",
    )
    process.test.stop()
    assert process.clock.getDelayedCalls() == []


def test_stopping_gives_back_and_says_nothing(process: Process) -> None:
    home = FakeLimits()
    home.hold()
    process.test.start(home)
    process.test.start(home)
    process.test.stop()
    assert home.cancelled == 4
    assert process.said == []


def test_what_nobody_foresaw_is_no_success(process: Process) -> None:
    process.test.start(None)  # type: ignore[arg-type]  # it cannot be asked
    assert process.test.told.state == "failed"
    assert process.said == ["The self-test could not be made."]
