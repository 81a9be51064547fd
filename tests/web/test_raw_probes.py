"""What attackers, scanners and broken clients send, over real sockets.

Each probe gets one answer in OpenAI's envelope (or the route's own), is told how the
connection goes on, finds none of its own words in it, and leaves no failure in the log
(the suite's guard looks).
"""

import json
import socket

from twisted.internet.threads import deferToThread

import pytest
from support.answered import Answered, read_answer
from support.gateway import KEY, Gateway, on_loopback

from lightweight.config.schema import Config, Edge

MARK = b"zqxj"
"""In every probe somewhere, in no answer anywhere."""

MAX_BODY = 100_000
NEXT = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


def get(target: bytes, *fields: bytes, version: bytes = b"1.1") -> bytes:
    head = [b"GET " + target + b" HTTP/" + version, b"Host: x", *fields]
    return b"\r\n".join([*head, b"", b""])


def post(*fields: bytes, body: bytes = b"", version: bytes = b"1.1") -> bytes:
    head = [
        b"POST /v1/chat/completions?zqxj HTTP/" + version,
        b"Host: x",
        b"Authorization: Bearer " + KEY.encode(),
        *fields,
    ]
    return b"\r\n".join([*head, b"", body])


def length(value: bytes, body: bytes = b"") -> bytes:
    return post(b"Content-Length: " + value, body=body)


def coding(*values: bytes, body: bytes = b"0\r\n\r\n") -> bytes:
    return post(*(b"Transfer-Encoding: " + value for value in values), body=body)


def chunks(body: bytes) -> bytes:
    return coding(b"chunked", body=body)


