"""Heads that the express lane takes: none that Twisted or h11 would read otherwise."""

import h11
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.gateway import Gateway

from lightweight.web.edge import HEAD_FIELDS, LINE_BYTES
from lightweight.web.front_head import (
    Asking,
    HeadReader,
    is_whole,
    may_become,
    read_head,
)

pytestmark = pytest.mark.one_lane

PATH = b"/v1/chat/completions"
PATHS = {PATH, b"/v1/messages"}
LINE = b"POST /v1/chat/completions HTTP/1.1\r\n"
HOST = b"Host: gateway.example\r\n"
LENGTH = b"Content-Length: 2\r\n"
HEAD = LINE + HOST + LENGTH + b"\r\n"


def read(came: bytes) -> Asking | None:
    return read_head(came, PATHS, max_body=1000, arrived=7.0)


def test_a_plain_head_is_read() -> None:
    asking = read(
        b"POST /v1/messages?beta=true HTTP/1.1\r\n"
        + HOST
        + LENGTH
        + b"X-API-Key:  lw-a \r\nX-Two: 1\r\nx-two: 2\r\n\r\n{}rest"
    )
    assert asking is not None
    assert (asking.method, asking.path, asking.query) == (
        b"POST",
        b"/v1/messages",
        "beta=true",
    )
    assert asking.fields() == {
        "host": "gateway.example",
        "content-length": "2",
        "x-api-key": "lw-a",
        "x-two": "1, 2",
    }
    assert (asking.length, asking.arrived, asking.persists) == (2, 7.0, True)
    assert asking.identity is None


def test_its_size_leads_to_the_body() -> None:
    asking = read(HEAD + b"{}")
    assert asking is not None
    assert (HEAD + b"{}")[asking.head_size :] == b"{}"


def test_a_client_may_ask_for_the_end_of_the_connection() -> None:
    asking = read(LINE + HOST + LENGTH + b"Connection: x, Close\r\n\r\n")
    assert asking is not None
    assert not asking.persists


LEFT = {
    "another path": HEAD.replace(PATH, b"/v1/models"),
    "a path written otherwise": HEAD.replace(PATH, b"/v1/chat%2Fcompletions"),
    "another method": HEAD.replace(b"POST", b"PUT"),
    "another version": HEAD.replace(b"1.1", b"1.0"),
    "two spaces": HEAD.replace(b"POST ", b"POST  "),
    "absolute-form": HEAD.replace(PATH, b"http://x" + PATH),
    "a blank line first": b"\r\n" + HEAD,
    "no length": LINE + HOST + b"\r\n",
    "chunked": LINE + HOST + b"Transfer-Encoding: chunked\r\n\r\n",
    "both": LINE + HOST + LENGTH + b"Transfer-Encoding: chunked\r\n\r\n",
    "two lengths": LINE + HOST + LENGTH + LENGTH + b"\r\n",
    "a length too large": HEAD.replace(b"Length: 2", b"Length: 1001"),
    "a length with a sign": HEAD.replace(b"Length: 2", b"Length: +2"),
    "an empty length": HEAD.replace(b"Length: 2", b"Length: "),
    "no host": LINE + LENGTH + b"\r\n",
    "two hosts": LINE + HOST + HOST + LENGTH + b"\r\n",
    "an expectation": LINE + HOST + LENGTH + b"Expect: 100-continue\r\n\r\n",
    "an upgrade": LINE + HOST + LENGTH + b"Upgrade: h2c\r\n\r\n",
    "a folded field": LINE + HOST + LENGTH + b"X: 1\r\n 2\r\n\r\n",
    "a space before the colon": LINE + HOST + b"X : 1\r\n" + LENGTH + b"\r\n",
    "no colon": LINE + HOST + b"X\r\n" + LENGTH + b"\r\n",
    "no name": LINE + HOST + b": 1\r\n" + LENGTH + b"\r\n",
    "a tab": LINE + HOST + b"X:\t1\r\n" + LENGTH + b"\r\n",
    "a bare CR": LINE + HOST + b"X: 1\r2\r\n" + LENGTH + b"\r\n",
    "a bare LF": LINE + HOST + b"X: 1\nY: 2\r\n" + LENGTH + b"\r\n",
    "a NUL": LINE + HOST + b"X: \0\r\n" + LENGTH + b"\r\n",
    "a byte beyond ASCII": LINE + HOST + b"X: \xff\r\n" + LENGTH + b"\r\n",
    "too many fields": LINE + HOST + LENGTH + b"X: 1\r\n" * HEAD_FIELDS + b"\r\n",
    "too long": LINE + HOST + LENGTH + b"X: " + b"a" * LINE_BYTES + b"\r\n\r\n",
}


@pytest.mark.parametrize("came", LEFT.values(), ids=LEFT.keys())
def test_what_is_not_beyond_doubt_is_left(came: bytes) -> None:
    assert read(HEAD) is not None
    assert read(came) is None


# -- heads that come again ---------------------------------------------------------

AGAIN = [
    *(b"2", b"0", b"17", b"007", b"1000", b"1001", b"", b"-2", b"+2", b" 2", b"2 "),
    *(b"2, 2", b"2\r\nContent-Length: 2", b"2\r\nX: 1", b"0" * 19 + b"2", b"9" * 30),
    *(b"\xb2", b"2\r", b"2\r\n\r\n", b"2\r\n\r\n" + HEAD),
]


