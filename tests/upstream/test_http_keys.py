"""A provider with several credentials: which one is shown, and when another."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_twisted
from support.scripted import ScriptedProvider, whole
from support.sink import RecordingSink, outgoing

from lightweight.config.schema import Timeouts
from lightweight.upstream.http import HttpProvider, credential_headers

NOW = 784111777.0
"""Sun, 06 Nov 1994 08:49:37 GMT: the example of RFC 9110 section 5.6.7."""


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # has no types
async def provider(
    scripted_provider: ScriptedProvider, reactor: Any
) -> AsyncIterator[HttpProvider]:
    first, *spares = (credential_headers("openai", f"sk-{name}") for name in "abc")
    made = HttpProvider(
        reactor,
        name="acme",
        base_url=scripted_provider.base_url,
        credential=first,
        spares=spares,
        timeouts=Timeouts(),
        instance="instance-1",
        wall=lambda: NOW,
    )
    yield made
    await made.close()


async def ask(provider: HttpProvider) -> tuple[int, str | None]:
    reply = await provider.send(outgoing(), "r1")
    sink = RecordingSink()
    reply.body.deliver(sink)
    assert await sink.end() is None
    return reply.status, reply.headers.get("retry-after")


def shown(scripted: ScriptedProvider) -> str:
    keys = [seen.headers["authorization"] for seen in scripted.requests]
    return "".join(key.removeprefix("Bearer sk-") for key in keys)


async def test_the_first_serves_all_calls(
    scripted_provider: ScriptedProvider, provider: HttpProvider
) -> None:
    scripted_provider.always(*whole(200, None, b"{}"))
    for _ in range(3):
        await ask(provider)
    assert shown(scripted_provider) == "aaa"


@pytest.mark.parametrize("status", [401, 429])
async def test_one_that_is_limited_or_refused_makes_way(
    scripted_provider: ScriptedProvider, provider: HttpProvider, status: int
) -> None:
    scripted_provider.reply(status, {"Retry-After": "20"})
    scripted_provider.always(*whole(200, None, b"{}"))
    assert await ask(provider) == (200, None)
    assert await ask(provider) == (200, None)
    assert shown(scripted_provider) == "abb"


async def test_where_all_are_limited_the_shortest_wait_is_told(
    scripted_provider: ScriptedProvider, provider: HttpProvider
) -> None:
    for seconds in (20, 9, 30):
        scripted_provider.reply(429, {"Retry-After": str(seconds)})
    assert await ask(provider) == (429, "9")
    scripted_provider.reply(429, {"Retry-After": "40"})
    assert await ask(provider) == (429, "20")
    assert shown(scripted_provider) == "abcb"


async def test_a_date_is_told_as_seconds(
    scripted_provider: ScriptedProvider, provider: HttpProvider
) -> None:
    for told in ("Sun, 06 Nov 1994 08:49:57 GMT", "Sun, 06 Nov 1994 08:49:46 GMT", "9"):
        scripted_provider.reply(429, {"Retry-After": told})
    assert await ask(provider) == (429, "9")
    scripted_provider.reply(503, {"Retry-After": "Sun, 06 Nov 1994 08:50:37 GMT"})
    assert await ask(provider) == (503, "60")
    scripted_provider.reply(503, {"Retry-After": "soon"})
    assert await ask(provider) == (503, None)


@pytest.mark.parametrize("status", [400, 403, 404, 500, 529])
async def test_what_is_no_matter_of_the_credential_changes_nothing(
    scripted_provider: ScriptedProvider, provider: HttpProvider, status: int
) -> None:
    scripted_provider.always(*whole(status, None, b"{}"))
    assert await ask(provider) == (status, None)
    assert shown(scripted_provider) == "a"
