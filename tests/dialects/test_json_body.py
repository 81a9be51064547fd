import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from lightweight.dialects import json_body
from lightweight.dialects.json_body import (
    MAX_DEPTH,
    decode_object,
    decode_outlined,
    without_long_strings,
)
from lightweight.errors import BadRequest

SURROGATE = "unpaired surrogate"
LARGE = "too large"
DEEP = "deeper than 128"

# Levels inside of an object in an array of the body.
_REST = MAX_DEPTH - 3

# (body, a piece of the sentence, the member to blame)
REFUSED = [
    (b"", "empty", None),
    (b" \n", "empty", None),
    (b"\xef\xbb\xbf{}", "byte order mark", None),
    (b'{"a":"\xff"}', "not valid UTF-8 (byte 6)", None),
    (b'{"\xff":1}', "not valid UTF-8 (byte 2)", None),
    (b'{"a":"\xed\xa0\x80"}', "not valid UTF-8", None),
    ('{"a":1}'.encode("utf-16"), "not valid UTF-8", None),
    (b"[]", "must be a JSON object", None),
    (b'"x"', "must be a JSON object", None),
    (b"null", "must be a JSON object", None),
    (b"{", "not valid JSON", None),
    (b"[{]", "must be a JSON object", None),
    (b"{} x", "not valid JSON: trailing characters", None),
    (b"{}{}", "not valid JSON", None),
    (b'{"a":01}', "not valid JSON", None),
    (b"{'a':1}", "not valid JSON", None),
    (b'{"a":1,}', "not valid JSON", None),
    (b'{"a":"\n"}', "not valid JSON", None),
    (b"NaN", "not valid JSON", None),
    (b'{"a":NaN}', "NaN or Infinity", "a"),
    (b'{"a":1,"b":[{"c":-Infinity}]}', "NaN or Infinity", "b"),
    (b'{"a":1e999}', LARGE, "a"),
    (b'{"a":1,"b":{"c":[-1E+999]}}', LARGE, "b"),
    (b'{"a":' + b"9" * 5000 + b"}", LARGE, "a"),
    (b'{"a":' + b"9" * 299 + b"e99}", LARGE, "a"),
    (b'{"a":1e999,"a":1}', LARGE, None),
    (b'{"a":"\\\\","b":1e999}', LARGE, "b"),
    (b'{"a":{"b":1e999,"b":1}}', LARGE, "a"),
    (b'{"a":[{"b":1e999,"c":1, "b":1}]}', LARGE, "a"),
    (b'{"a":[ "x", {"c":"y","b" : 1e999}]}', LARGE, "a"),
    (b'{"a": {"b": 1e999, "b": 1}}', LARGE, "a"),
    (b'{"a": {"b": 1e999, "c": 1, "b": 12345}}', LARGE, "a"),
    (b'{"a": [{"b": 1, "c": 2}, {"d": 1e999}]}', LARGE, "a"),
    (b'{"a":[{},{"b":1e999,"b":1}]}', LARGE, "a"),
    (b'{"a": [{"c": 2}, {"b": 1e999, "b": 1}]}', LARGE, "a"),
    (b'{"a":[{"c":2}, {"b":1e999}]}', LARGE, "a"),
    (b'{"a":[{"b":' + b"[" * _REST + b"[" + b"]" * _REST + b"]}]}", DEEP, "a"),
    (b'{"a":"\\ud800"}', SURROGATE, "a"),
    (b'{"a":"\\udc00 and more text"}', SURROGATE, "a"),
    (b'{"a":"\\ud83d\\u0041"}', SURROGATE, "a"),
    (b'{"z":0,"a":[{"b":"\\ud800 and more text"}]}', SURROGATE, "a"),
    (b'{"a":[{"\\ud800":1}]}', SURROGATE, "a"),
    (b'{"\\ud800":1}', SURROGATE, None),
    (b'{"a":"\\ud800","b":nul}', "not valid JSON", None),
    (b'{"a":' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}", DEEP, "a"),
    (b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1), DEEP, "a"),
    (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", DEEP, None),
    (b'{"a":' + b"[" * 100_000, DEEP, None),
]


@pytest.mark.parametrize(("body", "text", "param"), REFUSED)
def test_refused(body: bytes, text: str, param: str | None) -> None:
    with pytest.raises(BadRequest) as caught:
        decode_object(body)
    assert text in caught.value.message
    assert caught.value.param == param
    assert caught.value.message.endswith(".")


ACCEPTED = [
    b"{}",
    b' {"a" : 1 } \r\n',
    b'{"a":1e308,"b":-1e-999,"c":' + b"9" * 308 + b"}",
    b'{"a":0.' + b"9" * 5000 + b"}",
    b'{"a":"1e999 NaN ' + b"9" * 5000 + b'"}',
    b'{"a":"\\\\\\"1e999","b":"\\\\"}',
    b'{"a":"\\ud83d\\ude00\\u0000"}',
    b'{"a":"' + b"[" * 500 + b'"}',
    b'{"a":["' + b'\\"[' * 500 + b'"]}',
    b'{"a":[' + b"{}," * 500 + b"{}]}",
    b'{"a":' + b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1) + b"}",
    b'{"a":[{"b":' + b"[" * _REST + b"]" * _REST + b"}]}",
    '{"ä":"ü"}'.encode(),
]


