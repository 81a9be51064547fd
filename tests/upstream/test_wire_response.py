"""The strict response parser: what it takes, what it refuses, and beside h11."""

import re
from collections.abc import Iterable
from contextlib import nullcontext

import h11
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lightweight.upstream.wire_response import (
    CHUNK_LINE_BYTES,
    HEAD_BYTES,
    REMEMBERED_BYTES,
    TRAILER_BYTES,
    BadResponse,
    Fields,
    HeadTooLarge,
    ResponseParser,
    _field_of,
    _keeps_alive,
    _status_of,
)


class Taken:
    """A Receiver that keeps what it gets."""

    def __init__(self) -> None:
        self.status = 0
        self.reason = ""
        self.fields: Fields = {}
        self.bodies: list[bytes] = []

    def head(self, status: int, reason: str, fields: Fields) -> None:
        assert not self.status
        self.status, self.reason, self.fields = status, reason, fields

    def body(self, data: bytes) -> None:
        assert data
        self.bodies.append(data)

    @property
    def content(self) -> bytes:
        return b"".join(self.bodies)


def parsed(
    pieces: Iterable[bytes], *, to_head: bool = False
) -> tuple[Taken, ResponseParser, bytes]:
    taken = Taken()
    parser = ResponseParser()
    parser.expect(taken, to_head=to_head)
    rest = b""
    for piece in pieces:
        rest += piece if parser.done else parser.feed(piece)
    return taken, parser, rest


