"""A real daemon on a TLS endpoint in front of a provider on TLS."""

import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

from twisted.internet.threads import deferToThread

import pytest
import pytest_twisted
from support.daemon import Gateway
from support.live import CANARY, config_for
from support.scripted import SILENCE, ScriptedProvider, Send, Step, chunk, head
from support.tls import authority

BODY = (
    b'{"model":"test-model","stream":true,"messages":[{"role":"user","content":"x"}]}'
)
EVENT = b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'
STARTED = {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"}


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # has no types
async def provider() -> AsyncIterator[ScriptedProvider]:
    scripted = await ScriptedProvider(authority().server("127.0.0.1")).start()
    yield scripted
    await scripted.stop()


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # has no types
async def gateway(provider: ScriptedProvider, tmp_path: Path) -> AsyncIterator[Gateway]:
    server = authority().server("127.0.0.1")
    (tmp_path / "key.pem").write_bytes(server.key_pem)
    (tmp_path / "certificate.pem").write_bytes(server.certificate_pem)
    (tmp_path / "trusted.pem").write_bytes(authority().pem)
    started = await Gateway.start(
        tmp_path,
        config_for(provider),
        # OpenSSL's own way to name the authorities a machine trusts.
        environ={
            "SCRIPTED_KEY": CANARY,
            "SSL_CERT_FILE": str(tmp_path / "trusted.pem"),
        },
        listen=(
            f"ssl:0:interface=127.0.0.1:privateKey={tmp_path / 'key.pem'}"
            f":certKey={tmp_path / 'certificate.pem'}"
        ),
    )
    yield started
    await started.stop()


def connect(gateway: Gateway) -> ssl.SSLSocket:
    """Call the gateway, trusting the test's authority alone."""
    context = ssl.create_default_context(cadata=authority().pem.decode())
    port = int(gateway.root.rsplit(":", 1)[1])
    plain = socket.create_connection(("127.0.0.1", port), timeout=30)
    client = context.wrap_socket(plain, server_hostname="127.0.0.1")
    client.sendall(
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: gateway\r\n"
        b"Authorization: Bearer %b\r\nContent-Length: %d\r\n\r\n%b"
        % (gateway.key.encode(), len(BODY), BODY)
    )
    return client


@pytest.mark.parametrize("answered", [False, True])
async def test_a_client_that_leaves_stops_the_provider(
    gateway: Gateway, provider: ScriptedProvider, *, answered: bool
) -> None:
    steps: list[Step] = [Send(head(200, STARTED) + chunk(EVENT)), SILENCE]
    provider.script(*(steps if answered else [SILENCE]))
    assert gateway.root.startswith("https://")
    client = await deferToThread(connect, gateway)
    await provider.request_seen()
    if answered:
        assert (await deferToThread(client.recv, 1024)).startswith(b"HTTP/1.1 200")

    client.close()

    await provider.connection_lost()
    await gateway.child.line('"ending":"client_gone"')
