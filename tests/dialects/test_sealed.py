"""Whose seals a conversation brings back."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace
from support.chat import call

from lightweight.dialects.sealed import TRIES, sealed_by
from lightweight.dialects.seals import Carried, with_carried, wrapped
from lightweight.prompts import Reasoning
from lightweight.records import Call

CLAUDES = Reasoning(text="t", seal="S", sealed_by="anthropic")


def said(dialect: Any, field: str, body: Any) -> Call:
    raw = Raw(json.dumps(body).encode())
    return replace(call(), dialect=dialect, fields={field: raw})


def of_id(dialect: Any, carried: Carried) -> Call:
    return said(dialect, "messages", [{"id": with_carried("c", carried)}])


@pytest.mark.parametrize(
    ("asked", "whose"),
    [
        (call(), None),
        (said("anthropic", "messages", [{"signature": "x"}]), "anthropic"),
        (said("anthropic", "messages", [{"signature": ""}]), None),
        (
            said("anthropic", "messages", [{"type": "redacted_thinking", "data": "x"}]),
            "anthropic",
        ),
        (said("anthropic", "messages", [{"signature": wrapped(Reasoning())}]), None),
        (
            said("openai_responses", "input", [{"encrypted_content": "x"}]),
            "openai_responses",
        ),
        (said("openai_responses", "input", [{"encrypted_content": None}]), None),
        (
            said(
                "openai_responses", "input", [{"encrypted_content": wrapped(CLAUDES)}]
            ),
            "anthropic",
        ),
        (
            said("openai_chat", "messages", [{"google": {"thought_signature": "x"}}]),
            "gemini",
        ),
        (said("openai_chat", "messages", '"thought_signature": "x"'), None),
        (of_id("openai_chat", Carried(thoughts=(CLAUDES,))), "anthropic"),
        (of_id("openai_chat", Carried(seal="S", sealed_by="gemini")), "gemini"),
        (said("openai_chat", "messages", ["_lw1_nothing"]), None),
        (said("ollama", "messages", [{"signature": "x"}]), None),
    ],
)
def test_by_place(asked: Call, whose: str | None) -> None:
    assert sealed_by(asked) == whose


def test_the_last_one_decides() -> None:
    gemini = with_carried("c", Carried(seal="S", sealed_by="gemini"))
    asked = said("anthropic", "messages", [{"signature": "x"}, {"id": gemini}])
    assert sealed_by(asked) == "gemini"
    asked = said("anthropic", "messages", [{"id": gemini}, {"signature": "x"}])
    assert sealed_by(asked) == "anthropic"


@given(st.text(), st.sampled_from(["anthropic", "openai_chat", "openai_responses"]))
def test_no_text_is_taken_for_a_seal(text: str, dialect: Any) -> None:
    quoted = f'"signature":"x" "encrypted_content":"x" {text}'
    assert sealed_by(said(dialect, "messages", [quoted])) is None


def test_what_is_no_seal_is_passed_over() -> None:
    empty = {"signature": ""}
    asked = said("anthropic", "messages", [{"signature": "x"}, *[empty] * (TRIES - 1)])
    assert sealed_by(asked) == "anthropic"
    asked = said("anthropic", "messages", [{"signature": "x"}, *[empty] * TRIES])
    assert sealed_by(asked) is None
    unsealed = {"signature": wrapped(Reasoning())}
    asked = said("anthropic", "messages", [{"signature": "x"}, unsealed])
    assert sealed_by(asked) == "anthropic"
