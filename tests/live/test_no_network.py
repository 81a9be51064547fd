"""The server where there is no network at all: it needs none to start and to answer."""

import os
import shutil
import signal
import sys
from pathlib import Path

import pytest
from support.daemon import BIN, spawn
from support.processes import children

pytestmark = pytest.mark.debian

ASK = """
import json, re, sys, urllib.request as r
from pathlib import Path
key = re.search("lw-[0-9A-Za-z]{49}", Path(sys.argv[1]).read_text())[0]
body = {"model": "demo", "messages": [{"role": "user", "content": "hi"}]}
asked = r.Request(
    "http://127.0.0.1:8080/v1/chat/completions",
    json.dumps(body).encode(),
    {"Authorization": "Bearer " + key, "Content-Type": "application/json"},
)
print(json.load(r.urlopen(asked))["choices"][0]["finish_reason"])
"""


async def test_it_starts_on_its_defaults_and_answers(tmp_path: Path) -> None:
    unshare, nsenter = shutil.which("unshare"), shutil.which("nsenter")
    assert unshare is not None, "install util-linux"
    assert nsenter is not None
    root = os.geteuid() == 0
    alone = [unshare, *([] if root else ["--user", "--map-root-user"]), "--net"]
    up = ["sh", "-c", 'ip link set lo up && exec "$@"', "-"]
    server = spawn(
        [*alone, *up, BIN / "twistd", "--pidfile=", "-n", "lightweight"], cwd=tmp_path
    )
    try:
        await server.line(r"Ready\b")
        user = [] if root else ["--user", "--preserve-credentials"]
        within = [nsenter, f"--target={server.pid}", *user, "--net"]
        first_run = tmp_path / ".local/state/lightweight/first-run.txt"
        asked = spawn([*within, sys.executable, "-c", ASK, first_run], cwd=tmp_path)
        assert await asked.ended() == 0, asked.text
        assert asked.text == "stop"
        assert children(server.pid), "it is not the server that was asked"
        server.send(signal.SIGTERM)
        assert await server.ended() == 0
    finally:
        await server.stop()
    assert "error" not in server.text.lower()
