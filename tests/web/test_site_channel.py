"""One connection under the edge's caps and deadlines, in memory."""

from typing import Any

import pytest
from support.gateway import KEY, Client, Gateway, chunk

from lightweight.config.schema import Config, Edge
from lightweight.web import edge
from lightweight.web.edge import DISCARD_BYTES, DISCARD_SECONDS

EDGE = Edge(header_timeout=10.0, body_timeout=30.0, keep_alive=15.0, write_stall=60.0)
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
HEAD += KEY.encode() + b"\r\n"


def limited(**more: int) -> Gateway:
    return Gateway(Config(edge=Edge(header_timeout=10.0, body_timeout=30.0, **more)))


def drip(gateway: Gateway, client: Client, data: bytes, seconds: float) -> None:
    """Send one byte each second."""
    for at in range(int(seconds)):
        client.send(data[at : at + 1] or b"a")
        gateway.clock.advance(1)


def assert_timed_out(gateway: Gateway, client: Client) -> None:
    answer = client.answer()
    assert answer.status == 408
    assert answer.json()["error"]["code"] == "request_timeout"
    assert answer.headers["connection"] == "close"
    assert answer.headers["x-request-id"] == gateway.visit.request_id
    assert answer.rest == b""
    gateway.clock.advance(DISCARD_SECONDS)
    gateway.turn()
    assert client.wire.closed
    assert gateway.clock.getDelayedCalls() == []
    assert gateway.visit.status == 408


@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\nX: ", b"GET /aaaaaaaaaaaaaaaaa"])
def test_a_head_that_drips_ends_at_its_deadline(sent: bytes) -> None:
    gateway = Gateway(Config(edge=EDGE))
    client = gateway.connect()
    drip(gateway, client, sent, 9)
    assert client.received == b""
    drip(gateway, client, b"", 1)
    assert_timed_out(gateway, client)


def test_the_next_head_has_its_own_deadline() -> None:
    gateway = Gateway(Config(edge=EDGE))
    client = gateway.connect()
    client.ask("GET", "/healthz")
    gateway.visits.clear()
    client.wire.clear()
    gateway.clock.advance(14)
    drip(gateway, client, b"GET / HT", 9)
    assert client.received == b""
    drip(gateway, client, b"", 1)
    assert_timed_out(gateway, client)


@pytest.mark.parametrize(
    "framing",
    [b"Content-Length: 1000", b"Transfer-Encoding: chunked"],
)
def test_a_body_that_drips_is_too_slow(framing: bytes) -> None:
    gateway = Gateway(Config(edge=EDGE))
    client = gateway.connect()
    client.send(HEAD + framing + b"\r\n\r\n")
    drip(gateway, client, b"00000000000", edge.BODY_GRACE)
    assert client.received == b""
    gateway.clock.advance(0.1)
    assert_timed_out(gateway, client)


def test_the_time_of_a_body_begins_with_the_body() -> None:
    gateway = Gateway(Config(edge=EDGE))
    client = gateway.connect()
    client.send(HEAD)
    gateway.clock.advance(9)
    client.send(b"Content-Length: 1000\r\n\r\n")
    gateway.clock.advance(9.9)
    assert client.received == b""
    gateway.clock.advance(0.1)
    assert "body" in client.answer().json()["error"]["message"]
    assert_timed_out(gateway, client)


def test_a_body_may_have_less_time_than_a_head() -> None:
    gateway = Gateway(Config(edge=Edge(header_timeout=10.0, body_timeout=3.0)))
    client = gateway.connect()
    client.send(HEAD + b"Content-Length: 1000000\r\n\r\n" + b"a" * 100_000)
    gateway.clock.advance(3)
    assert_timed_out(gateway, client)


def test_a_body_at_a_fair_rate_still_has_an_end() -> None:
    gateway = Gateway(Config(edge=EDGE))
    client = gateway.connect()
    client.send(HEAD + b"Content-Length: 1000000\r\n\r\n")
    for _ in range(29):
        client.send(b"a" * 2000)
        gateway.clock.advance(1)
    assert client.received == b""
    gateway.clock.advance(1)
    assert_timed_out(gateway, client)


def test_a_call_may_take_longer_than_any_deadline_of_its_client() -> None:
    gateway = Gateway(Config(edge=EDGE))
    client = gateway.connect()
    client.chat()
    gateway.clock.pump([10] * 100)
    gateway.turn()
    assert not client.wire.disconnecting
    client.leave()


# -- caps of the head --------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /" + b"a" * 17_000, 414),
        (b"GET /" + b"a" * 17_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 17_000, 431),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 17_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"X: %s\r\n" % (b"a" * 900) * 80, 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: 1\r\n" * 300 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: 1\r\n folded\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n Host: x\r\n\r\n", 400),
    ],
)
def test_a_head_beyond_the_caps_is_told_so(sent: bytes, status: int) -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.send(sent)
    answer = client.answer()
    assert answer.status == status
    assert answer.rest == b""
    assert gateway.visit.status == status


def test_a_head_at_the_cap_is_served() -> None:
    gateway = Gateway()
    client = gateway.connect()
    start = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
    fields = b"X: 1\r\n" * (edge.HEAD_FIELDS - 1)
    client.send(start + fields + b"\r\n")
    assert client.answer().status == 200


