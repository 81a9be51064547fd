"""The catalog that ships: what it promises, and what its loader refuses."""

from collections import Counter
from datetime import date

import pytest

from lightweight.catalog.load import (
    Catalog,
    CatalogProblem,
    context_tokens,
    load_catalog,
    parse_catalog,
)
from lightweight.records import Price

DOCUMENTED = """
gpt-5.3-codex 128K GA
gpt-5.2-codex 128K GA
gpt-5.1-codex 128K GA
gpt-5.1-codex-max 200K+ GA
gpt-5.1-codex-mini 64K Preview
gpt-5.2 128K GA
gpt-5.1 128K GA
gpt-5-mini 128K GA
claude-opus-4.6 200K GA
claude-opus-4.6-fast 200K Preview
claude-opus-4.5 200K GA
claude-sonnet-4.6 200K GA
claude-sonnet-4.5 200K GA
claude-sonnet-4 200K GA
claude-haiku-4.5 200K GA
gemini-3.1-pro 1M+ Preview
gemini-3-pro 1M+ Preview
gemini-3-flash 1M+ Preview
gemini-2.5-pro 1M+ GA
grok-code-fast-1 128K GA
raptor-mini 64K Preview
goldeneye 128K Preview
gpt-4o 128K GA
gpt-4o-mini 128K GA
o1 200K GA
o1-mini 128K GA
o3-mini 200K GA
o4-mini 200K GA
Llama-3.3-70B-Instruct 128K GA
Llama-3.2-90B-Vision-Instruct 128K GA
Llama-4-Scout 512K Preview
Phi-4 16K GA
Phi-4-mini-instruct 128K GA
MAI-DS-R1 128K GA
DeepSeek-R1 128K GA
DeepSeek-V3 128K GA
Mistral-Small-3.1 128K GA
Codestral-2501 256K GA
Mistral-Medium-3 128K GA
Command-R-Plus 128K GA
Command-R 128K GA
"""
"""The public documentation's table: id, context, status."""

CAPABILITIES = {"chat", "tools", "vision", "reasoning", "responses_only"}

PRESETS = """
[quirks]
odd = "something is odd"
[presets.acme]
kind = "openai"
base_url = "https://acme.example/v1"
env = "ACME_API_KEY"
quirks = ["odd"]
"""

MODEL = """
[[models]]
id = "one"
owned_by = "acme"
context = "128K"
status = "GA"
created = 2025-01-02
capabilities = ["chat"]
targets = [{ preset = "acme", model = "acme/one", dialect = "openai_chat" }]
"""


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


def test_the_models_are_those_of_the_documentation(catalog: Catalog) -> None:
    documented = [tuple(line.split()) for line in DOCUMENTED.split("\n") if line]
    assert len(documented) == 41
    assert [(m.id, m.context, m.status) for m in catalog.models.values()] == documented
    assert all(id_ == entry.id for id_, entry in catalog.models.items())


def test_every_target_names_a_preset(catalog: Catalog) -> None:
    used = {t.preset for entry in catalog.models.values() for t in entry.targets}
    assert used <= set(catalog.presets)
    assert {"openai", "anthropic", "gemini", "mistral", "cohere", "azure"} <= used


def test_no_two_models_share_a_name(catalog: Catalog) -> None:
    names = Counter(
        name.casefold()
        for entry in catalog.models.values()
        for name in (entry.id, *entry.aliases)
    )
    assert [name for name, times in names.items() if times > 1] == []


def test_clients_names_are_aliases(catalog: Catalog) -> None:
    aliases = {
        alias: entry.id for entry in catalog.models.values() for alias in entry.aliases
    }
    assert aliases["claude-opus-4-6"] == "claude-opus-4.6"
    assert aliases["opus-4.6"] == "claude-opus-4.6"
    assert aliases["claude-sonnet-4-5-20250929"] == "claude-sonnet-4.5"
    assert aliases["gemini-3-flash-preview"] == "gemini-3-flash"
    for entry in catalog.models.values():
        if entry.owned_by == "anthropic":
            short = entry.id.removeprefix("claude-")
            assert short in entry.aliases
            if "." in entry.id:
                assert entry.id.replace(".", "-") in entry.aliases


def test_facts_that_decide_who_is_asked(catalog: Catalog) -> None:
    codex = [m for m in catalog.models.values() if "codex" in m.id]
    assert len(codex) == 5
    for entry in codex:
        assert "responses_only" in entry.capabilities
        assert entry.targets[0].dialect == "openai_responses"
    for entry in catalog.models.values():
        assert entry.capabilities <= CAPABILITIES
        assert "chat" in entry.capabilities
        for target in entry.targets:
            if target.preset == "anthropic":
                assert target.dialect == "anthropic"
            if target.preset == "gemini-native":
                assert target.dialect == "gemini"
            if target.preset in {"gemini", "mistral", "cohere", "openrouter"}:
                assert target.dialect == "openai_chat"
    assert catalog.models["raptor-mini"].targets == ()
    assert catalog.models["goldeneye"].targets == ()
    assert catalog.models["gemini-3-pro"].replacement == "gemini-3.1-pro"