@pytest.mark.parametrize("body", ACCEPTED)
def test_accepted_with_nested_bytes_as_they_are(body: bytes) -> None:
    fields = decode_object(body)
    assert {key: json.loads(bytes(raw)) for key, raw in fields.items()} == json.loads(
        body
    )
    assert all(bytes(raw) in body for raw in fields.values())


def test_the_last_of_equal_keys_stays() -> None:
    assert bytes(decode_object(b'{"m":"cheap","m":"dear"}')["m"]) == b'"dear"'


def test_windows_do_not_change_what_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    for window in (1, 2, 7):
        monkeypatch.setattr(json_body, "_WINDOW", window)
        monkeypatch.setattr(json_body, "_LONG_STRING", 9 * window)
        monkeypatch.setattr(json_body, "_LARGE", 1)
        for body in ACCEPTED:
            decode_object(body)
        for body, text, param in REFUSED:
            with pytest.raises(BadRequest) as caught:
                decode_object(body)
            assert (text in caught.value.message, caught.value.param) == (True, param)


@pytest.mark.parametrize("large", [1, 2, 5, 20])
def test_a_body_looked_at_in_parts_is_judged_alike(
    monkeypatch: pytest.MonkeyPatch, large: int
) -> None:
    monkeypatch.setattr(json_body, "_LARGE", large)
    for body in ACCEPTED:
        decode_object(body)
    for body, text, param in REFUSED:
        with pytest.raises(BadRequest) as caught:
            decode_object(body)
        assert (text in caught.value.message, caught.value.param) == (True, param)


def test_a_large_body_is_refused_without_blame() -> None:
    body = b'{"a":NaN,"b":"' + b"x" * 1024 * 1024 + b'"}'
    with pytest.raises(BadRequest) as caught:
        decode_object(body)
    assert caught.value.param is None


@given(st.binary() | st.text(alphabet='{}[]",:\\ud8c01e9.-NI \n').map(str.encode))
def test_any_bytes_are_an_object_or_a_bad_request(body: bytes) -> None:
    try:
        fields = decode_object(body)
    except BadRequest:
        return
    assert set(fields) == set(json.loads(body))


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_long_strings_are_emptied_and_nothing_else(separators: tuple[str, str]) -> None:
    told: Any = [{"role": "user", "content": "x" * 5000}, "y" * 600, "z" * 500, 1, ""]
    text = json.dumps(told, separators=separators)
    told[0]["content"] = told[1] = ""
    assert json.loads(without_long_strings(text.encode())) == told


def test_what_has_escapes_or_is_small_stays_whole() -> None:
    for told in (["x" * 5000, "\n"], ["x" * 600], ["ab"] * 2000 + ["x" * 5000]):
        text = json.dumps(told).encode()
        assert without_long_strings(text) is text


@pytest.mark.parametrize("rest", ["", "\n"])
def test_an_outline_has_the_same_members(rest: str) -> None:
    told = {"a": [{"t": "x" * 5000 + rest}], "b": "y" * 600 + rest, "c": {"d": 1}}
    fields, outline = decode_outlined(json.dumps(told).encode())
    assert plain(fields) == told
    assert plain(outline)["a"] == [{"t": ""}]
    assert plain(outline)["c"] == {"d": 1}


def plain(members: dict[str, Raw]) -> dict[str, Any]:
    return {name: json.loads(bytes(raw)) for name, raw in members.items()}


def emptied(value: Any) -> Any:
    """Give a value with empty strings for all that are not short."""
    match value:
        case str():
            return "" if len(value) > 99 else value
        case list():
            return [emptied(each) for each in value]
        case dict():
            return {name: emptied(each) for name, each in value.items()}
    return value


LONG = st.sampled_from(["x" * 600, "x\n" * 900, '\\"' * 5000, "é\t" * 2000, "y" * 9000])
VALUES = st.recursive(
    LONG | st.sampled_from(["", "\n", '"', "é", 1, 2.5, True, None]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "é", '"', "\n"]), inner, max_size=3)
    ),
    max_leaves=6,
)
WRITTEN = st.sampled_from([(",", ":"), (", ", ": "), (" ,", ":")])


@given(
    told=st.dictionaries(st.sampled_from(["m", "é", '"']), VALUES, max_size=3),
    separators=WRITTEN,
    ascii_only=st.booleans(),
)
def test_an_outline_differs_in_long_strings_alone(
    *, told: dict[str, Any], separators: tuple[str, str], ascii_only: bool
) -> None:
    text = json.dumps(told, separators=separators, ensure_ascii=ascii_only)
    fields, outline = decode_outlined(text.encode())
    assert plain(fields) == told
    assert emptied(plain(outline)) == emptied(told)


def test_a_member_hidden_by_its_like_is_judged_beside_long_strings() -> None:
    for last in ("2", '"\\n"'):
        body = f'{{"m":[{{"t":"{"x" * 5000}\\n","n":1e999,"n":{last}}}]}}'.encode()
        with pytest.raises(BadRequest, match=LARGE):
            decode_outlined(body)


def test_a_flaw_beside_a_long_string_is_found_and_blamed() -> None:
    for member, piece in (("1e999", LARGE), ("[" * 128 + "]" * 128, DEEP)):
        body = f'{{"a":"{"x" * 5000}","b":{member}}}'.encode()
        with pytest.raises(BadRequest, match=piece) as caught:
            decode_outlined(body)
        assert caught.value.param == "b"
