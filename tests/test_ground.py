"""What every process stands on: what the log hides, what is imported for whom."""

import subprocess
import sys

from twisted.internet.task import Clock

from lightweight.catalog.load import load_catalog
from lightweight.config.schema import Config, ProviderConfig, Redis
from lightweight.config.secret import Secret
from lightweight.daemon.judge import today
from lightweight.ground import secrets_of
from lightweight.runtime import ProviderPlan, build_runtime
from lightweight.upstream.demo import DemoProvider
from lightweight.upstream.provider import Provider


def never_asked(plan: ProviderPlan) -> Provider:
    return DemoProvider(plan.name, Clock(), wall=lambda: 0.0)


def test_every_secret_is_hidden() -> None:
    config = Config(
        metrics_token=Secret("m-token"),
        redis=Redis(url=Secret("redis://:r-word@127.0.0.1/0")),
        providers={
            "demo": ProviderConfig(
                kind="demo", api_key=Secret("sk-1"), api_keys=(Secret("sk-2"),)
            )
        },
    )
    runtime = build_runtime(
        config,
        load_catalog(),
        environ={},
        make_provider=never_asked,
        today=today(),
    )
    assert {"m-token", "sk-1", "sk-2", "r-word"} <= set(secrets_of(runtime))


def imported(module: str) -> set[str]:
    """Give the modules that a fresh interpreter has after this import."""
    told = subprocess.run(
        [sys.executable, "-c", f"import sys, {module}; print(*sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return set(told.split())


SELDOM = {"alembic", "jinja2", "markdown_it", "prometheus_client", "txredisapi"}
"""What few processes need, and each takes time and memory: it is imported then."""


def test_parent_and_bookkeeper_start_without_what_serves() -> None:
    there = imported("lightweight.tap")
    assert "lightweight.daemon.parent" in there
    assert "lightweight.daemon.books" in there
    assert not there & {"klein", "lightweight.web.app", *SELDOM}


def test_a_worker_starts_without_what_it_seldom_needs() -> None:
    there = imported("lightweight.assembly")
    assert "lightweight.web.app" in there
    assert not there & SELDOM