# -- after a refusal ---------------------------------------------------------------


def test_a_refused_client_may_send_so_much_and_not_more() -> None:
    gateway = limited(max_body=1000)
    client = gateway.connect()
    client.send(HEAD + b"Content-Length: 1000000000\r\n\r\n")
    piece = b"a" * 1024 * 1024
    for _ in range(DISCARD_BYTES // len(piece)):
        client.send(piece)
    assert not client.wire.disconnecting
    client.send(b"a")
    assert client.wire.aborted


# -- connections -------------------------------------------------------------------


def test_connections_beyond_the_cap_are_told_and_closed() -> None:
    gateway = limited(max_connections=2)
    kept = [gateway.connect() for _ in range(2)]
    refused = gateway.connect()
    answer = refused.answer()
    assert answer.status == 503
    assert answer.json()["error"]["code"] == "overloaded"
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["connection"] == "close"
    gateway.clock.advance(DISCARD_SECONDS)
    gateway.turn()
    assert refused.wire.closed
    kept[0].leave()
    served = gateway.connect()
    served.ask("GET", "/healthz")
    assert served.answer().status == 200


def test_no_deadline_cuts_a_refusal_short() -> None:
    short = Edge(header_timeout=DISCARD_SECONDS / 2, max_connections=1)
    gateway = Gateway(Config(edge=short))
    kept, refused = gateway.connect(), gateway.connect()
    gateway.clock.advance(DISCARD_SECONDS / 2)
    gateway.turn()
    assert kept.wire.closed
    assert not refused.wire.disconnecting
    gateway.clock.advance(DISCARD_SECONDS / 2)
    assert refused.wire.aborted


def test_a_flood_of_connections_is_cut_without_a_word() -> None:
    gateway = limited(max_connections=1)
    clients = [gateway.connect() for _ in range(40)]
    told = [client for client in clients if client.received]
    assert 0 < len(told) < 20
    assert all(client.wire.aborted for client in clients[20:])
    clients[0].ask("GET", "/healthz")
    assert clients[0].answer().status == 200


def test_a_client_that_sends_far_ahead_is_cut_and_its_provider_freed() -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.chat(stream=True)
    body = gateway.one.reply()
    body.push(chunk())
    client.send(b"G" * edge.AHEAD_BYTES)
    assert not client.wire.aborted
    client.send(b"G")
    assert client.wire.aborted
    gateway.turn()
    assert body.aborted
    assert gateway.outcome.ending == "client_gone"


# -- a client that does not read ---------------------------------------------------


def test_a_client_that_stops_reading_is_cut_and_its_provider_freed() -> None:
    gateway = Gateway(Config(edge=EDGE))
    client = gateway.connect()
    client.chat(stream=True)
    body = gateway.one.reply()
    body.push(chunk())
    client.stall()
    gateway.clock.pump([15] * 3)
    assert not client.wire.aborted
    gateway.clock.pump([15, 0])
    assert client.wire.aborted
    assert body.aborted
    assert gateway.outcome.ending == "client_gone"
    assert gateway.clock.getDelayedCalls() == []


def test_a_client_that_reads_on_in_time_is_kept() -> None:
    gateway = Gateway(Config(edge=EDGE))
    client = gateway.connect()
    client.chat(stream=True)
    body = gateway.one.reply()
    body.push(chunk())
    for _ in range(3):
        client.stall()
        gateway.clock.pump([15] * 3)
        client.read_on()
    gateway.clock.pump([15] * 10)
    assert not client.wire.disconnecting
    client.leave()


def test_a_client_that_reads_slowly_is_kept_while_it_reads() -> None:
    gateway = Gateway(Config(edge=EDGE))
    client = gateway.connect()
    client.chat(stream=True)
    gateway.one.reply().push(chunk())
    # What Twisted's own transports have, where a test's has nothing.
    wire: Any = client.wire
    wire.dataBuffer, wire.offset, wire._tempDataLen = b"a" * 100, 0, 10
    client.stall()
    for _ in range(5):
        gateway.clock.pump([15] * 3)
        wire.offset += 1
    gateway.clock.pump([15] * 3)
    assert not wire.disconnecting
    gateway.clock.pump([15] * 2)
    assert wire.aborted


def test_a_closed_connection_that_is_not_read_is_cut() -> None:
    gateway = Gateway(Config(edge=EDGE))
    client = gateway.connect()
    # Its last bytes cannot leave: closing does not end.
    client.wire.loseConnection = lambda: None  # type: ignore[method-assign]
    gateway.clock.advance(10)
    gateway.clock.pump([15] * 4)
    assert client.wire.aborted
    del client.wire.loseConnection
    client.leave()


@pytest.mark.parametrize(
    ("connection", "lasts"),
    [(b"close,TE", False), (b"TE, close", False), (b"TE", True)],
)
def test_connection_is_a_list(connection: bytes, *, lasts: bool) -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.send(
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: " + connection + b"\r\n\r\n"
    )
    gateway.turn()
    assert client.answer().status == 200
    assert client.wire.closed is not lasts
    assert ("connection" in client.answer().headers) is not lasts
