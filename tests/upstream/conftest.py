"""Providers under test and the reactor they live in."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_twisted
from support.scripted import ScriptedProvider, scripted_provider
from support.tls import authority

from lightweight.config.schema import Timeouts
from lightweight.upstream.http import HttpProvider

__all__ = ["scripted_provider"]

MakeProvider = Callable[..., HttpProvider]


@pytest.fixture
def reactor() -> Any:
    from twisted.internet import reactor

    return reactor


@pytest_twisted.async_yield_fixture(params=["plain", "tls"])  # type: ignore[untyped-decorator]  # has no types
async def either(request: pytest.FixtureRequest) -> AsyncIterator[ScriptedProvider]:
    """A scripted provider, once plain and once over TLS."""
    tls = authority().server() if request.param == "tls" else None
    provider = await ScriptedProvider(tls).start()
    yield provider
    await provider.stop()


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # has no types
async def client_of(reactor: Any) -> AsyncIterator[MakeProvider]:
    """Make clients of a scripted provider; they are closed after the test."""
    made: list[HttpProvider] = []

    def make(
        scripted: ScriptedProvider,
        credential: dict[str, str] | None = None,
        **clocks: float,
    ) -> HttpProvider:
        provider = HttpProvider(
            reactor,
            name="acme",
            base_url=scripted.base_url,
            credential=credential or {},
            timeouts=Timeouts(**clocks),
            instance="instance-1",
            wall=lambda: 0.0,
            authorities=authority().pem.decode(),
        )
        made.append(provider)
        return provider

    yield make
    for provider in made:
        await provider.close()
