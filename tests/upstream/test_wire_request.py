"""Requests as bytes: what stands in them, and what can never get in."""

import h11
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


URLS = [
    "https://api.example.org/v1",
    "http://127.0.0.1:8000/v1?api-version=2026-01-01",
    "http://[2001:db8::1]:8000",
    "https://user:secret@a.example/v1",
    "https://a.example:99999/v1",
    "https://a.example:/v1#there",
    "http://[::1",
    "http://a.example/v1 HTTP/1.0",
    "http://a.example/\u00fc",
    "HTTPS://A.EXAMPLE",
]
WEDGES = ["", "\r\n", "\0", " ", "/", "?", "#", "@", ":", "]", "%0d%0a", "\u00fc", "\t"]


@st.composite
def mutated(draw: st.DrawFn) -> str:
    url = draw(st.sampled_from(URLS))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(url)))
        url = url[:at] + draw(st.sampled_from(WEDGES)) + url[at + draw(st.booleans()) :]
    return url


@given(mutated(), st.sampled_from(["/chat/completions", "/m:generate?alt=sse", ""]))
def test_h11_reads_what_was_asked_or_it_is_no_url(url: str, path: str) -> None:
    try:
        origin, prefix = origin_of(url)
        head = Opening(origin, prefix).head(
            "POST", path, lines_of({"X-A": "\u00fc"}), 2
        )
    except ValueError:
        return
    server = h11.Connection(h11.SERVER)
    server.receive_data(head + b"{}")
    asked, body = server.next_event(), server.next_event()
    assert isinstance(asked, h11.Request)
    assert isinstance(body, h11.Data)
    assert (asked.method, asked.target) == (b"POST", (prefix + path).encode())
    assert [name for name, _ in asked.headers] == [
        *(b"host", b"user-agent", b"accept-encoding", b"x-a", b"content-length")
    ]
    assert bytes(body.data) == b"{}"
    assert isinstance(server.next_event(), h11.EndOfMessage)
