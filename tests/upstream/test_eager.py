"""Bytes that leave before the reactor's next turn, on real sockets of a client."""

import math
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from twisted.internet.testing import StringTransport
from twisted.internet.threads import deferToThread

from support.sink import turns

from lightweight.upstream.deadlines import Deadlines
from lightweight.upstream.dial import Dialer
from lightweight.upstream.eager import send_now, taken_now
from lightweight.upstream.incoming import Incoming
from lightweight.upstream.tls import make_trust
from lightweight.upstream.wire import PIECE_BYTES, Connection
from lightweight.upstream.wire_request import Origin, Request

LARGE = 16 * 1024 * 1024


@asynccontextmanager
async def connected(reactor: Any) -> AsyncIterator[tuple[Connection, socket.socket]]:
    """Give a connection and its peer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        origin = Origin(False, "127.0.0.1", listener.getsockname()[1])
        dialer = Dialer(reactor, origin, seconds=20, trust=make_trust)
        connection = await dialer.connect()
        peer, _ = listener.accept()
    with peer:
        peer.settimeout(20)
        yield connection, peer
        if connection.usable:
            await connection.close()


def read(peer: socket.socket, size: int) -> bytes:
    came = b""
    while len(came) < size:
        came += peer.recv(1024 * 1024)
    return came


async def test_it_has_left_before_any_turn_of_the_reactor(reactor: Any) -> None:
    async with connected(reactor) as (connection, peer):
        assert send_now(connection.transport, b"one")
        assert peer.recv(65536) == b"one"
        assert taken_now(connection.transport, b"two", memoryview(b"three")) == 8
        assert peer.recv(65536) == b"twothree"


async def test_a_request_has_left_before_any_turn_of_the_reactor(reactor: Any) -> None:
    async with connected(reactor) as (connection, peer):
        never = math.inf
        incoming = Incoming(
            Deadlines(reactor), name="x", first_byte=never, idle=never, total=never
        )
        body = b"b" * (PIECE_BYTES + 1)
        asked = connection.ask(Request(b"head", body), incoming)
        assert read(peer, len(body) + 4) == b"head" + body
        incoming.abort()
        assert not asked.called


async def test_what_waits_goes_first(reactor: Any) -> None:
    async with connected(reactor) as (connection, peer):
        connection.transport.write(b"two")
        assert taken_now(connection.transport, b"three") == 0
        assert not send_now(connection.transport, b"three")
        assert await deferToThread(read, peer, 8) == b"twothree"


async def test_what_the_kernel_does_not_take_follows(reactor: Any) -> None:
    async with connected(reactor) as (connection, peer):
        data = bytes(range(256)) * (LARGE // 256)
        assert not send_now(connection.transport, data)
        assert not send_now(connection.transport, b"end")
        came = await deferToThread(read, peer, LARGE + 3)
        assert came == data + b"end"


async def test_what_is_sent_to_nobody_is_lost_in_order(reactor: Any) -> None:
    async with connected(reactor) as (connection, peer):
        peer.close()
        while connection.usable:
            send_now(connection.transport, b"one")
            await turns(reactor, 1)
        send_now(connection.transport, b"two")


def test_a_transport_of_another_kind_is_written_to() -> None:
    wire = StringTransport()
    assert not send_now(wire, b"one")
    assert wire.value() == b"one"