OWN = """
gpt-5.3-codex openai gpt-5.3-codex 2027-04-01
gpt-5.2-codex openai gpt-5.2-codex 2026-07-23
gpt-5.2-codex azure gpt-5.2-codex 2027-07-13
gpt-5.1-codex openai gpt-5.1-codex 2026-07-23
gpt-5.1-codex azure gpt-5.1-codex 2027-05-15
gpt-5.1-codex-max openai gpt-5.1-codex-max 2026-07-23
gpt-5.1-codex-max azure gpt-5.1-codex-max 2027-05-18
gpt-5.1-codex-mini openai gpt-5.1-codex-mini 2026-07-23
gpt-5.1-codex-mini azure gpt-5.1-codex-mini 2027-05-15
gpt-5.2 openai gpt-5.2 -
gpt-5.1 openai gpt-5.1 2027-04-01
gpt-5-mini openai gpt-5-mini 2026-12-11
claude-opus-4.6 anthropic claude-opus-4-6 -
claude-opus-4.6-fast anthropic claude-opus-4-6 -
claude-opus-4.5 anthropic claude-opus-4-5-20251101 -
claude-sonnet-4.6 anthropic claude-sonnet-4-6 -
claude-sonnet-4.5 anthropic claude-sonnet-4-5-20250929 2026-11-30
claude-sonnet-4 anthropic claude-sonnet-4-20250514 2026-06-15
claude-haiku-4.5 anthropic claude-haiku-4-5-20251001 -
gemini-3.1-pro gemini gemini-3.1-pro-preview -
gemini-3-pro gemini gemini-3-pro-preview 2026-03-09
gemini-3-flash gemini gemini-3-flash-preview -
gemini-2.5-pro gemini gemini-2.5-pro 2026-12-01
grok-code-fast-1 xai grok-code-fast-1 2026-05-15
grok-code-fast-1 azure grok-code-fast-1 2027-01-31
gpt-4o openai gpt-4o 2027-01-14
gpt-4o-mini openai gpt-4o-mini 2027-01-14
o1 openai o1 2026-10-23
o1 azure o1 2026-11-19
o1-mini openai o1-mini 2025-10-27
o3-mini openai o3-mini 2026-10-23
o4-mini openai o4-mini 2026-10-23
Llama-3.3-70B-Instruct azure Llama-3.3-70B-Instruct 2027-01-31
Llama-4-Scout azure Llama-4-Scout-17B-16E-Instruct 2027-01-31
Phi-4 azure Phi-4 2027-01-17
Phi-4-mini-instruct azure Phi-4-mini-instruct 2027-01-17
MAI-DS-R1 azure MAI-DS-R1 2026-02-27
Mistral-Small-3.1 azure mistral-small-2503 2027-02-15
Codestral-2501 mistral codestral-2501 2025-11-30
Codestral-2501 azure Codestral-2501 2027-02-15
Mistral-Medium-3 azure mistral-medium-2505 2026-12-09
Command-R-Plus cohere command-r-plus-08-2024 -
Command-R cohere command-r-08-2024 -
"""
"""Id, preset, the id there, the last day there; as the vendors say it."""


def test_vendors_names_and_dates(catalog: Catalog) -> None:
    told = {
        (entry.id, target.preset, target.model, str(target.shutdown or "-"))
        for entry in catalog.models.values()
        for target in entry.targets
    }
    assert {tuple(line.split()) for line in OWN.split("\n") if line} - told == set()


def test_prices_are_dated_and_plausible(catalog: Catalog) -> None:
    prices = {
        (target.preset, target.model): target.price
        for entry in catalog.models.values()
        for target in entry.targets
        if target.price is not None
    }
    assert prices["openai", "gpt-5.2"] == Price(
        input=1_750_000, cached=175_000, output=14_000_000, as_of=date(2026, 9, 5)
    )
    for preset, _model in prices:
        assert preset in {"openai", "anthropic", "gemini", "gemini-native"}
    for price in prices.values():
        assert price.as_of is not None
        assert date(2026, 1, 1) <= price.as_of <= date(2026, 11, 22)
        assert price.cached is not None
        assert 0 < price.cached < price.input < price.output
        assert price.cache_write is None or price.cache_write > price.input


def test_the_same_vendors_model_has_one_price(catalog: Catalog) -> None:
    prices: dict[tuple[str, str, frozenset[str]], set[Price | None]] = {}
    for entry in catalog.models.values():
        for target in entry.targets:
            key = (target.preset, target.model, target.quirks & {"fast_speed"})
            prices.setdefault(key, set()).add(target.price)
    assert [key for key, found in prices.items() if len(found) > 1] == []