CLOSES = [
    # the request line
    ("nonsense", b"zqxj\r\n\r\n", 400),
    ("http/0.9", b"GET /zqxj\r\n\r\n", 400),
    ("http/1.2", get(b"/zqxj", version=b"1.2"), 400),
    ("http/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    ("tls to a plain port", b"\x16\x03\x01\x02\x00\x01\x00zqxj\r\n\r\n", 400),
    ("two spaces", b"GET  /zqxj HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    ("space in the target", b"GET /zq xj HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    ("no version", b"GET /zqxj \r\nHost: x\r\n\r\n", 400),
    ("leading space", b" GET /zqxj HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    ("method with a slash", b"G/zqxj / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    ("method with a quote", b'G"zqxj / HTTP/1.1\r\nHost: x\r\n\r\n', 400),
    ("lower-case method", b"get /zqxj HTTP/1.1\r\nHost: x\r\n\r\n", 501),
    ("NUL in the target", b"GET /zq\0xj HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    ("absolute-form", get(b"http://zqxj/v1/models"), 400),
    ("connect", b"CONNECT zqxj:443 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    ("asterisk", b"OPTIONS * HTTP/1.1\r\nHost: x\r\nX: zqxj\r\n\r\n", 400),
    ("path that is not utf-8", get(b"/zqxj%ff"), 400),
    ("raw bytes in the path", get(b"/zqxj\xff"), 400),
    ("target too long", get(b"/" + MARK * 5000), 414),
    ("endless target", b"GET /" + MARK * 5000, 414),
    # fields
    ("no host", b"GET /zqxj HTTP/1.1\r\n\r\n", 400),
    ("two hosts", get(b"/zqxj", b"Host: x"), 400),
    ("two different hosts", get(b"/", b"Host: zqxj"), 400),
    ("host with a path", b"GET / HTTP/1.1\r\nHost: zq/xj\r\n\r\n", 400),
    ("host with a user", b"GET / HTTP/1.1\r\nHost: zq@xj\r\n\r\n", 400),
    ("host with a space", b"GET / HTTP/1.1\r\nHost: zq xj\r\n\r\n", 400),
    ("folded field", get(b"/", b"X: zqxj", b" more"), 400),
    ("folded first field", b"GET / HTTP/1.1\r\n zqxj: x\r\nHost: x\r\n\r\n", 400),
    ("space before the colon", get(b"/", b"zqxj : x"), 400),
    ("no colon", get(b"/", b"zqxj"), 400),
    ("no name", get(b"/", b": zqxj"), 400),
    ("NUL in a value", get(b"/", b"X: zq\0xj"), 400),
    ("bare CR in a value", get(b"/", b"X: zq\rxj"), 400),
    ("vertical tab in a value", get(b"/", b"X: zq\x0bxj"), 400),
    ("DEL in a value", get(b"/", b"X: zq\x7fxj"), 400),
    ("bare LF in a value", get(b"/", b"X: zq\nxj"), 400),
    ("field too long", get(b"/", b"X: " + MARK * 5000), 431),
    ("endless field", b"GET / HTTP/1.1\r\nX: " + MARK * 5000, 431),
    ("fields too many", get(b"/", *([b"X: zqxj"] * 600)), 431),
    ("fields too long together", get(b"/", *([b"X: " + MARK * 200] * 100)), 431),
    ("unknown expectation", post(b"Expect: zqxj", b"Content-Length: 2"), 417),
    # the body's length
    ("5000 digits", length(b"9" * 5000), 400),
    ("10^18 bytes", length(b"1" + b"0" * 18), 413),
    ("one byte too many", length(b"%d" % (MAX_BODY + 1)), 413),
    ("two equal lengths", post(b"Content-Length: 2", b"Content-Length: 2"), 400),
    ("two lengths", post(b"Content-Length: 2", b"Content-Length: 3"), 400),
    ("a list of lengths", length(b"2, 2"), 400),
    ("length with a sign", length(b"+2", b"{}"), 400),
    ("negative length", length(b"-2", b"{}"), 400),
    ("length in hex", length(b"0x2", b"{}"), 400),
    ("length with an underscore", length(b"1_0"), 400),
    ("empty length", length(b""), 400),
    ("length in other digits", length("٢".encode()), 400),
    # codings
    (
        "length and chunked",
        post(b"Content-Length: 5", b"Transfer-Encoding: chunked"),
        400,
    ),
    (
        "chunked and length",
        post(b"Transfer-Encoding: chunked", b"Content-Length: 5"),
        400,
    ),
    ("identity", coding(b"identity"), 400),
    ("xchunked", coding(b"xchunked"), 400),
    ("vertical tab", coding(b"\x0bchunked"), 400),
    ("chunked twice", coding(b"chunked", b"chunked"), 400),
    ("chunked twice in one", coding(b"chunked, chunked"), 400),
    ("gzip, then chunked", coding(b"gzip, chunked"), 501),
    ("chunked, then gzip", coding(b"chunked, gzip"), 400),
    ("chunked on 1.0", post(b"Transfer-Encoding: chunked", version=b"1.0"), 400),
    # chunks
    ("no size", chunks(b"\r\nzqxj\r\n"), 400),
    ("size with 0x", chunks(b"0x4\r\nzqxj\r\n0\r\n\r\n"), 400),
    ("size with a sign", chunks(b"+4\r\nzqxj\r\n0\r\n\r\n"), 400),
    ("size with an underscore", chunks(b"0_4\r\nzqxj\r\n0\r\n\r\n"), 400),
    ("size with a space", chunks(b" 4\r\nzqxj\r\n0\r\n\r\n"), 400),
    ("chunk longer than its size", chunks(b"2\r\nzqxj\r\n0\r\n\r\n"), 400),
    ("endless size", chunks(b"0" * 70_000), 400),
    ("endless trailer", chunks(b"0\r\n" + b"X: zqxj\r\n" * 9000), 400),
    ("trailer that is no field", chunks(b"2\r\n{}\r\n0\r\nzqxj\r\n\r\n"), 400),
    ("bare LF in a trailer", chunks(b"2\r\n{}\r\n0\r\nX: zq\nxj\r\n\r\n"), 400),
    ("folded trailer", chunks(b"2\r\n{}\r\n0\r\nX: 1\r\n zqxj\r\n\r\n"), 400),
    (
        "a chunk too large",
        chunks(b"%x\r\n" % (MAX_BODY + 1) + b"a" * (MAX_BODY + 1)),
        413,
    ),
    # the connection
    ("close in a list", get(b"/healthz?zqxj", b"Connection: close,TE"), 200),
    ("http/1.0", get(b"/healthz?zqxj", version=b"1.0"), 200),
    ("1.0 without a host", b"GET /healthz?zqxj HTTP/1.0\r\n\r\n", 200),
]

STAYS = [
    ("not json", length(b"4", MARK), 400),
    ("deep json", length(b"50000", b"[" * 50_000), 400),
    ("chunked json", chunks(b"2\r\n{}\r\n0\r\n\r\n"), 400),
    ("chunk extension", chunks(b"2;zqxj=1\r\n{}\r\n0\r\n\r\n"), 400),
    ("trailer", chunks(b"2\r\n{}\r\n0\r\nX-Zqxj: zqxj\r\n\r\n"), 400),
    ("unknown method", b"BREW /v1/models?zqxj HTTP/1.1\r\nHost: x\r\n\r\n", 405),
    ("unknown path", get(b"/zqxj"), 404),
    ("script in the path", get(b"/<script>zqxj</script>"), 404),
    ("up and out", get(b"/static/../../zqxj"), 404),
    ("doubled slashes", get(b"//zqxj//"), 404),
    ("encoded line break", get(b"/zqxj%0d%0aX:%20y"), 404),
    ("encoded NUL", get(b"/zqxj%00"), 404),
    ("blank line first", b"\r\n" + get(b"/healthz?zqxj"), 200),
    ("h2c upgrade", get(b"/healthz", b"Upgrade: h2c", b"X: zqxj"), 200),
    ("websocket", get(b"/healthz", b"Upgrade: websocket", b"X: zqxj"), 200),
    ("bytes that are not utf-8", get(b"/healthz?zqxj", b"X: \xff\xfe"), 200),
    ("empty host", b"GET /healthz?zqxj HTTP/1.1\r\nHost:\r\n\r\n", 200),
]


def answered(port: int, sent: bytes, *, stays: bool) -> tuple[Answered, bytes]:
    """Give the first answer, and what came after the next request or until the end."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(sent)
        while not received.endswith(b"}") and (data := client.recv(65536)):
            received += data
        answer = read_answer(received)
        assert answer.whole
        assert answer.rest == b""
        rest = b""
        if stays:
            client.sendall(NEXT)
            rest = client.recv(65536)
        else:
            while data := client.recv(65536):
                rest += data
        return answer, rest


def assert_honest(answer: Answered, status: int) -> None:
    assert answer.status == status
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"].startswith("req_")
    assert "server" not in answer.headers
    assert MARK not in answer.body
    assert "zqxj" not in repr(answer.headers)
    if status != 200:
        error = json.loads(answer.body)["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert error["type"] == "invalid_request_error"
        assert answer.headers["x-should-retry"] == "false"


@pytest.mark.parametrize(
    ("sent", "status"),
    [probe[1:] for probe in CLOSES],
    ids=[probe[0] for probe in CLOSES],
)
async def test_a_probe_is_told_why_and_closed(sent: bytes, status: int) -> None:
    gateway = Gateway(Config(edge=Edge(max_body=MAX_BODY)))
    async with on_loopback(gateway) as port:
        answer, rest = await deferToThread(answered, port, sent, stays=False)
    assert_honest(answer, status)
    assert answer.headers["connection"] == "close"
    assert rest == b""
    assert gateway.visit.status == status
    assert gateway.one.asked == []


@pytest.mark.parametrize(
    ("sent", "status"),
    [probe[1:] for probe in STAYS],
    ids=[probe[0] for probe in STAYS],
)
async def test_a_probe_that_is_framed_well_keeps_its_connection(
    sent: bytes, status: int
) -> None:
    gateway = Gateway(Config(edge=Edge(max_body=MAX_BODY)))
    async with on_loopback(gateway) as port:
        answer, rest = await deferToThread(answered, port, sent, stays=True)
    assert_honest(answer, status)
    assert "connection" not in answer.headers
    assert rest.startswith(b"HTTP/1.1 200 ")
    assert [visit.status for visit in gateway.visits] == [status, 200]
    assert gateway.one.asked == []
