"""What is asked of Twisted's transports, on real ones: TCP, TLS and UNIX."""

import socket
import ssl
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from twisted.internet.task import deferLater
from twisted.internet.testing import StringTransport
from twisted.internet.threads import deferToThread

import pytest
from support.gateway import Gateway, on_loopback
from support.tls import authority

from lightweight.config.schema import Config, Edge
from lightweight.upstream.eager import send_now
from lightweight.web.front import Front
from lightweight.web.site_socket import (
    end_of_answers,
    read_at_once,
    see_vanished_peers,
    unsent,
)

GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
LARGE = 16 * 1024 * 1024


def connect(port: int, *, tls: bool) -> socket.socket:
    plain = socket.create_connection(("127.0.0.1", port), timeout=20)
    if not tls:
        return plain
    context = ssl.create_default_context(cadata=authority().pem.decode())
    return context.wrap_socket(plain, server_hostname="127.0.0.1")


def asked(port: int, *, tls: bool) -> socket.socket:
    client = connect(port, tls=tls)
    client.sendall(GET)
    assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
    return client


def only(gateway: Gateway) -> Front:
    (front,) = gateway.site.connections
    return front


async def turns(reactor: Any, until: Any) -> None:
    while not until():
        await deferLater(reactor, 0.005)


@pytest.mark.parametrize("tls", [False, True])
async def test_the_kernel_watches_every_peer(*, tls: bool) -> None:
    gateway = Gateway()
    context = authority().server() if tls else None
    async with on_loopback(gateway, context) as port:
        client = await deferToThread(asked, port, tls=tls)
        transport: Any = only(gateway).transport
        handle = getattr(transport, "transport", transport).socket
        found = {
            option: handle.getsockopt(socket.IPPROTO_TCP, option)
            for option in (socket.TCP_USER_TIMEOUT, socket.TCP_KEEPIDLE)
        }
        assert handle.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert found[socket.TCP_USER_TIMEOUT] == 60_000
        assert found[socket.TCP_KEEPIDLE] == 60
        client.close()


@pytest.mark.parametrize("tls", [False, True])
async def test_what_waits_for_a_client_that_does_not_read(*, tls: bool) -> None:
    from twisted.internet import reactor

    gateway = Gateway()
    context = authority().server() if tls else None
    async with on_loopback(gateway, context) as port:
        client = await deferToThread(asked, port, tls=tls)
        front = only(gateway)
        front.transport.write(b"a" * LARGE)
        await deferLater(reactor, 0.05)
        waiting = unsent(front.transport)
        assert waiting is not None
        assert waiting > 0

        def read() -> None:
            left = LARGE
            while left > 0:
                left -= len(client.recv(1024 * 1024))

        await deferToThread(read)
        await turns(reactor, lambda: unsent(front.transport) == 0)
        client.close()


async def test_a_client_learns_that_nothing_more_comes() -> None:
    gateway = Gateway(Config(edge=Edge(keep_alive=300.0)))
    async with on_loopback(gateway) as port:
        client = await deferToThread(asked, port, tls=False)
        front = only(gateway)
        front.transport.write(b"a" * LARGE)
        end_of_answers(front.transport)

        def read() -> int:
            with client:
                size = 0
                while data := client.recv(1024 * 1024):
                    size += len(data)
                client.sendall(b"still sending")
                return size

        assert await deferToThread(read) == LARGE


async def test_a_unix_socket_has_none_of_it_and_works(tmp_path: Path) -> None:
    from twisted.internet import reactor

    real: Any = reactor
    gateway = Gateway()
    gateway.site.reactor = real
    path = str(tmp_path / "api.sock")
    port = real.listenUNIX(path, gateway.site)

    def ask(sent: bytes) -> bytes:
        with ExitStack() as closing:
            client = closing.enter_context(socket.socket(socket.AF_UNIX))
            client.settimeout(20)
            client.connect(path)
            client.sendall(sent)
            return client.recv(65536)

    assert (await deferToThread(ask, GET)).startswith(b"HTTP/1.1 200 ")
    assert (await deferToThread(ask, b"x\r\n\r\n")).startswith(b"HTTP/1.1 400 ")
    await port.stopListening()
    assert {visit.peer for visit in gateway.visits} == {""}


def test_a_transport_that_has_nothing_of_it_is_left_alone() -> None:
    wire = StringTransport()
    see_vanished_peers(wire, 1)
    end_of_answers(wire)
    read_at_once(wire, 1)
    assert unsent(wire) is None
    assert not wire.disconnecting


async def test_more_is_read_at_once_and_never_less() -> None:
    gateway = Gateway()
    async with on_loopback(gateway) as port:
        client = await deferToThread(asked, port, tls=False)
        front = only(gateway)
        usual = front.transport.bufferSize
        read_at_once(front.transport, usual // 2)
        assert front.transport.bufferSize == usual
        read_at_once(front.transport, usual * 2)
        assert front.transport.bufferSize == usual * 2
        client.close()


async def test_what_is_sent_now_has_left() -> None:
    gateway = Gateway()
    async with on_loopback(gateway) as port:
        client = await deferToThread(asked, port, tls=False)
        transport = only(gateway).transport
        send_now(transport, b"one")
        assert unsent(transport) == 0
        # Before any turn of the reactor.
        assert client.recv(65536) == b"one"
        transport.write(b"two")
        send_now(transport, b"three")
        assert unsent(transport) == len(b"twothree")
        assert await deferToThread(client.recv, 65536) == b"twothree"
        client.close()


async def test_what_the_kernel_does_not_take_follows() -> None:
    from twisted.internet import reactor

    gateway = Gateway()
    async with on_loopback(gateway) as port:
        client = await deferToThread(asked, port, tls=False)
        transport = only(gateway).transport
        data = bytes(range(256)) * (LARGE // 256)
        send_now(transport, data)
        waiting = unsent(transport)
        assert waiting is not None
        assert 0 < waiting < LARGE

        def read() -> bytes:
            came = b""
            while len(came) < LARGE:
                came += client.recv(1024 * 1024)
            return came

        assert await deferToThread(read) == data
        await turns(reactor, lambda: unsent(transport) == 0)
        client.close()


@pytest.mark.parametrize("tls", [False, True])
async def test_what_is_sent_now_to_nobody_is_lost_in_order(*, tls: bool) -> None:
    from twisted.internet import reactor

    gateway = Gateway()
    context = authority().server() if tls else None
    async with on_loopback(gateway, context) as port:
        client = await deferToThread(asked, port, tls=tls)
        transport = only(gateway).transport
        send_now(transport, b"one")
        transport.abortConnection()
        send_now(transport, b"two")
        await turns(reactor, lambda: not gateway.site.connections)
        send_now(transport, b"three")
        client.close()


def test_a_transport_of_another_kind_is_written_to() -> None:
    wire = StringTransport()
    send_now(wire, b"one")
    assert wire.value() == b"one"
