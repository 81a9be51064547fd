"""pipx and uv install the wheel with the commands of the manual; then it answers."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.daemon import spawn
from support.http import fetch
from support.pypi import venv_after

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "install.md").read_text()
COMMANDS = re.findall(r"^```sh clients\n(.+)\n```$", PAGE, re.MULTILINE)


@pytest.mark.clients
@pytest.mark.timeout(600)
@pytest.mark.async_limit(600)
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.split()[0])
async def test_a_wheel_becomes_a_command(command: str, tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, ROOT / "release" / "build.py", tmp_path], check=True
    )
    tools = venv_after(tmp_path / "tools", "pip install pipx uv")
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        ["/bin/sh", "-ec", command],
        cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path), "PATH": path},
        check=True,
    )
    programs = tmp_path / ".local" / "bin"
    config = tmp_path / "lightweight.toml"
    config.write_text(
        'listen = ["tcp:0:interface=127.0.0.1"]\ndiscover = false\n'
        f'state = "{tmp_path / "state"}"\n[providers.demo]\nkind = "demo"\n'
    )
    daemon = spawn(
        [programs / "twistd", "--pidfile=", "-n", "lightweight", "-c", config],
        cwd=tmp_path,
    )
    try:
        # Nothing is compiled yet: uv leaves that to the first start.
        await daemon.line(r"Ready\b", patience=180)
        root = (await daemon.line(r"Listening on (http://127\.0\.0\.1:\d+)"))[1]
        told = (tmp_path / "state" / "first-run.txt").read_text()
        key = next(word for word in told.split() if word.startswith("lw-"))
        answer = await fetch(
            f"{root}/v1/chat/completions",
            method="POST",
            key=key,
            body=b'{"model": "demo", "stream": true,'
            b' "messages": [{"role": "user", "content": "Hello!"}]}',
        )
        shown = spawn([programs / "lightweight", "--version"], cwd=tmp_path)
        assert await shown.ended() == 0
    finally:
        await daemon.stop()

    assert answer.text.endswith("data: [DONE]\n\n")
    assert "lightweight 0.1.0" in shown.text


def test_the_manual_tells_of_both() -> None:
    assert [command.split()[0] for command in COMMANDS] == ["pipx", "uv"]
