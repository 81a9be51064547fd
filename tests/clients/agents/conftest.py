"""A real daemon whose provider speaks any of three dialects, and an agent's places."""

import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_twisted
from support.daemon import Gateway
from support.errand import DIALECTS, offered
from support.live import CANARY
from support.scripted import ScriptedProvider


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> str:
    """Give the one dialect that the provider speaks."""
    return str(request.param)


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # has no types
async def gateway(
    provider: ScriptedProvider, tmp_path: Path, dialect: str
) -> AsyncIterator[Gateway]:
    """A real daemon before a provider that speaks ``dialect``."""
    config = offered(provider, dialect)
    started = await Gateway.start(tmp_path, config, environ={"SCRIPTED_KEY": CANARY})
    yield started
    await started.stop()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Give an empty home."""
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Give an empty project, under git: some agents work in no other."""
    subprocess.run(["git", "init", "-q", tmp_path / "work"], check=True)
    return tmp_path / "work"
