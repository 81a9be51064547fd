import pytest
from msgspec import Raw

from lightweight.dialects.top_level import (
    flag,
    forwarded,
    missing,
    model_of,
    wrong_type,
)
from lightweight.errors import BadRequest


def test_the_model() -> None:
    assert model_of({"model": Raw(b'"m"')}) == "m"


@pytest.mark.parametrize("raw", [None, Raw(b"7"), Raw(b'""'), Raw(b"null")])
def test_no_model(raw: Raw | None) -> None:
    with pytest.raises(BadRequest) as caught:
        model_of({} if raw is None else {"model": raw})
    assert caught.value.param == "model"


def test_flags() -> None:
    assert flag("a", Raw(b"true"))
    assert not flag("a", Raw(b"null"))
    assert not flag("a", None)
    with pytest.raises(BadRequest):
        flag("a", Raw(b"1"))


def test_headers_go_by_list() -> None:
    assert forwarded({"openai-beta": "x", "cookie": "y"}) == {"openai-beta": "x"}


def test_faults_name_the_field() -> None:
    assert missing("a.b").param == "a.b"
    fault = wrong_type("a", "a string", Raw(b"-1"))
    assert "expected a string, but got a number" in fault.message
