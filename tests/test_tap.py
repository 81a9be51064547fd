"""The composition root: what the log hides, what ends a start."""

import resource
from pathlib import Path

from twisted.internet.task import Clock

import pytest
from support.daemon import BIN, spawn

from lightweight.catalog.load import load_catalog
from lightweight.config.schema import Config, ProviderConfig
from lightweight.config.secret import Secret
from lightweight.daemon.judge import today
from lightweight.runtime import ProviderPlan, build_runtime
from lightweight.tap import (
    Options,
    credentials_of,
    descriptors,
    makeService,
    secrets_of,
)
from lightweight.upstream.demo import DemoProvider
from lightweight.upstream.provider import Provider


def test_the_process_may_open_as_many_files_as_the_system_lets_it() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 500), hard))
    assert descriptors() == hard
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)


def never_asked(plan: ProviderPlan) -> Provider:
    return DemoProvider(plan.name, Clock(), wall=lambda: 0.0)


def test_every_secret_is_hidden() -> None:
    config = Config(
        metrics_token=Secret("m-token"),
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

    shown = credentials_of(runtime.plans["demo"])
    assert [each["authorization"] for each in shown] == ["Bearer sk-1", "Bearer sk-2"]
    assert {"m-token", "sk-1", "sk-2"} <= set(secrets_of(runtime))


def test_a_bad_configuration_ends_the_start_with_its_problems(tmp_path: Path) -> None:
    from twisted.internet import reactor

    path = tmp_path / "bad.toml"
    path.write_text("workers = 0\n")
    options = Options()
    options.parseOptions(["-c", str(path)])

    with pytest.raises(SystemExit, match=r"bad\.toml:1: workers"):
        makeService(options, reactor=reactor)


async def test_the_command_line_explains_itself(tmp_path: Path) -> None:
    child = spawn([BIN / "twistd", "lightweight", "--help"], cwd=tmp_path)
    assert await child.ended() == 0
    assert "--check" in child.text

    child = spawn([BIN / "twistd", "lightweight", "--version"], cwd=tmp_path)
    assert await child.ended() == 0
    assert child.text.startswith("lightweight ")