@pytest.mark.parametrize("after", [b"\r\n\r\n", b" \r\nX-One: 2\r\nx-one: 3\r\n\r\n"])
@pytest.mark.parametrize("digits", AGAIN)
def test_a_head_that_comes_again_gives_what_it_gives_alone(
    digits: bytes, after: bytes
) -> None:
    before = LINE + HOST + b"Content-Length: "
    reader = HeadReader()
    first = reader.read(before + b"2" + after, PATHS, max_body=1000, arrived=6.0)
    assert first is not None
    came = before + digits + after + b"{}"
    again = reader.read(came, PATHS, max_body=1000, arrived=7.0)
    assert again == read(came)


@given(st.data())
def test_no_head_is_read_by_the_one_before(data: st.DataObject) -> None:
    reader = HeadReader()
    for _ in range(3):
        came = data.draw(heads())
        told = reader.read(came, PATHS, max_body=1000, arrived=7.0)
        assert told == read(came)


def test_what_is_remembered_is_asked_for_under_the_rules_of_now() -> None:
    reader = HeadReader()
    assert reader.read(HEAD, PATHS, max_body=2, arrived=0.0) is not None
    assert reader.read(HEAD, PATHS, max_body=1, arrived=0.0) is None
    assert reader.read(HEAD, {b"/v1/messages"}, max_body=2, arrived=0.0) is None


def test_a_length_may_not_make_a_head_too_long() -> None:
    reader = HeadReader()
    filled = LINE + HOST + b"X: " + b"a" * LINE_BYTES
    filled = filled[: LINE_BYTES - len(LENGTH) - 4] + b"\r\n" + LENGTH + b"\r\n"
    assert len(filled) == LINE_BYTES
    assert reader.read(filled, PATHS, max_body=1000, arrived=0.0) is not None
    longer = filled.replace(b"Length: 2", b"Length: 20")
    assert reader.read(longer, PATHS, max_body=1000, arrived=0.0) is None


def test_one_client_never_gets_the_fields_of_another_request() -> None:
    reader = HeadReader()
    one = HEAD.replace(b"\r\n\r\n", b"\r\nX: 1\r\n\r\n")
    two = HEAD.replace(b"\r\n\r\n", b"\r\nX: 2\r\n\r\n")
    told = [
        reader.read(came, PATHS, max_body=1000, arrived=0.0)
        for came in (one, two, one, HEAD)
    ]
    assert [asking and asking.fields().get("x") for asking in told] == [
        *("1", "2", "1", None)
    ]


@pytest.mark.parametrize(
    "came", [b"", b"P", b"POST", b"POST /", b"POST /v2/x", LINE[:-1], LINE, LINE + HOST]
)
def test_a_beginning_may_become_a_head(came: bytes) -> None:
    assert not is_whole(came)
    assert may_become(came, PATHS)


@pytest.mark.parametrize(
    "came",
    [
        b"G",
        b"PUT",
        b"\r\n",
        b"POST /v2/x HTTP/1.1\r\n",
        b"POST /v1/chat/completions HTTP/1.0\r\n",
        b"POST  /",
        b"POST /" + b"a" * LINE_BYTES,
        LINE + b": x\r\n",
        LINE + HOST + b" x\r\n",
        LINE + HOST + b"X: \x00",
    ],
)
def test_a_beginning_that_cannot_is_known_at_once(came: bytes) -> None:
    assert not may_become(came, PATHS)


# -- two other parsers -------------------------------------------------------------

_TOKENS = st.sampled_from(
    [
        *(b"POST", b"GET", b" ", b"  ", b"\t", b"\r\n", b"\r", b"\n", b":", b": "),
        *(PATH, b"/v1/messages", b"?a=b", b"#x", b"%2F", b"http://x", b"HTTP/1.1"),
        *(b"HTTP/1.0", b"Host", b"host", b"Content-Length", b"Transfer-Encoding"),
        *(b"chunked", b"identity", b"Connection", b"close", b"Expect", b"x", b"[::1]"),
        *(b"0", b"2", b"02", b"+2", b"2, 2", b",", b";", b'"', b"@", b"\0", b"\xff"),
    ]
)


@st.composite
def heads(draw: st.DrawFn) -> bytes:
    """Make a head with a few places changed."""
    head = bytearray(
        LINE + HOST + LENGTH + b"X-One: a b\r\nConnection: keep-alive\r\n\r\n"
    )
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(head)))
        gone = draw(st.integers(0, 6))
        head[at : at + gone] = draw(_TOKENS)
    return bytes(head)


@given(heads())
@example(HEAD)
def test_what_is_taken_h11_reads_alike(came: bytes) -> None:
    asking = read(came) if is_whole(came) else None
    if asking is None:
        return
    peer = h11.Connection(h11.SERVER)
    peer.receive_data(came[: asking.head_size])
    event = peer.next_event()
    assert isinstance(event, h11.Request)
    assert event.method == b"POST"
    assert event.target.partition(b"?")[0] == asking.path
    told: dict[str, str] = {}
    for name, value in event.headers:
        key = name.decode()
        told[key] = f"{told[key]}, {value.decode()}" if key in told else value.decode()
    assert asking.fields() == told
    assert told["content-length"].lstrip("0") in {str(asking.length), ""}


@given(heads())
@example(HEAD)
def test_what_is_taken_twisted_reads_alike(came: bytes) -> None:
    asking = read(came) if is_whole(came) else None
    if asking is None:
        return
    seen = []
    gateway = Gateway()
    gateway.site.express = {}
    gateway.site.gate = lambda arriving, length: seen.append((arriving, length))
    gateway.connect().send(came[: asking.head_size])
    ((arriving, length),) = seen
    assert (arriving.method, arriving.path) == (b"POST", asking.path)
    assert arriving.fields() == asking.fields()
    assert length == asking.length
    assert gateway.visits == []
