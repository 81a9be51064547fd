"""`lightweight top`: what it shows, and the real one in a terminal."""

import os
import pty
import re
import select
import signal
import subprocess
from collections.abc import AsyncIterator
from typing import Any

from twisted.internet.threads import deferToThread

import pytest
import pytest_twisted
from msgspec import to_builtins
from support.daemon import BIN, PATIENCE, Gateway, spawn
from support.processes import servers
from support.vitals import vitals

from lightweight.cli.top import _screen, _span, shown

DEMO = 'workers = 2\n[providers.demo]\nkind = "demo"\n'


def answer(**given: Any) -> dict[str, Any]:
    worker = {"pid": 8, "state": "serving", **to_builtins(vitals(uptime=70.0))}
    starting = {"pid": 9, "state": "starting"}
    at_once = {"connections": 2.0, "calls": 1.0, "streams": 0.0}
    return {
        "state": "serving",
        "pid": 7,
        "listen": ["http://127.0.0.1:8080"],
        "generations": [
            {"number": 3, "state": "serving", "workers": [worker, starting]}
        ],
        "in_all": {**at_once, "calls_per_s": 2.5, "errors_per_s": 0.0},
        "providers": {},
        "last_refusal": None,
        **given,
    }


def test_a_line_for_each_worker() -> None:
    lines = shown(answer()).splitlines()
    assert (
        lines[0] == "lightweight serving, process 7, listening on http://127.0.0.1:8080"
    )
    assert lines[1] == ("2 connections, 1 call, 0 streams, 2.5 calls/s, 0 errors/s")
    assert lines[-2].split()[:5] == ["3", "8", "serving", "1m", "10s"]
    assert lines[-1].split() == ["3", "9", "starting", *"-" * 9]


def test_providers_and_the_last_refusal() -> None:
    alone = {"state": "open", "workers": 2, "wait": 4.5, "resting": {"m": 3.0}}
    well = {"state": "closed", "workers": 2, "wait": 0.0, "resting": {}}
    text = shown(
        answer(providers={"one": alone, "two": well}, last_refusal="line 1\nline 2")
    )
    assert re.search(r"one +open in 2 +4.5 +m 3 s\n", text)
    assert re.search(r"two +closed +- +-\n", text)
    assert text.endswith("Last reload refused: line 1")


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(7.9, "7s"), (127, "2m 7s"), (3900, "1h 5m"), (183600, "2d 3h")],
)
def test_times_are_short(seconds: float, told: str) -> None:
    assert _span(seconds) == told


def test_a_screen_is_no_larger_than_the_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "10")
    monkeypatch.setenv("LINES", "3")
    assert _screen("0123456789abc\n2\n3\n4") == "\x1b[H012345678\x1b[K\n2\x1b[K\n\x1b[J"


@pytest_twisted.async_yield_fixture(scope="module")  # type: ignore[untyped-decorator]  # has no types
async def gateway(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Gateway]:
    """A daemon that these tests only look at."""
    started = await Gateway.start(tmp_path_factory.mktemp("gateway"), DEMO)
    yield started
    await started.stop()


async def test_the_daemon_tells_of_each_worker(gateway: Gateway) -> None:
    told = await gateway.cli("top")
    while not all("cpu" in each for each in told["generations"][0]["workers"]):
        told = await gateway.cli("top")

    (generation,) = told["generations"]
    workers = generation["workers"]
    assert [each["pid"] for each in workers] == servers(gateway.child.pid)
    assert all(each["memory"] > 1_000_000 for each in workers)
    assert told["providers"]["demo"]["state"] == "closed"
    assert told["in_all"]["calls"] == 0

    socket = gateway.directory / "state" / "control.sock"
    once = spawn(
        [BIN / "lightweight", "top", "--socket", socket], cwd=gateway.directory
    )
    assert await once.ended() == 0
    assert "\x1b" not in once.text
    assert str(workers[0]["pid"]) in once.text


@pytest.mark.parametrize("end", ["q", "interrupt"])
async def test_it_is_watched_in_a_terminal_until_it_is_ended(
    gateway: Gateway, end: str
) -> None:
    socket = gateway.directory / "state" / "control.sock"
    words = [str(BIN / "lightweight"), "top", "--socket", str(socket)]

    text, status = await deferToThread(_watched, words, end)

    assert status == 0
    assert text.count("lightweight serving, process") >= 2
    assert "Traceback" not in text
    assert "Aborted" not in text


def _watched(words: list[str], end: str) -> tuple[str, int]:
    """Run a command in a terminal and end it on its second screen."""
    ours, its = pty.openpty()
    # As in a terminal: what runs in a shell's background inherits that it is ignored.
    words = ["env", "--default-signal=INT", *words]
    child = subprocess.Popen(words, stdin=its, stdout=its, stderr=its)
    os.close(its)
    text = b""
    try:
        while text.count(b"\x1b[H") < 2:
            text += os.read(ours, 65536)
        if end == "q":
            os.write(ours, b"q")
        else:
            child.send_signal(signal.SIGINT)
        status = child.wait(PATIENCE)
        while select.select([ours], [], [], 0)[0]:
            try:
                text += os.read(ours, 65536)
            except OSError:
                # Linux's way to say that the other end is closed.
                break
    finally:
        child.kill()
        child.wait()
        os.close(ours)
    return text.decode(), status
