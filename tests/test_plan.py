"""What a configuration asks for: which providers there are, what they offer."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from msgspec import structs

from lightweight.catalog.load import CatalogProblem, load_catalog
from lightweight.config.schema import (
    Config,
    ModelConfig,
    PartialTimeouts,
    PriceConfig,
    ProviderConfig,
    TargetConfig,
)
from lightweight.config.secret import Secret
from lightweight.errors import ModelNotFound
from lightweight.plan import Plan, ProviderPlan, plan_of
from lightweight.policy.price import FREE
from lightweight.records import Price
from lightweight.upstream.found import Found

CATALOG = load_catalog()
TODAY = date(2026, 11, 22)


LOCAL = Found(name="vllm", base_url="http://127.0.0.1:8000/v1", models=("g",))


def built(
    config: Config, environ: Mapping[str, str] | None = None, **more: Any
) -> Plan:
    return plan_of(config, CATALOG, environ=environ or {}, today=TODAY, **more)


def only(plan: Plan) -> ProviderPlan:
    (made,) = plan.providers
    return made


def names(plan: Plan) -> list[str]:
    return [each.name for each in plan.providers]


def openai(**fields: Any) -> Config:
    given = ProviderConfig(api_key=Secret("sk-1"), **fields)
    return Config(providers={"openai": given})


def test_a_provider_takes_what_its_preset_knows() -> None:
    plan = only(built(openai()))

    assert plan.base_url == CATALOG.presets["openai"].base_url
    assert (plan.preset, plan.kind, plan.credential) == (
        "openai",
        "openai",
        Secret("sk-1"),
    )


def test_further_keys_follow_the_first() -> None:
    one, two, three = (Secret(f"sk-{n}") for n in "123")
    plan = only(built(openai(api_keys=(two, three))))
    assert (plan.credential, plan.spares) == (one, (two, three))

    given = ProviderConfig(api_keys=(two, three))
    plan = only(built(Config(providers={"openai": given})))
    assert (plan.credential, plan.spares) == (two, (three,))


def test_what_is_configured_goes_before_the_preset() -> None:
    config = openai(
        base_url="http://127.0.0.1:9/v1",
        timeouts=PartialTimeouts(idle=1.0),
        quirks=("no_user",),
    )
    plan = built(config)
    made = only(plan)

    assert made.base_url == "http://127.0.0.1:9/v1"
    assert (made.timeouts.idle, made.timeouts.total) == (1.0, 1800.0)
    assert made.quirks == {"no_user"}
    assert plan.offering.find("gpt-4o").targets[0].quirks == {"no_user"}


def test_a_configured_provider_offers_its_part_of_the_catalog() -> None:
    offering = built(openai()).offering

    chat, responses = offering.find("gpt-4o").targets
    for target in (chat, responses):
        assert (target.provider, target.model) == ("openai", "gpt-4o")
    assert (chat.dialect, responses.dialect) == ("openai_chat", "openai_responses")
    with pytest.raises(ModelNotFound, match="azure"):
        offering.find("Mistral-Medium-3")


def test_an_operators_model_is_offered_beside_them() -> None:
    target = TargetConfig(
        provider="local", model="org/m", dialect="openai_chat", priority=2, weight=3
    )
    config = Config(
        providers={"local": ProviderConfig(kind="openai", base_url="http://h/v1")},
        models=(ModelConfig(id="mine", context="8K", targets=(target,)),),
    )
    model = built(config).offering.find("mine")

    assert (model.context_window, model.targets[0].model) == (8000, "org/m")
    assert (model.targets[0].priority, model.targets[0].weight) == (2, 3)


def test_a_price_is_the_operators_word() -> None:
    price = PriceConfig(input=1_250_000, output=10_000_000, cached=125_000)
    config = openai()
    config = structs.replace(config, models=(ModelConfig(id="gpt-4o", price=price),))
    targets = built(config).offering.find("gpt-4o").targets
    prices = {target.price for target in targets}
    assert prices == {Price(input=1_250_000, output=10_000_000, cached=125_000)}


def test_an_impossible_model_is_a_problem() -> None:
    target = TargetConfig(provider="nowhere", model="m", dialect="openai_chat")
    config = Config(models=(ModelConfig(id="mine", targets=(target,)),))

    with pytest.raises((CatalogProblem, ModelNotFound)):
        built(config).offering.find("mine")


def test_without_configuration_the_environment_speaks() -> None:
    environ = {
        "OPENAI_API_KEY": "sk-1",
        "MISTRAL_API_KEY": "lw-ours",
        "XAI_API_KEY": "",
        "OPENAI_BASE_URL": "http://elsewhere/v1",
    }
    plan = built(Config(), environ)

    assert names(plan) == ["openai"]
    assert only(plan).base_url == CATALOG.presets["openai"].base_url


def test_a_configured_provider_silences_the_environment() -> None:
    plan = built(openai(), {"MISTRAL_API_KEY": "m-1"})

    assert names(plan) == ["openai"]


def test_local_servers_offer_their_own_models() -> None:
    plan = built(Config(), found=(LOCAL,))

    assert names(plan) == ["vllm"]
    assert plan.offering.find("g").targets[0].provider == "vllm"


def test_with_nothing_else_there_is_the_demo() -> None:
    plan = built(Config())

    assert [model.id for model in plan.offering.listed()] == ["demo"]
    (target,) = plan.offering.find("demo").targets
    assert target.price == FREE


def test_discover_false_turns_all_of_it_off() -> None:
    plan = built(
        Config(discover=False),
        {"OPENAI_API_KEY": "sk-1"},
        found=(LOCAL,),
    )

    assert names(plan) == []
    assert plan.offering.listed() == []
