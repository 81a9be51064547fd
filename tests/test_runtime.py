"""The runtime: what it speaks, whom it limits, what a reload keeps."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from support.fakes import FakeProvider

from lightweight.catalog.load import load_catalog
from lightweight.config.schema import (
    Config,
    ProviderConfig,
    Tier,
)
from lightweight.config.secret import Secret
from lightweight.plan import SPOKEN
from lightweight.records import Limits
from lightweight.runtime import DIALECTS, Runtime, build_runtime

CATALOG = load_catalog()
TODAY = date(2026, 11, 22)


def built(
    config: Config, environ: Mapping[str, str] | None = None, **more: Any
) -> Runtime:
    return build_runtime(
        config,
        CATALOG,
        environ=environ or {},
        make_provider=lambda plan: FakeProvider(plan.name),
        today=TODAY,
        **more,
    )


def openai(**fields: Any) -> Config:
    given = ProviderConfig(api_key=Secret("sk-1"), **fields)
    return Config(providers={"openai": given})


def test_tiers_are_limits_and_models() -> None:
    tiers = built(
        Config(tiers={"a": Tier(rpm=1, quota_usd=5, models=("m",)), "b": Tier()})
    ).tiers
    assert tiers["a"].limits == Limits(rpm=1, quota_micro_usd=5)
    assert tiers["a"].models == frozenset({"m"})
    assert (tiers["b"].limits, tiers["b"].models) == (Limits(), None)


def test_it_speaks_whatever_has_a_name() -> None:
    assert DIALECTS.keys() == SPOKEN


def test_equal_plans_keep_their_provider_over_a_reload() -> None:
    first = built(openai())
    same = built(openai(), previous=first)
    other = built(openai(base_url="http://127.0.0.1:9/v1"), previous=first)

    assert same.providers["openai"] is first.providers["openai"]
    assert same.standings["openai"] is first.standings["openai"]
    assert other.providers["openai"] is not first.providers["openai"]
    assert other.standings["openai"] is not first.standings["openai"]
