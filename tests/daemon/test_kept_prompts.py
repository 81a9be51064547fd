"""A real daemon keeps what is said with a marked key, until the switch is turned."""

import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from support.dashboard import Served, serving
from support.http import fetch_blocking
from support.until import PATIENCE

WORKERS = """
workers = 2
[providers.demo]
kind = "demo"
"""


def said(served: Served, words: str) -> None:
    body = {"model": "demo", "messages": [{"role": "user", "content": words}]}
    url = f"{served.root}/v1/chat/completions"
    assert fetch_blocking(url, method="POST", key=served.key, body=body).status == 200


def rows(state: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(state / "lightweight.db")) as connection:
        found = connection.execute("SELECT prompt, answer FROM kept_prompts")
        return found.fetchall()


def test_the_switch_is_turned_while_it_serves(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with serving(tmp_path, WORKERS) as served:
        with closing(sqlite3.connect(state / "lightweight.db")) as connection:
            ((key_id,),) = connection.execute("SELECT id FROM keys").fetchall()
        said(served, "before the switch")
        served.run("keys", "set", key_id, "--keep-prompts", "7")
        end = time.monotonic() + PATIENCE
        while not rows(state):
            assert time.monotonic() < end, served.log.read_text()
            said(served, f"my key is {served.key}")
            time.sleep(0.2)
        prompt, answer = rows(state)[0]
        asked = json.loads(prompt)
        assert asked["messages"] == [{"role": "user", "content": "my key is ***"}]
        assert json.loads(answer)["object"] == "chat.completion"
        assert "before the switch" not in str(rows(state))
        served.run("keys", "set", key_id, "--keep-prompts", "none")
        assert rows(state) == []
    kept = [path.read_bytes() for path in state.rglob("*") if path.is_file()]
    first_run = (state / "first-run.txt").read_bytes()
    assert not any(served.key.encode() in each for each in kept if each != first_run)
