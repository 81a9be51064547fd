"""Streams through a real daemon and real sockets: leaving, stalling, exact bytes."""

import json
import socket
from pathlib import Path

from twisted.internet.threads import deferToThread

import pytest
from support.daemon import Gateway
from support.http import fetch
from support.live import CHUNK
from support.processes import servers
from support.scripted import SILENCE, Flood, Gate, ScriptedProvider, Send, Step, head

BODY = {
    "model": "test-model",
    "stream": True,
    "stream_options": {"include_usage": True},
    "messages": [{"role": "user", "content": "Hello!"}],
}


def raw_request(gateway: Gateway) -> bytes:
    body = json.dumps(BODY).encode()
    return (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: gateway\r\n"
        f"Authorization: Bearer {gateway.key}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def connect(gateway: Gateway) -> socket.socket:
    port = int(gateway.root.rsplit(":", 1)[1])
    return socket.create_connection(("127.0.0.1", port), timeout=30)


async def asked(gateway: Gateway, provider: ScriptedProvider) -> socket.socket:
    """Send one streamed call on a socket of its own."""
    client = connect(gateway)
    client.sendall(raw_request(gateway))
    await provider.request_seen()
    return client


async def test_bytes_pass_untouched(
    gateway: Gateway, provider: ScriptedProvider
) -> None:
    odd = [
        b": a comment\n\n",
        b'data:{"choices" : [ {"index":0,"delta":{"role":"assistant",\r\n',
        b'data: "content":"","x_odd":[1.0, 2e3]}}]}\r\n\r\n',
        CHUNK % "smörgås".encode(),
        b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
        b'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}\n\n',
        b"data: [DONE]\n\n",
    ]
    whole = b"".join(odd)
    # Cut where no boundary is.
    provider.stream([whole[i : i + 7] for i in range(0, len(whole), 7)])

    answer = await fetch(
        f"{gateway.base_url}/chat/completions",
        method="POST",
        key=gateway.key,
        body=BODY,
    )

    assert answer.body == whole
    assert answer.headers["content-type"] == "text/event-stream"


@pytest.mark.parametrize("when", ["before the head", "after the head", "mid-stream"])
async def test_a_client_that_leaves_stops_the_provider(
    gateway: Gateway, provider: ScriptedProvider, when: str
) -> None:
    started = {"Content-Type": "text/event-stream"}
    scripts: dict[str, list[Step]] = {
        "before the head": [SILENCE],
        "after the head": [Send(head(200, started)), SILENCE],
        "mid-stream": [Send(head(200, started) + CHUNK % b"a"), SILENCE],
    }
    provider.script(*scripts[when])
    client = await asked(gateway, provider)
    if when == "mid-stream":
        assert await deferToThread(client.recv, 1)

    client.close()

    await provider.connection_lost()
    await gateway.child.line('"ending":"client_gone"')


async def test_stalled_readers_stall_their_providers_and_cost_little(
    gateway: Gateway, provider: ScriptedProvider
) -> None:
    """A hundred clients that read nothing: what they do not take is never fetched."""
    readers, size = 100, 64 * 1024
    flood = Flood(CHUNK % (b"x" * size), 400)
    provider.always(Send(head(200, {"Content-Type": "text/event-stream"})), flood)
    clients = [await asked(gateway, provider) for _ in range(readers)]
    written = [await provider.stalled() for _ in range(readers)]
    memory = max(resident(pid) for pid in servers(gateway.child.pid))
    for client in clients:
        client.close()

    # 100 x 25 MB were on offer; the kernel's buffers hold what left the provider.
    assert max(written) < readers * 400 * size / 2
    assert memory < 400 * 2**20


def resident(pid: int) -> int:
    """Give a process's resident memory in bytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096


async def test_a_silent_stream_can_go_on(
    gateway: Gateway, provider: ScriptedProvider
) -> None:
    gate = Gate()
    done = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
    provider.stream([CHUNK % b"a", done, b"data: [DONE]\n\n"], gap=gate)
    client = await asked(gateway, provider)
    first = await deferToThread(client.recv, 65536)
    gate.open()
    rest = first
    while b"0\r\n\r\n" not in rest:
        rest += await deferToThread(client.recv, 65536)
    client.close()

    assert rest.startswith(b"HTTP/1.1 200 ")
    assert b"data: [DONE]\n\n" in rest
