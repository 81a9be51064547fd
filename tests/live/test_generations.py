"""A real parent with real workers: reload, refuse, crash, orphan, leave nothing."""

import http.client
import json
import os
import re
import signal
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

import pytest
import pytest_twisted
from support.daemon import Gateway
from support.http import Fetched, fetch, fetch_blocking
from support.live import CANARY, config_for
from support.processes import children, running, servers
from support.scripted import Gate, ScriptedProvider, streamed, whole
from support.until import until

from lightweight import __version__

HELLO = {"messages": [{"role": "user", "content": "Hello!"}]}
WHOLE = (
    b'{"id":"1","object":"chat.completion","created":1,"model":"test-model",'
    b'"choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},'
    b'"finish_reason":"stop"}]}'
)
PIECES = [
    b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n',
    b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
    b"data: [DONE]\n\n",
]
SPOILED = """
import os, sys
if os.path.exists({flag!r}) and any("--worker" in word for word in sys.orig_argv):
    sys.modules["klein"] = None
"""


def call(gateway: Gateway, *, stream: bool) -> "Deferred[Fetched]":
    body = {"model": "test-model", "stream": stream, **HELLO}
    url = f"{gateway.base_url}/chat/completions"
    return Deferred.fromCoroutine(fetch(url, method="POST", key=gateway.key, body=body))


def sockets(pid: int) -> int:
    links = Path(f"/proc/{pid}/fd").iterdir()
    return sum(1 for link in links if str(link.readlink())[:4] != "/dev")


async def reload(gateway: Gateway, number: int) -> None:
    gateway.child.send(signal.SIGHUP)
    await gateway.child.line(rf"Reloaded: .*\(generation {number}\)")


def served_by(gateway: Gateway) -> set[int]:
    return {entry["generation"] for entry in gateway.access()}


class Clients:
    """Six clients that ask for whole answers until they are told to stop."""

    def __init__(self, gateway: Gateway) -> None:
        self.over = False
        self.failures: list[str] = []
        self.answers = 0
        body = {"model": "test-model", **HELLO}
        self._request = {"method": "POST", "key": gateway.key, "body": body}
        self._url = f"{gateway.base_url}/chat/completions"
        self._gateway = gateway
        self._all = [deferToThread(self._new_connections) for _ in range(3)]
        self._all += [deferToThread(self._kept, pause) for pause in (0, 0.05, 0.3)]

    def _new_connections(self) -> None:
        while not self.over:
            try:
                answer = fetch_blocking(self._url, **self._request)  # type: ignore[arg-type]  # as written above
                self._count(answer.status, answer.body)
            except OSError as problem:
                self.failures.append(repr(problem))

    def _kept(self, pause: float) -> None:
        port = int(self._gateway.root.rsplit(":", 1)[1])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        headers = {"Authorization": f"Bearer {self._gateway.key}"}
        body = json.dumps(self._request["body"])
        while not self.over:
            try:
                # After "Connection: close" http.client connects anew by itself.
                path = "/v1/chat/completions"
                connection.request("POST", path, body, headers)
                answer = connection.getresponse()
                self._count(answer.status, answer.read())
            except (OSError, http.client.HTTPException) as problem:
                self.failures.append(repr(problem))
                connection.close()
            time.sleep(pause)
        connection.close()

    def _count(self, status: int, body: bytes) -> None:
        self.answers += 1
        if status != 200 or body != WHOLE:
            self.failures.append(f"{status} {body!r}")

    async def stop(self) -> None:
        self.over = True
        for each in self._all:
            await each


