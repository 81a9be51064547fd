"""Listening: ports open at once or one sentence says why not."""

from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import Protocol, ServerFactory

import pytest

from lightweight.daemon.listen import CannotListen, endpoint, open_ports


def factory() -> ServerFactory:
    made = ServerFactory()
    made.protocol = Protocol
    return made


def number(port: IListeningPort) -> int:
    found: int = port.getHost().port  # type: ignore[attr-defined]  # IAddress says little
    return found


async def stop(port: IListeningPort) -> None:
    stopping = port.stopListening()
    assert stopping is not None
    await stopping


async def test_ports_are_open_when_the_call_returns() -> None:
    from twisted.internet import reactor

    ports = open_ports(reactor, ["tcp:0:interface=127.0.0.1"] * 2, factory())

    assert len({number(port) for port in ports}) == 2
    for port in ports:
        await stop(port)


async def test_a_taken_port_closes_the_others_and_says_so() -> None:
    from twisted.internet import reactor

    (held,) = open_ports(reactor, ["tcp:0:interface=127.0.0.1"], factory())
    taken = f"tcp:{number(held)}:interface=127.0.0.1"

    with pytest.raises(CannotListen, match=r"cannot open 'tcp:\d+.*in use.*'listen'"):
        open_ports(reactor, ["tcp:0:interface=127.0.0.1", taken], factory())
    await stop(held)


@pytest.mark.parametrize("text", ["8080", "tpc:8080", "tcp:port", "ssl:8443"])
def test_what_is_no_endpoint_is_refused(text: str) -> None:
    from twisted.internet import reactor

    with pytest.raises(CannotListen, match="tcp:8080:interface=127.0.0.1"):
        endpoint(reactor, text)
