"""Clients that are slow, silent or too many, against a real daemon on loopback."""

import json
import resource
import selectors
import socket
import time
from pathlib import Path

from twisted.internet.threads import deferToThread

import pytest
from support.daemon import Gateway
from support.http import Fetched, fetch
from support.live import CANARY, CHUNK, config_for
from support.scripted import Flood, ScriptedProvider, Send, head

CROWD = 1000
PATIENCE = 45.0
DRIP_SECONDS = 0.25


def address(gateway: Gateway) -> tuple[str, int]:
    return "127.0.0.1", int(gateway.root.rsplit(":", 1)[1])


def post(gateway: Gateway, body_size: int) -> bytes:
    return (
        "POST /v1/chat/completions HTTP/1.1\r\nHost: gateway\r\n"
        f"Authorization: Bearer {gateway.key}\r\nContent-Length: {body_size}\r\n\r\n"
    ).encode()


def slow_crowd(where: tuple[str, int], starts: list[bytes]) -> list[bytes]:
    """Send each start, then a byte now and then; give what each client was told."""
    told = [b""] * len(starts)
    until = time.monotonic() + PATIENCE
    with selectors.DefaultSelector() as watched:
        for number, start in enumerate(starts):
            client = socket.create_connection(where, timeout=PATIENCE)
            client.sendall(start)
            client.setblocking(False)
            watched.register(client, selectors.EVENT_READ, number)
        while watched.get_map():
            assert time.monotonic() < until, f"{len(watched.get_map())} are left"
            for key, _ in watched.select(DRIP_SECONDS):
                data = key.fileobj.recv(65536)  # type: ignore[union-attr]  # a socket
                told[key.data] += data
                if not data:
                    watched.unregister(key.fileobj)
                    key.fileobj.close()  # type: ignore[union-attr]  # a socket
            for key in list(watched.get_map().values()):
                key.fileobj.send(b"a")  # type: ignore[union-attr]  # a socket
    return told


@pytest.mark.async_limit(90)
async def test_a_thousand_slow_clients_end_at_the_deadline_and_others_are_served(
    provider: ScriptedProvider, tmp_path: Path
) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    limits = '[edge]\nheader_timeout = "3s"\nbody_timeout = "3s"\n'
    gateway = await Gateway.start(
        tmp_path, config_for(provider, limits), environ={"SCRIPTED_KEY": CANARY}
    )
    try:
        starts = [b"GET / HTTP/1.1\r\nX: ", post(gateway, 9999)] * (CROWD // 2)
        crowd = deferToThread(slow_crowd, address(gateway), starts)
        served: list[Fetched] = []
        while not crowd.called:
            served.append(await fetch(f"{gateway.base_url}/models", key=gateway.key))
        told = await crowd
    finally:
        assert await gateway.stop() == 0

    assert {answer.status for answer in served} == {200}
    assert len(served) > 1
    assert {one[:13] for one in told} == {b"HTTP/1.1 408 "}
    assert all(b'"code":"request_timeout"' in one for one in told)
    statuses = [entry["status"] for entry in gateway.access()]
    assert statuses.count(408) == CROWD


async def test_a_client_that_stops_reading_frees_its_provider(
    provider: ScriptedProvider, tmp_path: Path
) -> None:
    gateway = await Gateway.start(
        tmp_path,
        config_for(provider, '[edge]\nwrite_stall = "1s"\n'),
        environ={"SCRIPTED_KEY": CANARY},
    )
    body = json.dumps({"model": "test-model", "stream": True, "messages": []}).encode()
    body = body.replace(b"[]", b'[{"role": "user", "content": "Hi"}]')
    flood = Flood(CHUNK % (b"x" * 65536), 400)
    provider.script(Send(head(200, {"Content-Type": "text/event-stream"})), flood)
    try:
        with socket.create_connection(address(gateway), timeout=30) as client:
            client.sendall(post(gateway, len(body)) + body)
            await provider.request_seen()

            await provider.connection_lost()

        await gateway.child.line('"ending":"client_gone"')
    finally:
        assert await gateway.stop() == 0


def silent_crowd(where: tuple[str, int], size: int) -> list[bytes]:
    """Connect all at once and wait; give what each was told until its end."""
    clients = [connected(where) for _ in range(size)]
    return [until_the_end(client) for client in clients if client is not None]


def connected(where: tuple[str, int]) -> socket.socket | None:
    """Connect; None where it was reset as soon as it was there."""
    try:
        return socket.create_connection(where, timeout=PATIENCE)
    except ConnectionResetError:
        return None


def until_the_end(client: socket.socket) -> bytes:
    told = b""
    with client:
        try:
            while data := client.recv(65536):
                told += data
        except ConnectionResetError:
            pass
    return told


async def test_more_connections_than_descriptors_are_survived_quietly(
    provider: ScriptedProvider, tmp_path: Path
) -> None:
    gateway = await Gateway.start(
        tmp_path,
        config_for(provider, '[edge]\nheader_timeout = "2s"\n'),
        environ={"SCRIPTED_KEY": CANARY},
        within=("sh", "-c", 'ulimit -n 128; exec "$@"', "sh"),
    )
    try:
        crowd = 300
        ends = await deferToThread(silent_crowd, address(gateway), crowd)
        lines = len(gateway.child.lines)
        answer = await fetch(f"{gateway.base_url}/models", key=gateway.key)
    finally:
        assert await gateway.stop() == 0

    assert answer.status == 200
    told = [end for end in ends if end]
    assert {one[:13] for one in told} == {b"HTTP/1.1 503 "}
    assert len(told) < crowd / 4
    assert lines < 60, "a crowd must not fill the log"
    assert "Traceback" not in gateway.child.text