@pytest.mark.async_limit(110)
async def test_five_reloads_under_load_lose_nothing(
    gateway: Gateway, provider: ScriptedProvider
) -> None:
    gate = Gate()
    for _ in range(4):
        provider.stream(PIECES, gap=gate)
    streams = [call(gateway, stream=True) for _ in range(4)]
    for _ in streams:
        await provider.request_seen()
    provider.always(*whole(200, {"content-type": "application/json"}, WHOLE))
    held = sockets(gateway.child.pid)
    clients = Clients(gateway)
    for number in range(2, 7):
        await reload(gateway, number)
        await until(lambda number=number: number in served_by(gateway))
    gate.open()

    for stream in streams:
        assert (await stream).text.endswith("data: [DONE]\n\n")
    await clients.stop()
    assert clients.failures == []
    assert clients.answers > 50
    await gateway.child.line("Generation 1 has left")
    await until(lambda: served_by(gateway) == {1, 2, 3, 4, 5, 6})
    gone = [f"Generation {number} has left" for number in range(1, 6)]
    for line in gone:
        await gateway.child.line(line)
    assert len(servers(gateway.child.pid)) == 1
    # The last bookkeeper but one may take a moment longer.
    await until(lambda: sockets(gateway.child.pid) == held)
    assert "Traceback" not in gateway.child.text


async def test_hups_during_a_reload_make_one_more(gateway: Gateway) -> None:
    for _ in range(6):
        gateway.child.send(signal.SIGHUP)
    await gateway.child.line(r"Reloaded: .*generation 2")
    await gateway.child.line("Generation 1 has left")
    await gateway.cli("status")
    await until(lambda: len(servers(gateway.child.pid)) == 1)

    status = await gateway.cli("status")

    assert status["generation"] in {2, 3}
    assert status["generations"] == [
        {
            "number": status["generation"],
            "state": "serving",
            "release": __version__,
            "workers": servers(gateway.child.pid),
        }
    ]


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # has no types
async def fragile(provider: ScriptedProvider, tmp_path: Path) -> AsyncIterator[Gateway]:
    """One whose package fails at import while a file named ``spoiled`` is there."""
    place = tmp_path / "path"
    place.mkdir()
    flag = str(tmp_path / "spoiled")
    (place / "sitecustomize.py").write_text(SPOILED.format(flag=flag))
    started = await Gateway.start(
        tmp_path,
        config_for(provider),
        environ={"SCRIPTED_KEY": CANARY, "PYTHONPATH": str(place)},
    )
    yield started
    await started.stop()


async def test_code_that_fails_at_import_leaves_the_old_serving(
    fragile: Gateway, provider: ScriptedProvider, tmp_path: Path
) -> None:
    provider.always(*whole(200, {"content-type": "application/json"}, WHOLE))
    (tmp_path / "spoiled").touch()
    fragile.child.send(signal.SIGHUP)
    await fragile.child.line("Reload refused")

    refusals = [line for line in fragile.child.lines if "Reload refused" in line]
    assert len(refusals) == 1
    assert re.search(r"klein.*\(exit status 1\)", refusals[0])
    assert "Traceback" not in fragile.child.text
    assert (await call(fragile, stream=False)).body == WHOLE
    assert "klein" in (await fragile.cli("status"))["last_refusal"]

    (tmp_path / "spoiled").unlink()
    await reload(fragile, 3)
    assert (await call(fragile, stream=False)).body == WHOLE
    assert (await fragile.cli("status"))["last_refusal"] is None


async def test_a_first_generation_that_cannot_serve_ends_the_start(
    provider: ScriptedProvider, tmp_path: Path
) -> None:
    place = tmp_path / "path"
    place.mkdir()
    (place / "sitecustomize.py").write_text(SPOILED.format(flag="/"))
    environ = {"SCRIPTED_KEY": CANARY, "PYTHONPATH": str(place)}

    with pytest.raises(AssertionError, match="cannot start: .*klein") as raised:
        await Gateway.start(tmp_path, config_for(provider), environ=environ)
    assert str(raised.value.__cause__).startswith("ended with 1")


