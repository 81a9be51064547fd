"""A real daemon in front of a scripted provider: the fixtures of live tests."""

from collections.abc import AsyncIterator
from pathlib import Path

from twisted.internet.task import deferLater

import pytest_twisted
from support.daemon import Gateway
from support.http import fetch
from support.scripted import ScriptedProvider

CANARY = "sk-canary-9f8e7d6c5b4a"
"""The provider's key: nobody but the provider may ever see it."""


CHUNK = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m",'
    b'"choices":[{"index":0,"delta":{"content":"%b"},"finish_reason":null}]}\n\n'
)
"""One event; put the content in."""


def config_for(provider: ScriptedProvider, extra: str = "") -> str:
    """Offer ``test-model`` by its own name and ``renamed`` by another."""
    return f"""
[providers.scripted]
kind = "openai"
base_url = "{provider.base_url}"
api_key = {{ env = "SCRIPTED_KEY" }}
[[models]]
id = "test-model"
context = "128K"
targets = [{{ provider = "scripted", model = "test-model", dialect = "openai_chat" }}]
[[models]]
id = "renamed"
context = "128K"
targets = [{{ provider = "scripted", model = "upstream", dialect = "openai_chat" }}]
{extra}
"""


CODEX = """
[[models]]
id = "gpt-5.1-codex"
targets = [{ provider = "scripted", model = "upstream", dialect = "openai_chat" }]
"""
"""A model that clients ask at ``/v1/responses`` because of its name."""


async def until_dead(gateway: Gateway, key: str) -> None:
    """Wait until a revoked key is refused: the daemon looks once a second."""
    from twisted.internet import reactor

    while (await fetch(f"{gateway.base_url}/models", key=key)).status == 200:
        await deferLater(reactor, 0.05)


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # has no types
async def provider() -> AsyncIterator[ScriptedProvider]:
    """A scripted provider, stopped after the test."""
    scripted = await ScriptedProvider().start()
    yield scripted
    await scripted.stop()


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # has no types
async def gateway(provider: ScriptedProvider, tmp_path: Path) -> AsyncIterator[Gateway]:
    """A real ``twistd lightweight`` before ``provider``, stopped after the test."""
    started = await Gateway.start(
        tmp_path, config_for(provider), environ={"SCRIPTED_KEY": CANARY}
    )
    yield started
    await started.stop()


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # has no types
async def codex_gateway(
    provider: ScriptedProvider, tmp_path: Path
) -> AsyncIterator[Gateway]:
    """Serve ``gpt-5.1-codex`` too."""
    started = await Gateway.start(
        tmp_path, config_for(provider, CODEX), environ={"SCRIPTED_KEY": CANARY}
    )
    yield started
    await started.stop()
