"""A new version takes over from the old one while it serves: no call fails."""

import json
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from threading import Event
from typing import Any

from twisted.internet.threads import deferToThread

import openai
import pytest
from support.daemon import spawn
from support.ports import free_port
from support.wheels import RUN_TWISTD, build_wheel, install, new_venv

NEWER = "0.1.1"


def calls(base_url: str, key: str, enough: Event, *, stream: bool) -> int:
    """Call with OpenAI's SDK until it is enough, never twice; give how often."""
    client: Any = openai.OpenAI(
        base_url=base_url, api_key=key, max_retries=0, timeout=60
    )
    message = {"role": "user", "content": "Hello!"}
    count = 0
    with client:
        while not enough.is_set():
            answer = client.chat.completions.create(
                model="demo", messages=[message], stream=stream
            )
            pieces = list(answer) if stream else [answer]
            assert pieces[-1].choices[0].finish_reason == "stop", pieces
            count += 1
    return count


@pytest.mark.debian
@pytest.mark.timeout(600)
@pytest.mark.async_limit(600)
async def test_a_wheel_is_installed_over_one_that_serves(tmp_path: Path) -> None:
    """As the units do it: systemd holds the socket, a reload brings the new code."""
    activate = shutil.which("systemd-socket-activate")
    assert activate is not None, "install systemd"
    old = build_wheel(tmp_path / "old")
    new = build_wheel(tmp_path / "new", NEWER)
    python = new_venv(tmp_path)
    install(python, old)
    config = tmp_path / "lightweight.toml"
    config.write_text(
        f'listen = ["systemd:domain=INET:name=api"]\nstate = "{tmp_path / "state"}"\n'
        'workers = 2\ndiscover = false\n[providers.demo]\nkind = "demo"\n'
    )
    port = free_port()
    child = spawn(
        [
            *(activate, "--fdname=api", "-l", f"127.0.0.1:{port}"),
            *(python, "-P", "-c", RUN_TWISTD, "--pidfile=", "-n", "lightweight"),
            *("-c", config),
        ],
        cwd=tmp_path,
    )

    def releases() -> list[tuple[str, str]]:
        done = subprocess.run(
            [python.parent / "lightweight", "-c", config, "status", "--json"],
            capture_output=True,
            text=True,
            check=True,
        )
        told = json.loads(done.stdout)["generations"]
        return [(each["state"], each["release"]) for each in told]

    enough = Event()
    try:
        await child.line("Listening on")
        base_url = f"http://127.0.0.1:{port}/v1"
        # The first connection starts it.
        with socket.create_connection(("127.0.0.1", port)):
            await child.line(r"Ready\b", patience=120)
        first = tmp_path / "state" / "first-run.txt"
        key = next(w for w in first.read_text().split() if w.startswith("lw-"))
        running = [
            deferToThread(calls, base_url, key, enough, stream=bool(number % 2))
            for number in range(4)
        ]
        assert releases() == [("serving", "0.1.0")]

        await deferToThread(install, python, new)
        child.send(signal.SIGHUP)
        await child.line("Reloaded: .*generation 2", patience=120)
        assert ("serving", NEWER) in releases()
        await child.line("Generation 1 has left", patience=120)
        enough.set()

        counts = [await each for each in running]
        assert min(counts) > 1, counts
        assert releases() == [("serving", NEWER)]
    finally:
        enough.set()
        await child.stop()
