"""Caps and deadlines of a connection, judged without one."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightweight.config.schema import Edge
from lightweight.errors import Fault
from lightweight.web import edge
from lightweight.web.edge import Head, Patience, Stall, judge

HOST = (b"host", b"x")
MAX_BODY = 1000
LIMITS = Edge(header_timeout=10.0, body_timeout=60.0, keep_alive=15.0)


def head(
    *fields: tuple[bytes, bytes],
    method: bytes = b"POST",
    target: bytes = b"/v1/x?q=1",
    version: bytes = b"HTTP/1.1",
    host: tuple[tuple[bytes, bytes], ...] = (HOST,),
) -> Head:
    return Head(method, target, version, by_name([*host, *fields]))


def by_name(fields: Iterable[tuple[bytes, bytes]]) -> dict[bytes, list[bytes]]:
    named: dict[bytes, list[bytes]] = {}
    for name, value in fields:
        named.setdefault(name, []).append(value)
    return named


def status(given: Head) -> int | None:
    fault = judge(given, MAX_BODY)
    return None if fault is None else fault.status


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (head(), None),
        (head(method=b"BREW"), None),
        (head(method=b"M-SEARCH"), None),
        (head(method=b"get"), 501),
        (head(method=b"Get"), 501),
        (head(method=b"G@T"), 400),
        (head(method=b""), 400),
        (head(version=b"HTTP/1.2"), 400),
        (head(version=b"HTTP/2.0"), 400),
        (head(target=b"*", method=b"OPTIONS"), 400),
        (head(target=b"x:443", method=b"CONNECT"), 400),
        (head(target=b"http://x/v1"), 400),
        (head(target=b"/%ff"), 400),
        (head(target=b"/a?%ff"), None),
        (head(target=b"/a b"), 400),
        (head(host=()), 400),
        (head(host=(), version=b"HTTP/1.0"), None),
        (head(HOST), 400),
        (head(HOST, version=b"HTTP/1.0"), 400),
        (head(host=((b"host", b""),)), None),
        (head(host=((b"host", b"[::1]:8080"),)), None),
        (head(host=((b"host", b"a.example:443"),)), None),
        (head(host=((b"host", b"a b/c@d"),)), 400),
        (head(host=((b"host", b"a/b"),)), 400),
        (head(host=((b"host", b"user@a"),)), 400),
        (head(host=((b"host", b"a:b"),)), 400),
        (head((b"content-length", b"1000")), None),
        (head((b"content-length", b"1001")), 413),
        (head((b"content-length", b"1" + b"0" * 18)), 413),
        (head((b"content-length", b"9" * 5000)), 400),
        (head((b"content-length", b"-1")), 400),
        (head((b"content-length", b"+1")), 400),
        (head((b"content-length", b"1_0")), 400),
        (head((b"content-length", b"0x1")), 400),
        (head((b"content-length", b"")), 400),
        (head((b"content-length", b"2, 2")), 400),
        (head((b"content-length", b"2"), (b"content-length", b"2")), 400),
        (head((b"transfer-encoding", b"chunked")), None),
        (head((b"transfer-encoding", b"Chunked")), None),
        (head((b"transfer-encoding", b"chunked"), version=b"HTTP/1.0"), 400),
        (head((b"transfer-encoding", b"identity")), 400),
        (head((b"transfer-encoding", b"xchunked")), 400),
        (head((b"transfer-encoding", b"")), 400),
        (head((b"transfer-encoding", b"\x0bchunked")), 400),
        (head((b"transfer-encoding", b"chunked, chunked")), 400),
        (head((b"transfer-encoding", b"chunked, gzip")), 400),
        (head((b"transfer-encoding", b"gzip, chunked")), 501),
        (
            head((b"transfer-encoding", b"gzip"), (b"transfer-encoding", b"chunked")),
            501,
        ),
        (
            head(
                (b"transfer-encoding", b"chunked"), (b"transfer-encoding", b"chunked")
            ),
            400,
        ),
        (head((b"content-length", b"1"), (b"transfer-encoding", b"chunked")), 400),
        (head((b"expect", b"100-Continue")), None),
        (head((b"expect", b"200-maybe")), 417),
        (head((b"expect", b"100-continue, more")), 417),
        (head((b"expect", b"200-maybe"), version=b"HTTP/1.0"), None),
    ],
)
def test_a_head_is_judged(given: Head, expected: int | None) -> None:
    assert status(given) == expected


@given(
    method=st.binary(max_size=8),
    target=st.binary(max_size=20),
    fields=st.lists(
        st.tuples(
            st.sampled_from(
                [b"host", b"content-length", b"transfer-encoding", b"expect"]
            ),
            st.binary(max_size=12),
        ),
        max_size=4,
    ),
)
def test_any_head_is_judged_without_a_failure(
    method: bytes, target: bytes, fields: list[tuple[bytes, bytes]]
) -> None:
    given_head = Head(method, target, b"HTTP/1.1", by_name(fields))
    fault = judge(given_head, MAX_BODY)
    if fault is None:
        length = edge.body_length(given_head)
        assert length is None or 0 <= length <= MAX_BODY
    else:
        assert isinstance(fault, Fault)
        assert fault.status in {400, 413, 417, 501}


def test_the_body_has_the_length_its_head_says() -> None:
    assert edge.body_length(head()) == 0
    assert edge.body_length(head((b"content-length", b"007"))) == 7
    assert edge.body_length(head((b"transfer-encoding", b"chunked"))) is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (head(), True),
        (head((b"connection", b"keep-alive")), True),
        (head((b"connection", b"close")), False),
        (head((b"connection", b"close,TE"), (b"te", b"trailers")), False),
        (head((b"connection", b"TE , Close")), False),
        (head((b"connection", b"TE"), (b"connection", b"close")), False),
        (head((b"connection", b"closed")), True),
        (head((b"connection", b"keep-alive"), version=b"HTTP/1.0"), False),
    ],
)
def test_connection_is_a_list(given: Head, *, expected: bool) -> None:
    assert edge.persists(given) is expected


def test_what_is_too_long_says_which_part() -> None:
    assert edge.head_too_large(in_fields=False).status == 414
    assert edge.head_too_large(in_fields=True).status == 431


# -- how many ----------------------------------------------------------------------


def test_connections_leave_descriptors_for_providers() -> None:
    assert edge.connection_cap(Edge(max_connections=100), 100_000) == 100
    assert edge.connection_cap(Edge(max_connections=10_000), 1024) == 480
    assert edge.connection_cap(Edge(), 10) == 1


def test_beyond_the_cap_a_few_are_told_and_the_rest_is_cut() -> None:
    assert edge.room(100, 100) == "serve"
    assert edge.room(101, 100) == "refuse"
    assert edge.room(118, 100) == "refuse"
    assert edge.room(119, 100) == "cut"


# -- how long ----------------------------------------------------------------------


def test_a_connection_without_a_request_ends_without_a_word() -> None:
    patience = Patience(LIMITS, 100.0)
    assert patience.due == 110.0
    assert patience.verdict() is None


def test_no_byte_moves_the_deadline_of_a_head() -> None:
    patience = Patience(LIMITS, 100.0)
    for second in range(9):
        patience.bytes_came(LIMITS, 100.0 + second)
    assert patience.due == 110.0
    verdict = patience.verdict()
    assert verdict is not None
    assert verdict.status == 408


def test_a_body_buys_time_with_its_bytes_but_not_for_ever() -> None:
    patience = Patience(LIMITS, 100.0)
    patience.body_begins(LIMITS, 200.0)
    assert patience.due == 200.0 + edge.BODY_GRACE
    patience.body_came(1)
    assert patience.due < 210.01
    patience.body_came(edge.BODY_RATE * 5)
    assert 215.0 <= patience.due < 215.01
    patience.body_came(edge.BODY_RATE * 1000)
    assert patience.due == 260.0
    verdict = patience.verdict()
    assert verdict is not None
    assert verdict.status == 408


def test_a_request_that_is_served_has_all_the_time() -> None:
    patience = Patience(LIMITS, 100.0)
    patience.served()
    assert patience.due is None


def test_the_next_head_has_its_own_time() -> None:
    patience = Patience(LIMITS, 100.0)
    patience.served()
    patience.idle(LIMITS, 300.0)
    assert patience.due == 315.0
    assert patience.verdict() is None
    patience.bytes_came(LIMITS, 314.0)
    assert patience.due == 324.0
    patience.bytes_came(LIMITS, 323.0)
    assert patience.due == 324.0
    assert patience.verdict() is not None


def test_a_client_that_takes_nothing_stalls() -> None:
    stall = Stall(60.0, 0.0, 5000)
    assert stall.every == 15.0
    assert not stall.over(15.0, 5000)
    assert not stall.over(45.0, 4999), "it took a byte"
    assert not stall.over(100.0, 4999)
    assert stall.over(105.0, 4999)


def test_where_nobody_can_tell_what_waits_it_is_taken_for_stalled() -> None:
    stall = Stall(60.0, 0.0, None)
    assert not stall.over(45.0, None)
    assert stall.over(60.0, None)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"X: 1", None),
        (b"x!#$%&'*+-.^_`|~9:", None),
        (b"X:\t a\tb \xc3\xa9\xff ", None),
        (b" X: 1", "must be on one line"),
        (b"\tX: 1", "must be on one line"),
        (b"", "not well-formed"),
        (b"X", "not well-formed"),
        (b": 1", "not well-formed"),
        (b"X : 1", "not well-formed"),
        (b"X\xe9: 1", "not well-formed"),
        *((b"X: a%cb" % code, "not well-formed") for code in b"\0\x01\n\x0b\r\x7f"),
    ],
)
def test_a_field_is_a_name_and_a_value_on_one_line(
    line: bytes, told: str | None
) -> None:
    fault = edge.judge_field(line)
    assert (fault is None) == (told is None)
    if fault is not None and told is not None:
        assert told in fault.message
