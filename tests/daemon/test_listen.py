"""Listening: ports open at once or one sentence says why not."""

import os
import socket
import ssl
from pathlib import Path

from twisted.internet.protocol import Protocol, ServerFactory
from twisted.internet.threads import deferToThread
from twisted.web.resource import Resource
from twisted.web.server import Site

import pytest
from support.http import fetch
from support.tls import authority

from lightweight.daemon.listen import CannotListen, adopt_ports, endpoint, open_ports

FREE = "tcp:0:interface=127.0.0.1"


def factory() -> ServerFactory:
    made = ServerFactory()
    made.protocol = Protocol
    return made


async def test_ports_are_open_when_the_call_returns() -> None:
    from twisted.internet import reactor

    ports = open_ports(reactor, [FREE, FREE], factory())

    assert len({each.number for each in ports}) == 2
    assert ports[0].url == f"http://127.0.0.1:{ports[0].number}"
    for each in ports:
        await each.close()


async def test_a_taken_port_closes_the_others_and_says_so() -> None:
    from twisted.internet import reactor

    (held,) = open_ports(reactor, [FREE], factory())

    with pytest.raises(CannotListen, match=r"cannot open 'tcp:\d+.*in use.*'listen'"):
        open_ports(reactor, [FREE, f"tcp:{held.number}:interface=127.0.0.1"], factory())
    await held.close()


async def test_a_held_port_keeps_its_clients_waiting_not_refused() -> None:
    from twisted.internet import reactor

    page = Resource()
    page.isLeaf = True
    page.render = lambda _: b"here"  # type: ignore[method-assign]  # a page
    (port,) = open_ports(reactor, [FREE], Site(page))
    port.hold()
    order = list[str]()

    def accept() -> None:
        order.append("accepts")
        port.accept()

    reactor.callLater(0.1, accept)

    fetched = await fetch(port.url, headers={"Connection": "close"})

    order.append("answered")
    assert (fetched.body, order) == (b"here", ["accepts", "answered"])
    await port.close()


async def test_a_unix_socket_is_named_by_its_endpoint(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    from twisted.internet import reactor

    path = tmp_path_factory.mktemp("run") / "api.sock"
    (port,) = open_ports(reactor, [f"unix:{path}"], factory())

    assert (port.url, port.number) == (f"unix:{path}", None)
    await port.close()


@pytest.mark.parametrize("text", ["8080", "tpc:8080", "tcp:port", "ssl:8443"])
def test_what_is_no_endpoint_is_refused(text: str) -> None:
    from twisted.internet import reactor

    with pytest.raises(CannotListen, match="tcp:8080:interface=127.0.0.1"):
        endpoint(reactor, text)


async def test_an_inherited_unix_socket_stays_as_the_parent_made_it(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    from twisted.internet import reactor

    path = tmp_path_factory.mktemp("run") / "api.sock"
    description = f"unix:{path}:mode=660"
    (held,) = open_ports(reactor, [description], factory())
    held.hold()
    for _ in range(2):
        sockets = [(description, os.dup(held.descriptor))]
        (adopted,) = adopt_ports(reactor, sockets, factory())
        assert path.stat().st_mode & 0o777 == 0o660
        await adopted.close()

        assert path.exists()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
    await held.close()
    assert not path.exists()


# Twisted's own context factory uses what pyOpenSSL has deprecated.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_an_inherited_tls_socket_takes_the_certificate_of_now(
    tmp_path: Path,
) -> None:
    from twisted.internet import reactor

    pem = tmp_path / "server.pem"
    pem.write_bytes(authority().server().pem)
    description = f"ssl:0:privateKey={pem}:certKey={pem}:interface=127.0.0.1"
    (held,) = open_ports(reactor, [description], factory())
    held.hold()
    renewed = authority().server()
    pem.write_bytes(renewed.pem)
    (adopted,) = adopt_ports(
        reactor, [(description, os.dup(held.descriptor))], factory()
    )

    assert adopted.url.startswith("https://127.0.0.1:")
    assert adopted.number is not None
    shown = await deferToThread(
        ssl.get_server_certificate, ("127.0.0.1", adopted.number)
    )

    assert shown.strip() == renewed.certificate.decode().strip()
    await adopted.close()
    await held.close()


async def test_an_inherited_systemd_socket_needs_no_name(tmp_path: Path) -> None:
    from twisted.internet import reactor

    (held,) = open_ports(reactor, [FREE], factory())
    held.hold()
    sockets = [("systemd:domain=INET:name=api", os.dup(held.descriptor))]
    (adopted,) = adopt_ports(reactor, sockets, factory())

    assert adopted.number == held.number
    await adopted.close()
    await held.close()