def singly(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


def answer(*fields: bytes, body: bytes = b"", status: bytes = b"200 OK") -> bytes:
    return b"\r\n".join([b"HTTP/1.1 " + status, *fields, b"", body])


CHUNKED = b"transfer-encoding: chunked"

# (bytes, the body, whether the connection may be used again)
GOOD = {
    "a length": (answer(b"content-length: 3", body=b"abc"), b"abc", True),
    "no body at all": (answer(b"content-length: 0"), b"", True),
    "the same length twice": (
        answer(b"content-length: 3", b"Content-Length: 3", body=b"abc"),
        b"abc",
        True,
    ),
    "chunks": (answer(CHUNKED, body=b"3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"), b"abcd", True),
    "extensions": (answer(CHUNKED, body=b'2;a="b"\r\nab\r\n0;x\r\n\r\n'), b"ab", True),
    "trailers": (answer(CHUNKED, body=b"1\r\na\r\n0\r\nx: y\r\n\r\n"), b"a", True),
    "large letters": (
        answer(CHUNKED, body=b"00A\r\n0123456789\r\n0\r\n\r\n"),
        b"0123456789",
        True,
    ),
    "close": (
        answer(b"content-length: 1", b"Connection: x, Close", body=b"a"),
        b"a",
        False,
    ),
    "1.0": (b"HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\na", b"a", False),
    "1.0 that stays": (
        b"HTTP/1.0 200 OK\r\ncontent-length: 1\r\nconnection: keep-alive\r\n\r\na",
        b"a",
        True,
    ),
    "no reason": (b"HTTP/1.1 200\r\ncontent-length: 1\r\n\r\na", b"a", True),
    "204": (answer(status=b"204 No Content"), b"", True),
    "304": (answer(b"content-length: 9", status=b"304 Not Modified"), b"", True),
    "early hints": (
        b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
        + answer(b"content-length: 1", body=b"a"),
        b"a",
        True,
    ),
    "spaces around a value": (answer(b"content-length:\t 1 \t", body=b"a"), b"a", True),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_what_is_taken(name: str) -> None:
    data, body, again = GOOD[name]
    for pieces in ([data], singly(data)):
        taken, parser, rest = parsed(pieces)
        assert (taken.content, rest) == (body, b"")
        assert parser.done
        assert parser.keeps_alive is again


def test_the_heads_parts() -> None:
    taken, _, _ = parsed(
        [answer(b"X-A: b c", b"content-length: 0", b"x-a:", status=b"404 Not here")]
    )
    assert (taken.status, taken.reason) == (404, "Not here")
    assert taken.fields == {"x-a": "b c, ", "content-length": "0"}


def test_an_answer_to_head_has_no_body() -> None:
    _, parser, rest = parsed([answer(b"content-length: 5")], to_head=True)
    assert (parser.done, rest) == (True, b"")


def test_a_body_may_end_with_the_connection() -> None:
    taken, parser, _ = parsed([answer(body=b"abc"), b"d"])
    assert (taken.content, parser.done, parser.open_ended) == (b"abcd", False, True)
    assert not parser.keeps_alive


def test_what_follows_an_answer_is_given_back() -> None:
    data = answer(b"content-length: 1", body=b"aHTTP/1.1 200 OK")
    _, parser, rest = parsed([data])
    assert (parser.done, rest) == (True, b"HTTP/1.1 200 OK")


def test_one_after_the_other() -> None:
    taken = Taken()
    parser = ResponseParser()
    for _ in range(3):
        taken.status = 0
        parser.expect(taken)
        assert not parser.done
        assert parser.feed(answer(CHUNKED, body=b"1\r\na\r\n0\r\n\r\n")) == b""
        assert parser.done
    assert taken.content == b"aaa"


@pytest.mark.parametrize("cut", range(1, len(GOOD["trailers"][0])))
def test_a_connection_that_ends_too_soon(cut: int) -> None:
    _, parser, _ = parsed([GOOD["trailers"][0][:cut]])
    assert not parser.done
    assert not parser.open_ended


BAD = {
    "no HTTP": b"SSH-2.0-OpenSSH\r\n",
    "HTTP/2": b"HTTP/2 200 OK\r\n\r\n",
    "HTTP/1.2": b"HTTP/1.2 200 OK\r\n\r\n",
    "no number": b"HTTP/1.1 OK\r\n\r\n",
    "a short number": b"HTTP/1.1 20 OK\r\n\r\n",
    "switching": b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n",
    "a folded line": answer(b"a: b", b" c", b"content-length: 0"),
    "a space before the colon": answer(b"a : b"),
    "no colon": answer(b"a"),
    "an empty name": answer(b": b"),
    "NUL": answer(b"a: b\0c"),
    "CR in a value": answer(b"a: b\rc"),
    "LF in a value": answer(b"a: b\nc"),
    "a lone LF": b"HTTP/1.1 200 OK\ncontent-length: 0\n\n\r\n\r\n",
    "two lengths": answer(b"content-length: 3", b"content-length: 4"),
    "a list of lengths": answer(b"content-length: 3, 3"),
    "a signed length": answer(b"content-length: +3"),
    "no length": answer(b"content-length:"),
    "a huge length": answer(b"content-length: " + b"9" * 30),
    "a length and chunks": answer(b"content-length: 3", CHUNKED),
    "chunks in HTTP/1.0": b"HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
    "gzip": answer(b"transfer-encoding: gzip, chunked"),
    "chunked twice": answer(CHUNKED, CHUNKED),
    "identity": answer(b"transfer-encoding: identity"),
    "a hexadecimal mark": answer(CHUNKED, body=b"0x3\r\nabc\r\n"),
    "a negative chunk": answer(CHUNKED, body=b"-1\r\n"),
    "an empty size": answer(CHUNKED, body=b"\r\nabc"),
    "a size with LF": answer(CHUNKED, body=b"3\nabc\r\n0\r\n\r\n"),
    "a long chunk": answer(CHUNKED, body=b"3\r\nabcd\r\n"),
    "a huge chunk": answer(CHUNKED, body=b"f" * 20 + b"\r\n"),
    "a long size": answer(CHUNKED, body=b"1;" + b"x" * (CHUNK_LINE_BYTES + 2)),
    "a bad trailer": answer(CHUNKED, body=b"0\r\nx\r\n\r\n"),
    "long trailers": answer(CHUNKED, body=b"0\r\n" + b"x: y\r\n" * TRAILER_BYTES),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_is_refused(name: str) -> None:
    with pytest.raises(BadResponse):
        parsed([BAD[name]])
    with pytest.raises(BadResponse):
        parsed(singly(BAD[name]))


def test_what_came_before_a_broken_chunk_is_given() -> None:
    taken = Taken()
    parser = ResponseParser()
    parser.expect(taken)
    with pytest.raises(BadResponse):
        parser.feed(answer(CHUNKED, body=b"3\r\nabc\r\nxx\r\n"))
    assert taken.content == b"abc"


# (what comes in a read of its own, after the head; the content; how it ends)
ALONE = [
    ([b"3\r\nabc\r\n", b"A\r\n0123456789\r\n"], b"abc0123456789", "open"),
    ([b"3\r\nabc\r\n", b"0\r\n\r\n"], b"abc", "done"),
    ([b"3\r\nabc\r\n0", b"\r\n\r\n"], b"abc", "done"),
    ([b"a\r\n0123456789\r\n", b"003\r\nabc\r\n"], b"0123456789abc", "open"),
    ([b"401\r\n" + b"x" * 1025 + b"\r\n"], b"x" * 1025, "open"),
    ([b"1\r\na\r\n1\r\nb\r\n"], b"ab", "open"),
    ([b"2\r\n\r\n\r\n", b"4\r\n1\r\n2\r\n"], b"\r\n1\r\n2", "open"),
    ([b"3;a=b\r\nabc\r\n"], b"abc", "open"),
    ([b"3\r\nab\r\n"], b"ab\r", "refused"),
    ([b"3\r\nab\r", b"\n\r\n"], b"ab\r", "refused"),
    ([b"3\r\nabcd\r\n"], b"abc", "refused"),
    ([b"3\r\nabc\n\r"], b"abc", "refused"),
    ([b"+3\r\nabc\r\n"], b"", "refused"),
]


@pytest.mark.parametrize(("reads", "content", "end"), ALONE)
def test_chunks_that_come_alone(reads: list[bytes], content: bytes, end: str) -> None:
    taken = Taken()
    parser = ResponseParser()
    parser.expect(taken)
    parser.feed(answer(CHUNKED))
    with pytest.raises(BadResponse) if end == "refused" else nullcontext():
        for read in reads:
            assert parser.feed(read) == b""
    assert (taken.content, parser.done) == (content, end == "done")


def test_a_head_has_an_end() -> None:
    with pytest.raises(HeadTooLarge):
        parsed([b"HTTP/1.1 200 OK\r\n", *[b"a: b\r\n"] * (HEAD_BYTES // 6)])
    hints = b"HTTP/1.1 103 Early Hints\r\n\r\n"
    with pytest.raises(HeadTooLarge):
        parsed([hints] * (HEAD_BYTES // len(hints) + 1))


def h11_reads(data: bytes) -> tuple[int, bytes] | None:
    """Give status and body as h11 understands them; None where it refuses."""
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method="GET", target="/", headers=[("host", "x")]))
    client.send(h11.EndOfMessage())
    status, body = 0, b""
    try:
        client.receive_data(data)
        while True:
            event = client.next_event()
            if isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                return status, body
            elif event is h11.NEED_DATA:
                client.receive_data(b"")
            elif not isinstance(event, h11.InformationalResponse):
                return None
    except h11.RemoteProtocolError:
        return None


def we_read(data: bytes) -> tuple[int, bytes] | None:
    try:
        taken, parser, _ = parsed([data])
    except BadResponse:
        return None
    if not (parser.done or parser.open_ended):
        return None
    return taken.status, taken.content


WEDGES = [b"", b"\r", b"\n", b"\r\n", b" ", b"\0", b"0", b":", b"\t", b"x", b"\xff"]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    data = bytearray(
        draw(st.sampled_from([*BAD.values(), *(g[0] for g in GOOD.values())]))
    )
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        data[at : at + draw(st.integers(0, 2))] = draw(st.sampled_from(WEDGES))
    return bytes(data)


@given(mutated())
@example(answer(b"content-length: 1", body=b"ab"))
def test_never_a_boundary_that_h11_sees_elsewhere(data: bytes) -> None:
    ours, theirs = we_read(data), h11_reads(data)
    assert ours is None or theirs is None or ours == theirs


@given(mutated(), st.integers(0, 400))
def test_how_it_is_cut_does_not_matter(data: bytes, cut: int) -> None:
    def outcome(pieces: list[bytes]) -> tuple[int, bytes, bool] | None:
        try:
            taken, parser, _ = parsed(pieces)
        except BadResponse:
            return None
        return taken.status, taken.content, parser.done

    assert outcome([data]) == outcome([data[:cut], data[cut:]])


LINES = [
    *(b"Content-Length: 3", b"content-length: 3", b"Content-Length:4", b"X-A: b"),
    *(b"x-a:\t c ", b"X-A:", b"Connection: close", b"connection: Keep-Alive, x"),
    *(CHUNKED, b"x: \xe9", b"", b"a", b"a : b", b": b", b"a: b\0", b"a: b\rc"),
    *(b"a: b\nc", b" folded", b"x: " + b"y" * REMEMBERED_BYTES),
]
FIRSTS = [
    *(b"HTTP/1.1 200 OK", b"HTTP/1.0 200", b"HTTP/1.1 404 ", b"HTTP/1.1 204 x\xe9"),
    *(b"HTTP/1.1 103 Early", b"HTTP/1.1 101 Up", b"HTTP/1.2 200 OK", b"HTTP/1.1  200"),
    *(b"", b"HTTP/1.1 200 a\nb", b"HTTP/1.1 200 a\rb", b"HTTP/1.1 1000 x"),
]
_TEXT = r"[\t\x20-\x7e\x80-\xff]*"
_LINE = rf"\r\n[!#$%&'*+\-.^_`|~0-9A-Za-z]+:{_TEXT}"
WHOLE = re.compile(rf"HTTP/1\.[01] [1-9][0-9]{{2}}(?: {_TEXT})?(?:{_LINE})*\r\n\r\n")


def read_head(data: bytes) -> tuple[object, ...] | None:
    try:
        taken, parser, _ = parsed([data])
    except BadResponse:
        return None
    fields = [*taken.fields.items()]
    return taken.status, taken.reason, fields, parser.keeps_alive, parser.done


def forget() -> None:
    for remembered in (_field_of, _status_of, _keeps_alive):
        remembered.cache_clear()


@given(st.sampled_from(FIRSTS), st.lists(st.sampled_from(LINES), max_size=5))
@example(b"HTTP/1.1 200 OK", [b"X-A: b", b"x-a:\t c "])
@example(b"HTTP/1.1 200 OK", [LINES[-1], b"X-A: b"])
def test_a_head_is_the_same_when_its_lines_were_met_before(
    first: bytes, lines: list[bytes]
) -> None:
    data = b"\r\n".join([first, *lines, b"", b""])
    forget()
    fresh = read_head(data)
    for line in lines:
        read_head(b"\r\n".join([b"HTTP/1.1 200 OK", line, b"", b""]))
    assert read_head(data) == fresh
    # What comes behind an empty line is body.
    end = data.index(b"\r\n\r\n") + 4
    if WHOLE.fullmatch(data[:end].decode("latin-1")) is None:
        assert fresh is None


def test_lines_of_a_head_far_too_large_are_not_remembered() -> None:
    forget()
    assert read_head(answer(b"x: " + b"y" * REMEMBERED_BYTES, b"a: b")) is not None
    assert _field_of.cache_info().currsize == 0
    assert read_head(answer(b"x: y", b"a: b")) is not None
    assert _field_of.cache_info().currsize == 2
