"""Failover is rehearsed: in order, past whoever fails, and without a provider."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from twisted.internet.task import Clock

import pytest
from support.gateway import model

from lightweight.catalog.load import load_catalog
from lightweight.catalog.offer import offer
from lightweight.policy.breaker import Breaker
from lightweight.records import Call, Target
from lightweight.runtime import DIALECTS
from lightweight.upstream import rehearsal
from lightweight.upstream.attempts import Attempts, Field
from lightweight.upstream.rehearsal import rehearse

CATALOG = load_catalog()


def at(provider: str, priority: int | None = None, **more: Any) -> Target:
    given: dict[str, Any] = {"dialect": "openai_chat", "model": "m", **more}
    return Target(provider=provider, priority=priority, **given)


async def rehearsed(*targets: Target) -> str | None:
    made = model("m", *targets)
    return await rehearse(made, dialects=DIALECTS, clock=Clock())


@pytest.mark.parametrize(
    "targets",
    [
        [at("one")],
        [at("one"), at("two"), at("three")],
        [at("one", 2), at("two", 1), at("three", 2, weight=9)],
        [at("one"), at("one", model="n"), at("two", dialect="anthropic")],
        [at("one"), at("one", model="n")],
        [at("one", dialect="openai_embeddings"), at("two", dialect="openai_rerank")],
    ],
)
async def test_targets_that_fail_over(targets: Sequence[Target]) -> None:
    assert await rehearsed(*targets) is None


async def test_every_model_of_the_catalog_fails_over() -> None:
    names = {name: name for name in CATALOG.presets}
    offering = offer(CATALOG, names, [], DIALECTS, date(2026, 11, 1))
    several = [each for each in offering.listed() if len(each.targets) > 1]
    assert len(several) > 10
    for each in several:
        assert await rehearse(each, dialects=DIALECTS, clock=Clock()) is None


async def test_a_wrong_order_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsal, "arranged", lambda targets, _seed: targets[::-1])
    told = await rehearsed(at("one"), at("two"))
    assert told == "Model 'm': targets are not asked in the configured order."


async def test_one_that_is_never_asked_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def lazy(call: Call, targets: Sequence[Target], field: Field) -> Attempts:
        return Attempts(call, targets[:1], field)

    monkeypatch.setattr(rehearsal, "Attempts", lazy)
    told = await rehearsed(at("one"), at("two"))
    assert told == "Model 'm': only 1 of 2 targets are asked."


async def test_a_breaker_that_never_opens_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Breaker, "wait", lambda _self, _now: 0.0)
    told = await rehearsed(at("one"), at("two"))
    assert told == "Model 'm': a provider that fails is not passed over."
