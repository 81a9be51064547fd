"""The HTTP edge: malformed requests, caps, connections and their end."""

import socket

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.threads import deferToThread

import pytest
from support.answered import read_answer
from support.gateway import KEY, Client, Gateway, chunk, identity, on_loopback

from lightweight.config.schema import Config, Edge
from lightweight.records import Identity
from lightweight.web.edge import DISCARD_SECONDS
from lightweight.web.response_head import lines_of

CHAT = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
CHAT += KEY.encode() + b"\r\n"


def small(max_body: int = 1000) -> Gateway:
    return Gateway(Config(edge=Edge(max_body=max_body)))


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/3.0\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 1\r\n\r\nx",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_a_malformed_request_is_one_json_400_and_the_end(sent: bytes) -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.send(sent)
    client.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    answer = client.answer()
    assert answer.status == 400
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
    assert answer.headers["connection"] == "close"
    assert answer.headers["x-request-id"] == gateway.visit.request_id
    assert answer.rest == b"", "nothing is answered after it"
    assert gateway.visit.status == 400
    gateway.clock.advance(DISCARD_SECONDS)
    assert client.wire.closed
    assert len(gateway.visits) == 1


# -- bodies ------------------------------------------------------------------------


def assert_refused(gateway: Gateway, client: Client) -> None:
    answer = client.answer()
    assert answer.status == 413
    assert answer.json()["error"]["code"] == "request_too_large"
    assert "1000 bytes" in answer.json()["error"]["message"]
    assert answer.headers["x-request-id"] == gateway.visit.request_id
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["connection"] == "close"
    assert answer.rest == b""
    assert (gateway.visit.status, gateway.visit.method) == (413, "POST")
    assert gateway.visit.path == "/v1/chat/completions"


def test_a_length_beyond_the_cap_is_refused_before_the_body() -> None:
    gateway = small()
    client = gateway.connect()
    client.send(CHAT + b"Expect: 100-continue\r\nContent-Length: 1001\r\n\r\n")
    assert_refused(gateway, client)
    assert b"100 Continue" not in client.received


def test_a_chunked_body_beyond_the_cap_is_refused_while_it_comes() -> None:
    gateway = small()
    client = gateway.connect()
    client.send(CHAT + b"Transfer-Encoding: chunked\r\n\r\n")
    part = b"190\r\n" + b"a" * 400 + b"\r\n"
    client.send(part * 2)
    assert client.received == b""
    client.send(part + part + b"0\r\n\r\n")
    assert_refused(gateway, client)


def test_a_refused_client_may_send_for_a_while_and_not_longer() -> None:
    gateway = small()
    client = gateway.connect()
    client.send(CHAT + b"Content-Length: 1000000\r\n\r\n")
    client.send(b"a" * 500_000)
    gateway.turn()
    assert not client.wire.disconnecting, "closing now would destroy the answer"
    gateway.clock.advance(DISCARD_SECONDS)
    assert client.wire.aborted
    assert len(gateway.visits) == 1


def test_a_refused_client_that_leaves_leaves_nothing_behind() -> None:
    gateway = small()
    client = gateway.connect()
    client.send(CHAT + b"Content-Length: 1000000\r\n\r\n")
    client.leave()
    assert gateway.clock.getDelayedCalls() == []
    assert len(gateway.visits) == 1


def test_a_body_at_the_cap_is_taken() -> None:
    gateway = small()
    body = b"a" * 1000
    for rest in (
        b"Content-Length: 1000\r\n\r\n" + body,
        b"Transfer-Encoding: chunked\r\n\r\n3e8\r\n" + body + b"\r\n0\r\n\r\n",
    ):
        client = gateway.connect()
        client.send(CHAT + rest)
        assert client.answer().status == 400


