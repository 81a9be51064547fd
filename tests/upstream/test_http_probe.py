"""A provider that is asked whether it works."""

from collections.abc import Callable

from twisted.internet.defer import CancelledError, Deferred

import pytest
from support.scripted import SILENCE, Abort, ScriptedProvider, whole

from lightweight.errors import (
    ProviderFault,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnreachable,
)
from lightweight.upstream import http
from lightweight.upstream.http import HttpProvider

MakeProvider = Callable[..., HttpProvider]


@pytest.mark.parametrize("status", [200, 301, 401, 404, 429])
async def test_any_answer_of_its_own_will_do(
    scripted_provider: ScriptedProvider, client_of: MakeProvider, status: int
) -> None:
    scripted_provider.reply(status, body=b"x" * 100_000)
    await client_of(scripted_provider, {"authorization": "Bearer sk-1"}).probe()

    (seen,) = scripted_provider.requests
    assert (seen.method, seen.path, seen.body) == ("GET", "/v1/models", b"")
    assert seen.headers["authorization"] == "Bearer sk-1"
    assert seen.headers["x-lightweight-hop"] == "instance-1"


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_an_answer_that_says_it_does_not_work(
    scripted_provider: ScriptedProvider, client_of: MakeProvider, status: int
) -> None:
    scripted_provider.script(*whole(status, None, b"{}"))
    with pytest.raises(ProviderRefused, match=str(status)):
        await client_of(scripted_provider).probe()


async def test_no_answer(
    scripted_provider: ScriptedProvider,
    client_of: MakeProvider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    provider = client_of(scripted_provider)
    scripted_provider.script(Abort())
    with pytest.raises(ProviderFault):
        await provider.probe()
    monkeypatch.setattr(http, "PROBE_SECONDS", 0.1)
    scripted_provider.script(SILENCE)
    with pytest.raises(ProviderTimeout):
        await provider.probe()
    await scripted_provider.refuse()
    with pytest.raises(ProviderUnreachable):
        await provider.probe()


async def test_cancelling_resets_the_connection(
    scripted_provider: ScriptedProvider, client_of: MakeProvider
) -> None:
    scripted_provider.script(SILENCE)
    probing = Deferred.fromCoroutine(client_of(scripted_provider).probe())
    await scripted_provider.request_seen()
    probing.cancel()
    with pytest.raises(CancelledError):
        await probing
    await scripted_provider.connection_lost()
