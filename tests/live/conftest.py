"""A real daemon in front of a scripted provider, for one test at a time."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_twisted
from support.daemon import Gateway
from support.live import CANARY, config_for
from support.scripted import ScriptedProvider


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # has no types
async def provider() -> AsyncIterator[ScriptedProvider]:
    scripted = await ScriptedProvider().start()
    yield scripted
    await scripted.stop()


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # has no types
async def gateway(provider: ScriptedProvider, tmp_path: Path) -> AsyncIterator[Gateway]:
    started = await Gateway.start(
        tmp_path, config_for(provider), environ={"SCRIPTED_KEY": CANARY}
    )
    yield started
    await started.stop()