def test_a_large_multipart_body_is_neither_parsed_nor_kept_on_disk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr("twisted.web.http._getMultiPartArgs", refuse)
    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    gateway = Gateway()
    part = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n'
    body = part * (20 * 1024 * 1024 // len(part)) + b"--b--\r\n"
    client = gateway.connect()
    client.ask(
        "POST",
        "/v1/chat/completions",
        body,
        {"Content-Type": "multipart/form-data; boundary=b"},
    )
    assert client.answer().status == 400


# -- connections -------------------------------------------------------------------


def test_a_connection_serves_one_request_after_another() -> None:
    gateway = Gateway()
    client = gateway.connect()
    for _ in range(3):
        client.ask("GET", "/healthz")
    first = client.answer()
    assert "connection" not in first.headers
    assert read_answer(read_answer(first.rest).rest).status == 200
    assert not client.wire.disconnecting
    assert len(gateway.visits) == 3


def test_an_idle_connection_closes_when_its_time_is_over() -> None:
    gateway = Gateway(Config(edge=Edge(keep_alive=15.0, header_timeout=10.0)))
    silent, kept = gateway.connect(), gateway.connect()
    kept.ask("GET", "/healthz")
    gateway.clock.advance(10.0)
    gateway.turn()
    assert silent.wire.closed
    assert not kept.wire.closed
    gateway.clock.advance(5.0)
    gateway.turn()
    assert kept.wire.closed


def test_a_drain_closes_connections_with_their_next_answer() -> None:
    gateway = Gateway()
    client, idle = gateway.connect(), gateway.connect()
    idle.ask("GET", "/healthz")
    client.chat(stream=True)
    gateway.site.draining = True
    body = gateway.one.reply()
    body.push(chunk(None, "stop"), b"data: [DONE]\n\n")
    answer = client.answer()
    assert answer.headers["connection"] == "close"
    assert answer.whole
    gateway.turn()
    assert client.wire.closed
    assert not idle.wire.disconnecting, "an idle connection waits for its own timeout"


def test_answers_that_are_being_streamed_are_counted() -> None:
    gateway = Gateway()
    gateway.connect().ask("GET", "/healthz")
    gateway.connect().chat()
    gateway.connect().chat(stream=True)
    whole, streamed = gateway.one.reply(), gateway.one.reply()
    assert gateway.site.streams == 0
    streamed.push(chunk())
    assert gateway.site.streams == 1
    streamed.push(chunk(None, "stop"), b"data: [DONE]\n\n")
    assert gateway.site.streams == 0
    whole.push(b"{")
    assert gateway.site.streams == 0


def test_at_the_end_every_connection_closes_when_its_bytes_have_left() -> None:
    gateway = Gateway()
    idle, silent = gateway.connect(), gateway.connect()
    idle.ask("GET", "/healthz")
    waiting = Deferred.fromCoroutine(gateway.site.flushed())
    assert idle.wire.disconnecting
    assert not idle.wire.aborted
    assert not waiting.called
    gateway.turn()
    assert waiting.called
    assert silent.wire.closed
    assert Deferred.fromCoroutine(gateway.site.flushed()).called


def test_waiting_for_connections_to_close_can_be_given_up() -> None:
    gateway = Gateway()
    client = gateway.connect()
    waiting = Deferred.fromCoroutine(gateway.site.flushed())
    waiting.addErrback(lambda failure: failure.trap(CancelledError))
    waiting.cancel()
    gateway.turn()
    assert client.wire.closed


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/chat/completions", "/docs"])
@pytest.mark.parametrize("origin", [None, "https://one.example", "https://two.example"])
@pytest.mark.parametrize("known", [None, identity()])
def test_both_lanes_say_the_same_on_every_answer(
    path: str, origin: str | None, known: Identity | None
) -> None:
    site = Gateway(Config(cors_origins=("https://one.example",))).site
    site.standing = lambda _: {"x-ratelimit-limit-requests": "7"}
    for request_id in ("req_1", "req_2"):
        asked = (path, origin, known, request_id)
        assert site.lines_of_all(*asked) == lines_of(site.fields_of_all(*asked))


def test_only_http_1_is_spoken() -> None:
    assert list(Gateway().site.acceptableProtocols()) == [b"http/1.1"]


def test_the_factory_keeps_no_clock_and_no_file() -> None:
    gateway = Gateway()
    gateway.site.doStart()
    assert gateway.clock.getDelayedCalls() == []
    gateway.site.doStop()


# -- over real sockets -------------------------------------------------------------

UPLOAD = 20 * 1024 * 1024
TIMES = 20
PIECE = b"a" * 65536
STRANGER = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "


def upload(port: int, head: bytes, piece: bytes) -> bytes:
    """Send all of a large body before reading a byte, as most clients do."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(head + b"\r\n\r\n")
        for _ in range(UPLOAD // len(PIECE)):
            client.sendall(piece)
        received = b""
        while data := client.recv(65536):
            received += data
        return received


@pytest.mark.parametrize(
    ("start", "status"),
    [(CHAT, 413), (STRANGER + b"lw-unknown\r\n", 401)],
    ids=["too large", "bad key"],
)
@pytest.mark.parametrize("expect", [b"", b"Expect: 100-continue\r\n"])
@pytest.mark.parametrize(
    ("framing", "piece"),
    [
        (b"Content-Length: %d" % UPLOAD, PIECE),
        (b"Transfer-Encoding: chunked", b"%x\r\n%s\r\n" % (len(PIECE), PIECE)),
    ],
    ids=["length", "chunked"],
)
async def test_the_refusal_of_a_large_upload_arrives_each_time(
    start: bytes, status: int, expect: bytes, framing: bytes, piece: bytes
) -> None:
    gateway = small() if status == 413 else Gateway()
    async with on_loopback(gateway) as port:
        for _ in range(TIMES):
            said = await deferToThread(upload, port, start + expect + framing, piece)
            # A body whose length is not told is asked for, and then found too large.
            said = said.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
            answer = read_answer(said)
            assert answer.status == status
            assert answer.whole
            assert answer.rest == b""
    assert [visit.status for visit in gateway.visits] == [status] * TIMES
