"""What is offered to whom, and what a client is told of the rest."""

from datetime import date

import pytest

from lightweight.catalog.load import Catalog, CatalogProblem, load_catalog
from lightweight.catalog.offer import AddedTarget, Addition, Offering, offer
from lightweight.errors import ModelNotFound
from lightweight.records import Price

TODAY = date(2026, 11, 22)
CHAT = ("openai_chat",)
ALL = ("openai_chat", "openai_responses", "anthropic")


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


def told(offering: Offering, name: str) -> str:
    with pytest.raises(ModelNotFound) as caught:
        offering.find(name)
    fault = caught.value
    assert (fault.status, fault.code, fault.param) == (404, "model_not_found", "model")
    return fault.message


def at(provider: str, model: str = "theirs") -> AddedTarget:
    return AddedTarget(provider=provider, model=model, dialect="openai_chat")


def test_openai_alone_offers_what_openai_still_serves_over_chat(
    catalog: Catalog,
) -> None:
    offering = offer(catalog, {"openai": "openai"}, [], CHAT, TODAY)
    assert [model.id for model in offering.listed()] == [
        "gpt-4o",
        "gpt-4o-mini",
        "gpt-5-mini",
        "gpt-5.1",
        "gpt-5.2",
    ]
    model = offering.find("gpt-5.1")
    assert (model.created, model.owned_by) == (1762992000, "openai")
    assert (model.context, model.context_window) == ("128K", 128_000)
    assert model.shutdown_date == date(2027, 4, 1)
    assert [(t.provider, t.model) for t in model.targets] == [("openai", "gpt-5.1")]
    assert model.targets[0].quirks == {"reasoning_parameters"}


def test_a_dialect_more_offers_the_models_that_need_it(catalog: Catalog) -> None:
    offering = offer(catalog, {"openai": "openai"}, [], ALL, TODAY)
    model = offering.find("gpt-5.3-codex")
    assert [t.dialect for t in model.targets] == ["openai_responses"]
    both = offering.find("gpt-5.2")
    assert [t.dialect for t in both.targets] == ["openai_chat", "openai_responses"]


def test_anthropic_alone_counts_once_its_dialect_is_spoken(catalog: Catalog) -> None:
    providers = {"anthropic": "anthropic"}
    assert offer(catalog, providers, [], CHAT, TODAY).listed() == []
    offering = offer(catalog, providers, [], ALL, TODAY)
    assert [model.id for model in offering.listed()] == [
        "claude-haiku-4.5",
        "claude-opus-4.5",
        "claude-opus-4.6",
        "claude-opus-4.6-fast",
        "claude-sonnet-4.5",
        "claude-sonnet-4.6",
    ]


def test_the_list_is_sorted_without_regard_to_letter_case(catalog: Catalog) -> None:
    offering = offer(catalog, {"openrouter": "openrouter"}, [], CHAT, TODAY)
    ids = [model.id for model in offering.listed()]
    assert ids.index("claude-sonnet-4.6") < ids.index("Command-R") < ids.index("gpt-4o")
    assert len(ids) == 23


def test_no_provider_offers_nothing_and_says_so(catalog: Catalog) -> None:
    offering = offer(catalog, {}, [], CHAT, TODAY)
    assert offering.listed() == []
    assert offering.models == {}
    for id_ in catalog.models:
        assert f"'{id_}'" in told(offering, id_)


def test_a_provider_without_a_preset_serves_no_catalog_model(catalog: Catalog) -> None:
    assert offer(catalog, {"mine": None}, [], CHAT, TODAY).listed() == []


def test_two_providers_of_a_preset_are_two_targets_in_order(catalog: Catalog) -> None:
    providers = {"second": "openai", "or": "openrouter", "first": "openai"}
    model = offer(catalog, providers, [], CHAT, TODAY).find("gpt-5.2")
    assert [(t.provider, t.model) for t in model.targets] == [
        ("second", "gpt-5.2"),
        ("first", "gpt-5.2"),
        ("or", "openai/gpt-5.2"),
    ]


def test_targets_carry_their_presets_quirks(catalog: Catalog) -> None:
    model = offer(catalog, {"cohere": "cohere"}, [], CHAT, TODAY).find("Command-R")
    assert model.targets[0].quirks == {"penalties_0_to_1", "no_user"}


def test_an_operator_s_quirks_replace_the_preset_s(catalog: Catalog) -> None:
    told = {"cohere": frozenset({"no_strict"})}
    offering = offer(catalog, {"cohere": "cohere"}, [], CHAT, TODAY, told)
    assert offering.find("Command-R").targets[0].quirks == {"no_strict"}
    target = AddedTarget(provider="mine", model="m", dialect="openai_chat")
    mine = Addition(id="x", targets=(target,))
    told = {"mine": frozenset({"no_user"})}
    offering = offer(catalog, {"mine": None}, [mine], CHAT, TODAY, told)
    assert offering.find("x").targets[0].quirks == {"no_user"}


def test_a_quirk_that_nobody_knows_is_refused(catalog: Catalog) -> None:
    told = {"cohere": frozenset({"no_such"})}
    with pytest.raises(CatalogProblem, match=r"'cohere': there is no quirk 'no_such'"):
        offer(catalog, {"cohere": "cohere"}, [], CHAT, TODAY, told)


