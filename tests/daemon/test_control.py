"""The control socket: one line each way, for its owner only."""

import json
import os
import socket
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twisted.internet.threads import deferToThread

import pytest

from lightweight.daemon.control import Control
from lightweight.daemon.messages import VERSION, Request, encode


def ask_blocking(path: Path, line: bytes) -> dict[str, object]:
    directory = os.open(path.parent, os.O_PATH)
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(f"/proc/self/fd/{directory}/{path.name}")
        os.close(directory)
        client.sendall(line)
        answer: dict[str, object] = json.loads(client.makefile().readline())
        return answer


async def ask(path: Path, line: bytes) -> dict[str, object]:
    return await deferToThread(ask_blocking, path, line)


async def well() -> Mapping[str, object]:
    return {"state": "serving"}


async def broken() -> Mapping[str, object]:
    raise RuntimeError("secret detail")


def opened(path: Path) -> Control:
    from twisted.internet import reactor

    return Control(reactor, path, {"status": well, "reload": broken})


async def test_an_answer_for_the_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    control = opened(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert await ask(path, encode(Request(do="status"))) == {
        "version": VERSION,
        "state": "serving",
    }
    await control.close()
    assert list(tmp_path.iterdir()) == []


async def test_a_path_longer_than_sockets_allow(tmp_path: Path) -> None:
    directory = tmp_path / ("long" * 40)
    directory.mkdir()
    control = opened(directory / "control.sock")

    answer = await ask(directory / "control.sock", encode(Request(do="status")))

    assert answer["state"] == "serving"
    await control.close()


async def test_a_stranger_is_told(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    control = opened(path)

    answer = await ask(path, b'{"version":99,"do":"status"}\n')

    assert "restart the service" in str(answer["error"])
    await control.close()


async def test_a_failure_stays_in_the_log(tmp_path: Path, logged_failures: Any) -> None:
    path = tmp_path / "control.sock"
    control = opened(path)

    answer = await ask(path, encode(Request(do="reload")))

    assert answer["error"] == "It failed; the log says more."
    assert logged_failures.flush(RuntimeError)
    await control.close()


async def test_the_next_server_takes_the_place_over(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    first = opened(path)
    second = opened(path)
    await first.close()

    answer = await ask(path, encode(Request(do="status")))

    assert answer["state"] == "serving"
    await second.close()


async def test_no_directory_no_socket(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        opened(tmp_path / "gone" / "control.sock")
