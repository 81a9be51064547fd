"""One daemon for all tests of a module: they speak to it, and leave it as it was.

What a module offers besides is in its ``OFFERED``: TOML, in which ``{url}`` stands for
the scripted provider's base URL and ``{root}`` for the same without ``/v1``.
"""

from collections.abc import AsyncIterator, Iterator

import openai
import pytest
import pytest_twisted
from support.daemon import Gateway
from support.http import fetch
from support.live import CANARY, config_for
from support.scripted import ScriptedProvider


@pytest.fixture(scope="module")
def lane() -> str:
    """The server's lane that models are asked on: ``express``, or ``routed``."""
    return "express"


@pytest_twisted.async_yield_fixture(scope="module")  # type: ignore[untyped-decorator]  # has no types
async def standing_provider() -> AsyncIterator[ScriptedProvider]:
    """The provider of a module's tests."""
    started = await ScriptedProvider().start()
    yield started
    await started.stop()


@pytest_twisted.async_yield_fixture(scope="module")  # type: ignore[untyped-decorator]  # has no types
async def standing(
    standing_provider: ScriptedProvider,
    lane: str,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Gateway]:
    """The daemon of a module's tests."""
    url = standing_provider.base_url
    offered = str(getattr(request.module, "OFFERED", ""))
    offered = offered.replace("{url}", url).replace("{root}", url.removesuffix("/v1"))
    express = f"express = {str(lane == 'express').lower()}\n"
    started = await Gateway.start(
        tmp_path_factory.mktemp("gateway"),
        express + config_for(standing_provider, offered),
        environ={"SCRIPTED_KEY": CANARY},
    )
    yield started
    assert await started.stop() == 0


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # has no types
async def provider(
    standing_provider: ScriptedProvider,
) -> AsyncIterator[ScriptedProvider]:
    """The module's provider, which has seen and been told nothing."""
    standing_provider.forget()
    yield standing_provider
    await standing_provider.disconnect()


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # has no types
async def gateway(
    standing: Gateway, provider: ScriptedProvider
) -> AsyncIterator[Gateway]:
    """The module's daemon, without the lines it wrote for other tests."""
    told = await fetch(f"{standing.root}/healthz")
    await standing.child.line(told.headers["x-request-id"])
    standing.child.lines.clear()
    yield standing


@pytest.fixture
def sdk(gateway: Gateway) -> Iterator[openai.OpenAI]:
    """OpenAI's SDK, which asks once; modules of other SDKs have their own."""
    with openai.OpenAI(
        base_url=gateway.base_url, api_key=gateway.key, max_retries=0, timeout=30
    ) as client:
        yield client