@pytest.mark.parametrize(
    ("today", "offered"),
    [(date(2026, 12, 10), True), (date(2026, 12, 11), False)],
)
def test_a_target_is_gone_on_its_shutdown_date(
    catalog: Catalog, today: date, *, offered: bool
) -> None:
    offering = offer(catalog, {"openai": "openai"}, [], CHAT, today)
    assert ("gpt-5-mini" in offering.models) is offered
    if not offered:
        message = told(offering, "gpt-5-mini")
        assert "[providers.azure]" in message
        assert "A provider of this server retired it: use 'gpt-5.2'." in message


def test_a_model_that_another_provider_keeps_has_no_end_or_a_later_one(
    catalog: Catalog,
) -> None:
    providers = {"openai": "openai", "azure": "azure"}
    model = offer(catalog, providers, [], CHAT, TODAY).find("gpt-4o")
    assert model.shutdown_date == date(2027, 4, 14)


# -- names -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "id_"),
    [
        ("claude-opus-4.6", "claude-opus-4.6"),
        ("claude-opus-4-6", "claude-opus-4.6"),
        ("opus-4.6", "claude-opus-4.6"),
        ("Claude-Opus-4.6", "claude-opus-4.6"),
        ("openai/claude-opus-4.6", "claude-opus-4.6"),
        ("openai/gpt-5.1", "gpt-5.1"),
        ("openai/opus-4.6", "claude-opus-4.6"),
        ("phi-4", "Phi-4"),
        ("command-r-08-2024", "Command-R"),
    ],
)
def test_a_model_is_found_by_every_name(catalog: Catalog, name: str, id_: str) -> None:
    providers = {"openrouter": "openrouter"}
    assert offer(catalog, providers, [], CHAT, TODAY).find(name).id == id_


def test_an_unknown_model_is_answered_with_close_ones_on_offer(
    catalog: Catalog,
) -> None:
    offering = offer(catalog, {"openai": "openai"}, [], CHAT, TODAY)
    message = told(offering, "gpt-5.1-codx")
    assert message.startswith("The model 'gpt-5.1-codx' does not exist. Did you mean '")
    assert "'gpt-5.1'" in message
    assert "codex" not in message  # known, close, and not offered
    assert told(offering, "zzz") == (
        "The model 'zzz' does not exist. "
        "GET /v1/models lists the models this server offers."
    )
    assert len(told(offering, "x" * 10_000)) < 300


def test_a_known_model_without_a_provider_says_which_to_configure(
    catalog: Catalog,
) -> None:
    offering = offer(catalog, {"openai": "openai"}, [], ALL, TODAY)
    assert told(offering, "opus-4.6") == (
        "The model 'claude-opus-4.6' is known, but no provider of this server serves "
        "it. Its operator can add [providers.anthropic] or [providers.openrouter] to "
        "the configuration."
    )
    many = told(offering, "Llama-3.3-70B-Instruct")
    assert "[providers.deepinfra], [providers.nebius] or [providers.novita] to" in many


def test_a_dialect_not_spoken_yet_is_no_matter_of_configuration(
    catalog: Catalog,
) -> None:
    offering = offer(catalog, {"openai": "openai"}, [], CHAT, TODAY)
    message = told(offering, "gpt-5.1-codex")
    assert "speak only openai_responses" in message
    assert "[providers" not in message
    assert "use 'gpt-5.3-codex'" in message


def test_a_retired_model_names_its_replacement(catalog: Catalog) -> None:
    offering = offer(catalog, {"openai": "openai"}, [], ALL, TODAY)
    assert told(offering, "o1") == (
        "The model 'o1' was retired on 2026-11-19 and has no provider any more. "
        "Use 'gpt-5.2' instead."
    )
    assert "Use 'gemini-3.1-pro' instead." in told(offering, "gemini-3-pro")


def test_a_model_that_nobody_serves_asks_for_a_target(catalog: Catalog) -> None:
    offering = offer(catalog, {"openai": "openai"}, [], ALL, TODAY)
    assert "no public provider serves it" in told(offering, "goldeneye")
    assert "[[models]]" in told(offering, "goldeneye")


# -- the operator's own ------------------------------------------------------------


def test_an_operator_adds_a_model(catalog: Catalog) -> None:
    mine = Addition(
        id="my-model", context="32K", aliases=("mine",), targets=(at("box"),)
    )
    offering = offer(catalog, {"box": None}, [mine], CHAT, TODAY)
    model = offering.find("mine")
    assert offering.listed() == [model]
    assert (model.id, model.context, model.context_window) == ("my-model", "32K", 32000)
    assert (model.owned_by, model.created, model.status) == ("operator", 0, "GA")
    assert [(t.provider, t.model, t.quirks) for t in model.targets] == [
        ("box", "theirs", frozenset())
    ]
    assert offering.find("openai/MY-MODEL") is model


