"""A log that nobody reads: the service goes on, and the lines come when one does."""

import fcntl
import os
import signal
from pathlib import Path

from twisted.internet.task import deferLater

import pytest
from support.daemon import BIN, HOME_LESS, Child
from support.http import fetch
from support.ports import free_port

PAGE = 4096
REQUESTS = 3 * PAGE // 100
"""So many that the lines of a third of them fill the pipe."""


async def serving(root: str) -> None:
    from twisted.internet import reactor

    while True:
        try:
            await fetch(f"{root}/readyz")
        except OSError:
            await deferLater(reactor, 0.05)
        else:
            return


@pytest.mark.parametrize("mode", [[], ["--single"]], ids=["parent", "single"])
async def test_a_blocked_pipe_does_not_stop_the_service(
    tmp_path: Path, mode: list[str]
) -> None:
    from twisted.internet import reactor

    port = free_port()
    (tmp_path / "lightweight.toml").write_text(
        f'listen = ["tcp:{port}:interface=127.0.0.1"]\ndiscover = false\n'
        f'state = "{tmp_path / "state"}"\n[providers.demo]\nkind = "demo"\n'
    )
    read, write = os.pipe()
    fcntl.fcntl(read, fcntl.F_SETPIPE_SZ, PAGE)
    child = Child()
    twistd = str(BIN / "twistd")
    words = [twistd, "-n", "--pidfile=", "lightweight", "-c", "lightweight.toml", *mode]
    reactor.spawnProcess(
        child,
        twistd,
        words,
        {**HOME_LESS, "HOME": str(tmp_path)},
        str(tmp_path),
        childFDs={0: 0, 1: write, 2: "r"},
    )
    os.close(write)
    root = f"http://127.0.0.1:{port}"
    try:
        await serving(root)
        for _ in range(REQUESTS):
            assert (await fetch(f"{root}/healthz")).status == 200
        os.set_blocking(read, False)
        received = b""
        while received.count(b"/healthz") < REQUESTS:
            received += taken(read)
            await deferLater(reactor, 0.02)
    finally:
        child.send(signal.SIGTERM)
        assert await child.ended() == 0
        os.close(read)


def taken(read: int) -> bytes:
    try:
        return os.read(read, PAGE)
    except BlockingIOError:
        return b""
