import pytest
from msgspec import Raw

from lightweight.dialects.hints import HINTS, refuse_rest
from lightweight.errors import BadRequest
from lightweight.prompts import Prompt


def rest(*names: str) -> Prompt:
    return Prompt(turns=(), rest={name: Raw(b"1") for name in names})


def test_hints_may_be_lost() -> None:
    refuse_rest(rest(*HINTS))


def test_anything_else_is_refused_by_name() -> None:
    with pytest.raises(BadRequest) as caught:
        refuse_rest(rest("store", "logit_bias"))
    assert caught.value.param == "logit_bias"
    assert caught.value.code == "unsupported_parameter"


def test_what_the_writer_takes_is_not_lost() -> None:
    refuse_rest(rest("logit_bias"), frozenset({"logit_bias"}))


@pytest.mark.parametrize(
    "nothing", [b"null", b"0", b"0.0", b"false", b"{}", b"[]", b'""']
)
def test_a_field_that_asks_for_nothing_may_be_lost(nothing: bytes) -> None:
    refuse_rest(Prompt(turns=(), rest={"logit_bias": Raw(nothing)}))


def test_a_field_that_asks_by_being_there_is_refused() -> None:
    with pytest.raises(BadRequest):
        refuse_rest(Prompt(turns=(), rest={"web_search_options": Raw(b"{}")}))