def test_an_addition_of_nothing_but_a_target_has_no_known_context(
    catalog: Catalog,
) -> None:
    found = Addition(id="qwen3:0.6b", targets=(at("ollama"),))
    model = offer(catalog, {"ollama": None}, [found], CHAT, TODAY).find("qwen3:0.6b")
    assert (model.context, model.context_window) == ("", 0)


def test_an_operator_overrides_field_by_field(catalog: Catalog) -> None:
    given = Addition(id="gpt-5.2", context="400K", status="Preview")
    providers = {"openai": "openai"}
    model = offer(catalog, providers, [given], CHAT, TODAY).find("gpt-5.2")
    assert (model.context, model.context_window) == ("400K", 400_000)
    assert model.status == "Preview"
    assert model.owned_by == "openai"
    assert [t.model for t in model.targets] == ["gpt-5.2"]


def test_given_targets_replace_and_outlive_the_catalogs(catalog: Catalog) -> None:
    given = Addition(id="o1", targets=(at("openai", "o1"),))
    providers = {"openai": "openai", "cohere": "cohere"}
    model = offer(catalog, providers, [given], CHAT, TODAY).find("o1")
    assert [(t.provider, t.model) for t in model.targets] == [("openai", "o1")]
    kept = Addition(id="gpt-5.1", targets=(at("openai", "gpt-5.1"),))
    model = offer(catalog, providers, [kept], CHAT, TODAY).find("gpt-5.1")
    assert model.shutdown_date is None
    moved = Addition(id="gpt-5.2", targets=(at("cohere"),))
    model = offer(catalog, providers, [moved], CHAT, TODAY).find("gpt-5.2")
    assert [t.provider for t in model.targets] == ["cohere"]
    assert model.targets[0].quirks == catalog.presets["cohere"].quirks


def test_an_operators_price_holds_at_every_target(catalog: Catalog) -> None:
    price = Price(input=1, output=2)
    offering = offer(
        catalog,
        {"openai": "openai", "azure": "azure"},
        [Addition(id="gpt-5.2", price=price)],
        CHAT,
        TODAY,
    )
    targets = offering.find("gpt-5.2").targets
    assert [target.price for target in targets] == [price, price]
    assert [target.provider for target in targets] == ["openai", "azure"]


def test_a_product_internal_model_is_offered_once_mapped(catalog: Catalog) -> None:
    given = Addition(id="raptor-mini", targets=(at("box"),))
    model = offer(catalog, {"box": None}, [given], CHAT, TODAY).find("raptor-mini")
    assert (model.context, model.owned_by) == ("64K", "github")


def test_an_added_target_in_an_unspoken_dialect_does_not_count(
    catalog: Catalog,
) -> None:
    target = AddedTarget(provider="box", model="m", dialect="ollama")
    given = [Addition(id="mine", targets=(target,)), Addition(id="bare")]
    offering = offer(catalog, {"box": None}, given, CHAT, TODAY)
    assert offering.listed() == []
    assert "'mine' is configured, but with no target" in told(offering, "mine")
    assert "'bare' is configured, but with no target" in told(offering, "bare")


def test_an_operators_alias_may_revive_a_retired_name(catalog: Catalog) -> None:
    given = Addition(id="gpt-5.2", aliases=("o1", "gpt-5.1"))
    offering = offer(catalog, {"openai": "openai"}, [given], CHAT, TODAY)
    assert offering.find("o1").id == "gpt-5.2"
    assert offering.find("gpt-5.1").id == "gpt-5.1"  # offered under its own id


def test_a_target_of_a_preset_counts_when_its_provider_is_configured(
    catalog: Catalog,
) -> None:
    given = Addition(id="fast", targets=(at("groq"), at("openai")))
    offering = offer(catalog, {"openai": "openai"}, [given], CHAT, TODAY)
    assert [each.provider for each in offering.find("fast").targets] == ["openai"]

    alone = Addition(id="fast", targets=(at("groq"),))
    with pytest.raises(ModelNotFound, match=r"it needs \[providers\.groq\]\.$"):
        offer(catalog, {"openai": "openai"}, [alone], CHAT, TODAY).find("fast")


@pytest.mark.parametrize(
    ("additions", "complaint"),
    [
        ([Addition(id="m", targets=(at("nowhere"),))], "'m': there is no provider"),
        ([Addition(id="m"), Addition(id="m")], "'m': given twice"),
        ([Addition(id="m", context="big")], "'m': the context 'big'"),
    ],
)
def test_an_addition_that_cannot_be_right_is_named(
    catalog: Catalog, additions: list[Addition], complaint: str
) -> None:
    with pytest.raises(CatalogProblem, match=complaint):
        offer(catalog, {"box": None}, additions, CHAT, TODAY)


def test_latest_is_the_tag_of_a_name_without_one(catalog: Catalog) -> None:
    added = [
        Addition(id=id_, targets=(at("box"),)) for id_ in ("llama:latest", "plain")
    ]
    offering = offer(catalog, {"box": None}, added, CHAT, TODAY)
    for name in ("llama", "LLAMA:latest", "openai/llama:latest"):
        assert offering.find(name).id == "llama:latest"
    assert offering.find("plain:latest").id == "plain"
    assert "does not exist" in told(offering, "llama:8b")
