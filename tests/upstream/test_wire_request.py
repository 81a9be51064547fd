"""Requests as bytes: what stands in them, and what can never get in."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lightweight.upstream.wire_request import (
    USER_AGENT,
    Opening,
    Origin,
    lines_of,
    origin_of,
)


def test_a_head_is_what_was_precomputed_and_what_changes() -> None:
    opening = Opening(
        Origin(True, "api.example", 443), "/v1", {"authorization": "Bearer k"}
    )
    assert (
        opening.head("POST", "/x?a=b", lines_of({"Accept": "*/*"}), 7)
        == (
            b"POST /v1/x?a=b HTTP/1.1\r\nHost: api.example\r\n"
            b"User-Agent: %b\r\nAccept-Encoding: identity\r\n"
            b"Authorization: Bearer k\r\n"
            b"Accept: */*\r\nContent-Length: 7\r\n\r\n"
        )
        % USER_AGENT.encode()
    )
    assert b"Content-Length" not in opening.head("GET", "/x")


@pytest.mark.parametrize(
    ("url", "origin", "path", "host"),
    [
        ("http://a.example", Origin(False, "a.example", 80), "", b"a.example"),
        ("https://a.example:443/", Origin(True, "a.example", 443), "/", b"a.example"),
        (
            "https://A.Example:80/v1?x=y",
            Origin(True, "a.example", 80),
            "/v1?x=y",
            b"a.example:80",
        ),
        (
            "http://[2001:db8::1]:8000/v1",
            Origin(False, "2001:db8::1", 8000),
            "/v1",
            b"[2001:db8::1]:8000",
        ),
    ],
)
def test_an_origin_and_its_name(
    url: str, origin: Origin, path: str, host: bytes
) -> None:
    assert origin_of(url) == (origin, path)
    assert b"\r\nHost: %b\r\n" % host in Opening(origin, "").head("GET", "/")


@pytest.mark.parametrize(
    "url",
    ["", "/v1", "ftp://a.example", "http://", "https:///v1", "http://\u00fc.example"],
)
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(ValueError, match="http"):
        origin_of(url)


@pytest.mark.parametrize("bad", ["\r", "\n", "\0", "\r\nX: y"])
def test_no_value_ends_its_line(bad: str) -> None:
    opening = Opening(Origin(False, "a.example", 80), "/v1")
    with pytest.raises(ValueError, match="header"):
        lines_of({"Accept": f"a{bad}b"})
    with pytest.raises(ValueError, match="header"):
        lines_of({f"Accept{bad}": "a"})
    with pytest.raises(ValueError, match="path"):
        opening.head("GET", f"/a{bad}b")
    with pytest.raises(ValueError, match="path"):
        opening.head(f"GET{bad}", "/a")
    with pytest.raises(ValueError, match="header"):
        Opening(Origin(False, "a.example", 80), "", {"authorization": f"k{bad}"})


@pytest.mark.parametrize("path", ["x", "/a b", "/\u00fc", "http://b.example/"])
def test_no_path_is_more_than_a_path(path: str) -> None:
    with pytest.raises(ValueError, match="path"):
        Opening(Origin(False, "a.example", 80), "").head("GET", path)


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=4))
@example({"": "a"})
@example({"a": "b", "": "c"})
@example({"a: b": "c"})
def test_each_field_is_one_line(fields: dict[str, str]) -> None:
    try:
        text = lines_of(fields)
    except ValueError:
        return
    *lines, rest = text.split("\r\n")
    assert rest == ""
    assert not set("\r\n\0") & set("".join(lines))
    split = [line.partition(": ") for line in lines]
    assert [(name, value) for name, _, value in split] == [*fields.items()]
