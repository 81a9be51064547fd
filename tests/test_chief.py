"""What a person starts: the parent and its children, each with what it needs."""

from pathlib import Path

from support.daemon import Gateway
from support.loaded import recorded, recording

SELDOM = {"alembic", "jinja2", "markdown_it", "prometheus_client", "txredisapi"}
SELDOM |= {"opentelemetry", "psycopg", "sqlalchemy.dialects.postgresql", "jwt"}
"""What few processes ever need, and each takes time and memory: it is loaded then."""

SERVES = {"klein", "werkzeug", "treq", "lightweight.web.app", "lightweight.runtime"}
SERVES |= {"lightweight.dialects.openai_chat", "lightweight.upstream.wire"}

STORES = {"sqlalchemy", "lightweight.store.schema"}


async def test_each_process_starts_without_what_it_does_not_need(
    tmp_path: Path,
) -> None:
    environ = recording(tmp_path)
    # The first start alone migrates.
    for _ in range(2):
        gateway = await Gateway.start(tmp_path, "workers = 1\n", environ=environ)
        assert await gateway.stop() == 0
    loaded = recorded(tmp_path)

    assert loaded.keys() == {"parent", "serve", "keep_books"}
    assert not loaded["parent"] & (SELDOM | SERVES | STORES)
    assert not loaded["keep_books"] & (SELDOM | SERVES)
    assert loaded["keep_books"] >= STORES
    assert not loaded["serve"] & SELDOM
    assert loaded["serve"] >= SERVES | STORES
