"""Connecting: its deadline, whom it trusts, and that it can be given up."""

from ssl import SSLContext, SSLError
from typing import Any

from twisted.internet.defer import CancelledError
from twisted.internet.error import ConnectionRefusedError as Refused

import pytest
from support.ports import free_port
from support.scripted import ScriptedProvider
from support.tls import authority, make_authority

from lightweight.upstream.dial import ConnectDeadline, Dialer
from lightweight.upstream.tls import make_trust
from lightweight.upstream.wire_request import Origin


def dialer(
    reactor: Any,
    port: int,
    *,
    tls: bool = False,
    seconds: float = 5.0,
    trust: SSLContext | None = None,
) -> Dialer:
    origin = Origin(tls, "127.0.0.1", port)
    believed = trust or make_trust(authority().pem.decode())
    return Dialer(reactor, origin, seconds=seconds, trust=lambda: believed)


async def test_a_connection_is_ready_for_a_request(
    either: ScriptedProvider, reactor: Any
) -> None:
    tls = either.base_url.startswith("https:")
    connection = await dialer(reactor, either.port, tls=tls).connect()
    assert connection.usable
    below = connection.transport if tls else connection
    assert below.transport.protocol is below, "nothing between it and the socket"
    await connection.close()
    await either.connection_lost()
    assert not connection.usable


async def test_nobody_there(reactor: Any) -> None:
    with pytest.raises(Refused):
        await dialer(reactor, free_port()).connect()


async def test_the_deadline_covers_the_handshake(
    scripted_provider: ScriptedProvider, reactor: Any
) -> None:
    # It takes the connection and never says a word of TLS.
    silent = dialer(reactor, scripted_provider.port, tls=True, seconds=0.1)
    with pytest.raises(ConnectDeadline):
        await silent.connect()
    await scripted_provider.connection_lost()


async def test_giving_up_is_no_failure_to_find_the_host(reactor: Any) -> None:
    connecting = dialer(reactor, free_port()).connect()
    connecting.cancel()
    with pytest.raises(CancelledError):
        await connecting


async def test_giving_up_in_the_handshake_leaves_nothing_open(
    scripted_provider: ScriptedProvider, reactor: Any
) -> None:
    connecting = dialer(reactor, scripted_provider.port, tls=True).connect()
    await scripted_provider.connection_made()
    connecting.cancel()
    with pytest.raises(CancelledError):
        await connecting
    await scripted_provider.connection_lost()


async def test_trusts_only_the_right_name_of_the_right_authority(
    reactor: Any,
) -> None:
    ours = authority().pem.decode()
    for certificate, trusted in [
        (authority().server(), make_authority().pem.decode()),
        (authority().server(), None),
        (authority().server("example.org"), ours),
    ]:
        provider = await ScriptedProvider(certificate).start()
        try:
            trust = make_trust(trusted)
            strict = dialer(reactor, provider.port, tls=True, trust=trust)
            with pytest.raises(SSLError):
                await strict.connect()
            await provider.connection_lost()
            assert provider.requests == []
        finally:
            await provider.stop()
