"""The systemd units, judged by systemd itself; sockets and states as it gives them.

A machine without these tools (Debian: package systemd) is told so on the terminal.
"""

import os
import re
import shutil
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

import pytest
from support.daemon import BIN, Child, spawn
from support.http import fetch
from support.ports import free_port

UNITS = Path(__file__).parent.parent.parent / "etc" / "systemd"
MOST_EXPOSED = 1.5


@pytest.fixture(autouse=True)
def _told(capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    if shutil.which("systemd-analyze") is None:
        with capsys.disabled():
            print("\nNOT CHECKED: no systemd-analyze here; install `systemd`.")  # noqa: T201 -- to be seen
    yield


def tool(name: str) -> str | None:
    return shutil.which(name)


async def output(*command: object, cwd: Path) -> tuple[int, str]:
    child = spawn(command, cwd=cwd)
    return await child.ended(), child.text


async def test_the_units_are_well_formed(tmp_path: Path) -> None:
    analyze = tool("systemd-analyze")
    for name in ("lightweight.service", "lightweight.socket"):
        # What ExecStart names is not installed here.
        text = (UNITS / name).read_text()
        unit = text.replace("/opt/lightweight/bin/twistd", "/bin/true")
        (tmp_path / name).write_text(unit)
    for name in ("lightweight.service", "lightweight.socket") if analyze else ():
        found = await output(
            analyze, "verify", "--man=no", tmp_path / name, cwd=tmp_path
        )
        assert found == (0, "")


async def test_the_service_is_hardly_exposed(tmp_path: Path) -> None:
    analyze = tool("systemd-analyze")
    if analyze is None:
        return
    unit = UNITS / "lightweight.service"
    command = (analyze, "security", "--offline=true", "--no-pager", unit)
    status, text = await output(*command, cwd=tmp_path)

    assert status == 0, text
    score = re.search(r"exposure level for lightweight.service: ([0-9.]+)", text)
    assert score is not None, text
    assert float(score[1]) <= MOST_EXPOSED


def test_the_service_is_told_apart_by_what_it_must_say() -> None:
    text = (UNITS / "lightweight.service").read_text()

    assert "Type=notify\n" in text
    assert "ExecReload=/bin/kill -HUP $MAINPID\n" in text
    assert "KillMode=mixed\n" in text
    # It would break TLS: Python makes code at run time for it.
    assert "\nMemoryDenyWriteExecute" not in text


def configured(directory: Path, listen: str) -> Path:
    path = directory / "lightweight.toml"
    path.write_text(
        f'listen = ["{listen}"]\nstate = "{directory / "state"}"\n'
        'discover = false\n[providers.demo]\nkind = "demo"\n'
    )
    return path


async def test_a_socket_of_systemd_is_served_and_reloaded(tmp_path: Path) -> None:
    activate = tool("systemd-socket-activate")
    if activate is None:
        return
    config = configured(tmp_path, "systemd:domain=INET:name=api")
    port = free_port()
    child = spawn(
        [
            *(activate, "--fdname=api", "-l", f"127.0.0.1:{port}"),
            *(BIN / "twistd", "-n", "--pidfile=", "lightweight", "-c", config),
        ],
        cwd=tmp_path,
    )
    try:
        await child.line("Listening on")
        # The first connection starts it, and waits for it.
        assert (await fetch(f"http://127.0.0.1:{port}/readyz")).status == 200
        child.send(signal.SIGHUP)
        await child.line("Reloaded: .*generation 2")
        assert (await fetch(f"http://127.0.0.1:{port}/readyz")).status == 200
        child.send(signal.SIGTERM)
        assert await child.ended() == 0
    finally:
        await child.stop()


class Manager:
    """What systemd is to a service: the other end of the notify socket."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.name = f"lightweight-test-{os.getpid()}"
        self.socket.bind(f"\0{self.name}")
        self.socket.settimeout(30)

    async def told(self, wanted: str) -> list[str]:
        """Give the states of the next datagram that has ``wanted`` in it."""
        states: list[str] = []
        while wanted not in states:
            datagram: Deferred[bytes] = deferToThread(self.socket.recv, 4096)
            states = (await datagram).decode().splitlines()
        return states


async def test_the_service_manager_hears_what_happens(tmp_path: Path) -> None:
    config = configured(tmp_path, "tcp:0:interface=127.0.0.1")
    manager = Manager()
    child: Child = spawn(
        [BIN / "twistd", "-n", "--pidfile=", "lightweight", "-c", config],
        cwd=tmp_path,
        environ={"NOTIFY_SOCKET": f"@{manager.name}", "WATCHDOG_USEC": "400000"},
    )
    try:
        _, status = await manager.told("READY=1")
        assert "generation 1" in status
        await child.line(r"Ready\b")
        root = (await child.line(r"Listening on (http://[0-9.:]+)"))[1]
        assert (await fetch(f"{root}/readyz")).status == 200
        await manager.told("WATCHDOG=1")

        good = config.read_text()
        config.write_text(good + "wrong = 1\n")
        child.send(signal.SIGHUP)
        assert (await manager.told("RELOADING=1"))[1].startswith("MONOTONIC_USEC=")
        _, status = await manager.told("READY=1")
        assert status.startswith("STATUS=Reload refused: ")
        assert "wrong" in status

        child.send(signal.SIGTERM)
        await manager.told("STOPPING=1")
        assert await child.ended() == 0
    finally:
        await child.stop()
        manager.socket.close()
