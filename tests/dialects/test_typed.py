import msgspec
import pytest
from msgspec import Raw, Struct

from lightweight.dialects.typed import given, typed, unsupported
from lightweight.errors import BadRequest


class Item(Struct):
    name: str


ITEMS = msgspec.json.Decoder(list[Item])


def test_a_sound_member_is_decoded() -> None:
    assert typed(ITEMS, Raw(b'[{"name":"a"}]'), "items") == [Item("a")]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"7", "items"),
        (b'[{"name":"a"},{"name":7}]', "items[1].name"),
        (b"[{}]", "items[0]"),
    ],
)
def test_the_blame_names_the_field(body: bytes, param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        typed(ITEMS, Raw(body), "items")
    assert caught.value.param == param
    assert "`" not in caught.value.message


def test_null_says_nothing() -> None:
    assert not given(None)
    assert not given(Raw(b"null"))
    assert not given(Raw())
    assert given(Raw(b"0"))


def test_unsupported_names_the_parameter() -> None:
    fault = unsupported("logit_bias", "Leave it out.")
    assert (fault.param, fault.code) == ("logit_bias", "unsupported_parameter")
    assert fault.message == "Unsupported parameter: 'logit_bias'. Leave it out."