async def test_a_killed_worker_costs_its_own_streams_only(
    provider: ScriptedProvider, tmp_path: Path
) -> None:
    gateway = await Gateway.start(
        tmp_path,
        "workers = 2\n" + config_for(provider),
        environ={"SCRIPTED_KEY": CANARY},
    )
    try:
        gate = Gate()
        provider.always(*streamed(PIECES, gate))
        streams = [call(gateway, stream=True) for _ in range(6)]
        for _ in streams:
            await provider.request_seen()
        first, second = servers(gateway.child.pid)
        os.kill(first, signal.SIGKILL)
        await gateway.child.line(f"Worker {first} ended: killed by SIGKILL")
        await until(lambda: len(servers(gateway.child.pid)) == 2)
        gate.open()
        finished = cut = 0
        for stream in streams:
            try:
                finished += (await stream).text.endswith("data: [DONE]\n\n")
            except (http.client.HTTPException, OSError):
                cut += 1
        assert second in servers(gateway.child.pid)
        await until(lambda: len(gateway.access()) == finished)  # a line comes last
        endings = [entry["ending"] for entry in gateway.access()]
        assert endings == ["finished"] * finished
        assert finished + cut == 6
        answer = await call(gateway, stream=True)
        assert answer.text.endswith("data: [DONE]\n\n")
    finally:
        assert await gateway.stop() == 0
    assert not running(first)


async def test_workers_of_a_killed_parent_finish_and_leave(
    gateway: Gateway, provider: ScriptedProvider
) -> None:
    gate = Gate()
    provider.stream(PIECES, gap=gate)
    stream = call(gateway, stream=True)
    await provider.request_seen()
    (worker,) = servers(gateway.child.pid)

    parent = gateway.child.pid
    gateway.child.send(signal.SIGKILL)
    await until(lambda: not running(parent))
    port = int(gateway.root.rsplit(":", 1)[1])
    await until(lambda: refused(port))
    assert running(worker)
    gate.open()

    assert (await stream).text.endswith("data: [DONE]\n\n")
    await until(lambda: not running(worker))
    # The worker held the log's pipe: only now the child has ended for us.
    assert await gateway.child.ended() == -signal.SIGKILL


def refused(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) != 0


async def test_a_stop_during_a_reload_leaves_nobody(gateway: Gateway) -> None:
    gateway.child.send(signal.SIGHUP)
    await until(lambda: len(servers(gateway.child.pid)) == 2)
    workers = servers(gateway.child.pid)

    assert await gateway.stop() == 0

    assert not any(running(pid) for pid in workers)
    assert "Reload refused" not in gateway.child.text


async def test_addresses_come_and_go(
    gateway: Gateway, provider: ScriptedProvider, tmp_path: Path
) -> None:
    good = gateway.config.read_text()
    path = tmp_path / "a.sock"
    more = good.replace('listen = ["', f'listen = ["unix:{path}:mode=600", "')
    gateway.config.write_text(more)
    await reload(gateway, 2)
    assert path.stat().st_mode & 0o777 == 0o600

    gateway.config.write_text(good)
    await reload(gateway, 3)
    await until(lambda: not path.exists())
    assert (await fetch(f"{gateway.root}/readyz")).status == 200

    taken = provider.port
    gateway.config.write_text(
        good.replace('listen = ["', f'listen = ["tcp:{taken}:interface=127.0.0.1", "')
    )
    gateway.child.send(signal.SIGHUP)
    await gateway.child.line("Reload refused.*in use")


async def test_a_changed_state_needs_a_restart(gateway: Gateway) -> None:
    text = gateway.config.read_text()
    gateway.config.write_text(re.sub(r'state = "[^"]*', r"\g<0>2", text))
    gateway.child.send(signal.SIGHUP)

    await gateway.child.line("Reload refused.*'state' has changed: restart")


async def test_one_process_still_serves_and_reloads(
    provider: ScriptedProvider, tmp_path: Path
) -> None:
    gateway = await Gateway.start(
        tmp_path,
        config_for(provider),
        environ={"SCRIPTED_KEY": CANARY},
        single=True,
    )
    assert children(gateway.child.pid) == []
    gateway.child.send(signal.SIGHUP)
    await gateway.child.line("Reloaded: 1 provider,")
    assert await gateway.stop() == 0