def test_dates_and_sizes_are_those_of_people(catalog: Catalog) -> None:
    four = catalog.models["gpt-4o"]
    assert four.created_at == 1715558400
    assert four.context_window == 128_000
    assert str(catalog.models["o1"].shutdown_date) == "2026-11-19"
    assert catalog.models["gpt-5.2"].shutdown_date is None
    assert catalog.models["raptor-mini"].shutdown_date is None
    assert catalog.models["gemini-2.5-pro"].context_window == 1_000_000
    for entry in catalog.models.values():
        assert 1_700_000_000 < entry.created_at < 1_800_000_000


def test_presets_say_how_to_reach_a_provider(catalog: Catalog) -> None:
    local = {"ollama", "llamacpp", "vllm"}
    for name, preset in catalog.presets.items():
        assert preset.name == name
        assert (preset.env is None) == (name in {*local, "gemini-native"})
        assert (preset.base_url is None) == (name == "azure")
        if preset.base_url is not None:
            scheme = "http://127.0.0.1:" if name in local else "https://"
            assert preset.base_url.startswith(scheme)
            assert not preset.base_url.endswith("/")
    assert catalog.presets["openai"].base_url == "https://api.openai.com/v1"
    assert catalog.presets["anthropic"].kind == "anthropic"
    assert "seed_is_random_seed" in catalog.presets["mistral"].quirks


@pytest.mark.parametrize(
    ("context", "tokens"),
    [("64K", 64_000), ("200K+", 200_000), ("1.5M", 1_500_000), ("131072", 131_072)],
)
def test_a_context_is_a_number_of_tokens(context: str, tokens: int) -> None:
    assert context_tokens(context) == tokens


@pytest.mark.parametrize("context", ["", "lots", "128k", "K", "-1K", "1e3", "128KB"])
def test_a_context_that_is_none_is_refused(context: str) -> None:
    with pytest.raises(CatalogProblem, match="no number of tokens"):
        context_tokens(context)


def test_a_small_catalog_is_read() -> None:
    catalog = parse_catalog(MODEL, PRESETS)
    assert list(catalog.models) == ["one"]
    assert catalog.presets["acme"].quirks == {"odd"}
    assert catalog.models["one"].targets[0].model == "acme/one"
    assert catalog.models["one"].replacement is None


def and_two(line: str) -> str:
    """``MODEL``, and once more under the id "two" with a line added."""
    two = MODEL.replace('"one"', '"two"')
    return MODEL + two.replace("[[models]]", "[[models]]\n" + line)


@pytest.mark.parametrize(
    ("models", "complaint"),
    [
        (MODEL + MODEL, "model 'one': listed twice"),
        (and_two('aliases = ["one"]'), "model 'two': the name 'one' is taken by 'one'"),
        (and_two('aliases = ["ONE"]'), "model 'two': the name 'ONE' is taken by 'one'"),
        (and_two('aliases = ["x", "x"]'), "model 'two': the name 'x' is taken"),
        (and_two('replacement = "three"'), "model 'two': the replacement 'three'"),
        (and_two('replacement = "two"'), "model 'two': the replacement 'two'"),
        (MODEL.replace('preset = "acme"', 'preset = "x"'), "no preset 'x'"),
        (MODEL.replace("openai_chat", "esperanto"), "model 'one': .*esperanto"),
        (MODEL.replace("128K", "much"), "model 'one': the context 'much'"),
        (MODEL.replace('"GA"', '"Beta"'), "model 'one': .*Beta"),
        (MODEL.replace("owned_by", "owner"), "model 'one': "),
        (MODEL.replace('chat" }', 'chat", quirks = ["q"] }'), "quirk 'q' is not"),
        (MODEL.replace('chat" }', 'chat", price = { input = 1 } }'), "'one': .*output"),
        (
            MODEL.replace(
                'chat" }', 'chat", price = { input = 1, output = 1, x = 1 } }'
            ),
            "model 'one': .*`x`",
        ),
    ],
)
def test_a_wrong_entry_is_named(models: str, complaint: str) -> None:
    with pytest.raises(CatalogProblem, match=complaint):
        parse_catalog(models, PRESETS)


@pytest.mark.parametrize(
    ("presets", "complaint"),
    [
        (PRESETS.replace('["odd"]', '["even"]'), "preset 'acme': the quirk 'even'"),
        (PRESETS.replace('kind = "openai"', 'kind = "fax"'), "preset 'acme': .*fax"),
        (PRESETS.replace("env =", "environ ="), "preset 'acme': .*environ"),
    ],
)
def test_a_wrong_preset_is_named(presets: str, complaint: str) -> None:
    with pytest.raises(CatalogProblem, match=complaint):
        parse_catalog(MODEL, presets)
