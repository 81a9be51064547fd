import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightweight.dialects.splice import replaced, without

# (object, without "u")
WITHOUT = [
    (b'{"u":1}', b"{}"),
    (b'{ "u" : 1 }', b"{  }"),
    (b'{"u":1,"a":2}', b'{"a":2}'),
    (b'{"a":2,"u":1}', b'{"a":2}'),
    (b'{"a":2, "u":null , "b":3}', b'{"a":2 , "b":3}'),
    (
        b' {"a":{"u":1},"u":{"u":[1,"}"]},"b":[{"u":2}]}\n',
        b' {"a":{"u":1},"b":[{"u":2}]}\n',
    ),
    (b'{"u":1,"u":2}', b"{}"),
    (b'{"u":1,"a":0,"u":2}', b'{"a":0}'),
    (b'{"a":"\\"u\\":1,\\\\","u":"x\\"}","b":[]}', b'{"a":"\\"u\\":1,\\\\","b":[]}'),
    (b'{"\\u0075":1,"a":-1.5e3}', b'{"a":-1.5e3}'),
    (b'{"u":"x"}', b"{}"),
    (b'{"a":"u", "u" : {"u":"u"} }', b'{"a":"u" }'),
    (b'{"a":"\\"u" , "b":0 ,\n"\\u0075":[] }', b'{"a":"\\"u" , "b":0 }'),
    (b'{"a":"\\u00fc" ,\r\n\t"u":[{}] }', b'{"a":"\\u00fc" }'),
    (b'{"a":0,"u":1,\t"b":"\\u0062"}', b'{"a":0,\t"b":"\\u0062"}'),
]


@pytest.mark.parametrize(("data", "left"), WITHOUT)
def test_a_member_is_cut_out(data: bytes, left: bytes) -> None:
    assert without(data, "u") == left


# (object, "m" replaced by "X")
REPLACED = [
    (b'{"m":"a"}', b'{"m":"X"}'),
    (b'{ "a" : 1 , "m" : "b\\"c" }', b'{ "a" : 1 , "m" : "X" }'),
    (b'{"a":{"m":1},"m":{"m":2},"b":3}', b'{"a":{"m":1},"m":"X","b":3}'),
    (b'{"m":1,"m":[2,3]}', b'{"m":"X","m":"X"}'),
    (b'{"a":"m","m":null}', b'{"a":"m","m":"X"}'),
    (b'{"a":"\\"m","\\u006d" : true }', b'{"a":"\\"m","\\u006d" : "X" }'),
]


@pytest.mark.parametrize(("data", "edited"), REPLACED)
def test_a_value_is_replaced(data: bytes, edited: bytes) -> None:
    assert replaced(data, "m", b'"X"') == edited


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from("kab"), inner),
    max_leaves=8,
)
SPACE = st.text(" \t\r\n", max_size=3)
MEMBERS = st.lists(
    st.tuples(
        st.sampled_from(["k", "k", "a", '"k"', ""]) | st.text(), VALUES, SPACE, SPACE
    )
)


def write(members: list[tuple[str, Any, str, str]], *, ascii_only: bool) -> bytes:
    texts = [
        before
        + json.dumps(key, ensure_ascii=ascii_only)
        + after
        + ":"
        + before
        + json.dumps(value, ensure_ascii=ascii_only)
        + after
        for key, value, before, after in members
    ]
    return ("{" + ",".join(texts) + "}").encode("utf-8", "surrogatepass")


@given(members=MEMBERS, ascii_only=st.booleans())
def test_the_rest_stays_byte_for_byte(
    *, members: list[tuple[str, Any, str, str]], ascii_only: bool
) -> None:
    data = write(members, ascii_only=ascii_only)
    kept = [member for member in members if member[0] != "k"]
    if len(kept) == len(members):
        return
    left = without(data, "k")
    assert json.loads(left) == {key: value for key, value, _, _ in kept}
    for member in kept:
        assert write([member], ascii_only=ascii_only)[1:-1].strip() in left
    edited = replaced(data, "k", b'"X"')
    assert json.loads(edited) == {
        key: "X" if key == "k" else value for key, value, _, _ in members
    }
    assert without(edited, "k") == left
