import json

import pytest

from lightweight.dialects.anthropic_calls import as_object, sound_id


@pytest.mark.parametrize("text", ['{"x":1}', ' {"x" : [1]} ', "{}"])
def test_an_object_stays_as_it_is_written(text: str) -> None:
    assert bytes(as_object(text)).decode() == text


@pytest.mark.parametrize("text", ["", " "])
def test_nothing_is_an_empty_object(text: str) -> None:
    assert bytes(as_object(text)) == b"{}"


@pytest.mark.parametrize("text", ["[1]", "null", '{"x":', "plain", '"'])
def test_anything_else_stands_in_one(text: str) -> None:
    assert json.loads(bytes(as_object(text))) == {"input": text}


def test_half_a_surrogate_harms_nothing() -> None:
    assert json.loads(bytes(as_object("\ud800"))) == {"input": "?"}


@pytest.mark.parametrize(
    ("given", "sound"), [("toolu_1-a", "toolu_1-a"), ("functions.f:0", "functions_f_0")]
)
def test_ids(given: str, sound: str) -> None:
    assert sound_id(given) == sound


def test_there_is_always_an_id() -> None:
    assert sound_id("") == "_"
