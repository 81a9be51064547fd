from datetime import date

from lightweight.catalog.left_out import (
    GivenTarget,
    left_out_of_catalog,
    left_out_of_given,
)
from lightweight.catalog.load import CatalogTarget, load_catalog
from lightweight.catalog.offer import AddedTarget, Addition, offer

TODAY = date(2026, 11, 22)
SPOKEN = {"openai_chat", "anthropic"}


def target(preset: str, **more: date | str) -> CatalogTarget:
    given = {"model": "m", "dialect": "openai_chat", **more}
    return CatalogTarget(preset=preset, **given)  # type: ignore[arg-type]  # as given


def test_why_targets_of_the_catalog_do_not_count() -> None:
    left = left_out_of_catalog(
        [
            target("openai"),
            target("openai", shutdown=date(2026, 11, 23)),
            target("openai", shutdown=TODAY),
            target("groq"),
            target("openai", dialect="gemini"),
        ],
        {"mine": "openai"},
        SPOKEN,
        TODAY,
    )
    assert [(each.provider, each.why) for each in left] == [
        ("openai", "The provider shut it down on 2026-11-22."),
        ("groq", "No provider is configured for it: add [providers.groq]."),
        ("openai", "This version of Lightweight does not speak gemini."),
    ]


def test_why_targets_of_the_operator_do_not_count() -> None:
    given: list[GivenTarget] = [
        AddedTarget(provider="mine", model="m", dialect="openai_chat"),
        AddedTarget(provider="other", model="m", dialect="openai_chat"),
        AddedTarget(provider="mine", model="m", dialect="gemini"),
    ]
    left = left_out_of_given(given, {"mine"}, SPOKEN)
    assert [each.why for each in left] == [
        "[providers.other] is not configured.",
        "This version of Lightweight does not speak gemini.",
    ]


def test_an_offering_knows_each_target_in_it_or_left_out() -> None:
    catalog = load_catalog()
    offering = offer(catalog, {"mine": "openai"}, [], SPOKEN, TODAY)
    for id_, entry in catalog.models.items():
        counted = offering.models[id_].targets if id_ in offering.models else ()
        assert len(counted) + len(offering.left_out[id_]) == len(entry.targets)


def test_the_operators_targets_take_the_place_of_the_catalogs() -> None:
    catalog = load_catalog()
    id_ = next(id_ for id_, entry in catalog.models.items() if entry.targets)
    mine = AddedTarget(provider="mine", model="m", dialect="openai_chat")
    addition = Addition(id=id_, targets=(mine,))
    offering = offer(catalog, {"mine": None}, [addition], SPOKEN, TODAY)
    assert offering.left_out[id_] == ()
