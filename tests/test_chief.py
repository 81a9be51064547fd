"""What a person starts: the parent and its children, each with what it needs."""

import json
from collections.abc import Mapping
from pathlib import Path

from support.daemon import Gateway

RECORDER = """
import atexit, json, os, pathlib, sys

def record():
    task = next((word for word in sys.argv if word.startswith("{")), "{}")
    task = json.loads(task).get("task", "parent")
    place = pathlib.Path(os.environ["RECORDS"], task)
    place.write_text(json.dumps(sorted(sys.modules)))

atexit.register(record)
"""
"""Is every interpreter's ``sitecustomize``: tells what it had loaded in the end."""

SELDOM = {"alembic", "jinja2", "markdown_it", "prometheus_client", "txredisapi"}
SELDOM |= {"opentelemetry", "psycopg", "sqlalchemy.dialects.postgresql", "jwt"}
"""What few processes ever need, and each takes time and memory: it is loaded then."""

SERVES = {"klein", "werkzeug", "treq", "lightweight.web.app", "lightweight.runtime"}
SERVES |= {"lightweight.dialects.openai_chat", "lightweight.upstream.wire"}

STORES = {"sqlalchemy", "lightweight.store.schema"}


async def loaded_by_each(directory: Path) -> Mapping[str, set[str]]:
    """Start a server for the second time and stop it; give the modules it had."""
    records = directory / "records"
    records.mkdir()
    (directory / "sitecustomize.py").write_text(RECORDER)
    environ = {"PYTHONPATH": str(directory), "RECORDS": str(records)}
    for _ in range(2):
        gateway = await Gateway.start(directory, "workers = 1\n", environ=environ)
        assert await gateway.stop() == 0
    return {each.name: {*json.loads(each.read_text())} for each in records.iterdir()}


async def test_each_process_starts_without_what_it_does_not_need(
    tmp_path: Path,
) -> None:
    loaded = await loaded_by_each(tmp_path)

    assert loaded.keys() == {"parent", "serve", "keep_books"}
    assert not loaded["parent"] & (SELDOM | SERVES | STORES)
    assert not loaded["keep_books"] & (SELDOM | SERVES)
    assert loaded["keep_books"] >= STORES
    assert not loaded["serve"] & SELDOM
    assert loaded["serve"] >= SERVES | STORES
