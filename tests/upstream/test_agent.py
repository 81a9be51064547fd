"""Our client: its own headers, its pools, and treq on top of it."""

from collections.abc import AsyncIterator, Callable
from typing import Any

from treq.client import HTTPClient
from twisted.internet.defer import CancelledError
from twisted.web.http_headers import Headers

import pytest
import pytest_twisted
from support.scripted import SILENCE, ScriptedProvider, Send, head
from support.tls import authority

from lightweight.upstream import agent as agent_module
from lightweight.upstream import pool as pool_module
from lightweight.upstream import wire
from lightweight.upstream.agent import ProviderAgent
from lightweight.upstream.body import read_start
from lightweight.upstream.pool import UnwantedEncoding
from lightweight.upstream.response import Response
from lightweight.upstream.tls import make_trust
from lightweight.upstream.wire_request import USER_AGENT

MakeAgent = Callable[..., ProviderAgent]


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # has no types
async def agent(reactor: Any) -> AsyncIterator[MakeAgent]:
    made: list[ProviderAgent] = []

    def make(*, persistent: bool = True) -> ProviderAgent:
        made.append(
            ProviderAgent(
                reactor,
                connect_timeout=5,
                authorities=authority().pem.decode(),
                persistent=persistent,
            )
        )
        return made[-1]

    yield make
    for each in made:
        await each.close()


async def get(agent: ProviderAgent, scripted: ScriptedProvider) -> bytes:
    headers = Headers({"cookie": ["a=b"], "x-given": ["1"], "connection": ["close"]})
    url = f"{scripted.base_url}/models".encode()
    response = await agent.request(b"GET", url, headers)
    assert isinstance(response, Response)
    return await read_start(response.source, 1000)


async def test_says_four_things_by_itself_and_what_it_is_given(
    scripted_provider: ScriptedProvider, agent: MakeAgent
) -> None:
    scripted_provider.reply(body=b"{}")
    assert await get(agent(), scripted_provider) == b"{}"
    seen = await scripted_provider.request_seen()
    assert seen.headers == {
        "x-given": "1",
        "accept-encoding": "identity",
        "user-agent": USER_AGENT,
        "host": f"127.0.0.1:{scripted_provider.port}",
    }


async def test_a_connection_serves_again_and_idles_for_little_time(
    either: ScriptedProvider, agent: MakeAgent, monkeypatch: Any
) -> None:
    monkeypatch.setattr(wire, "IDLE_SECONDS", 0.05)
    ours = agent()
    for _ in range(2):
        either.reply(body=b"{}")
        await get(ours, either)
    assert either.connections == 1
    await either.connection_lost()


async def test_closing_takes_idle_connections_along(
    either: ScriptedProvider, agent: MakeAgent
) -> None:
    ours = agent()
    either.reply(body=b"{}")
    await get(ours, either)
    await ours.close()
    await either.connection_lost()


async def test_closing_does_not_wait_for_a_peer_that_hangs(
    reactor: Any, agent: MakeAgent, monkeypatch: Any
) -> None:
    monkeypatch.setattr(pool_module, "CLOSE_SECONDS", 0.05)
    provider = await ScriptedProvider(authority().server()).start()
    try:
        ours = agent()
        provider.reply(body=b"{}")
        await get(ours, provider)
        for connection in provider._open:
            connection.transport.pauseProducing()  # type: ignore[union-attr]  # it is there
        await ours.close()
    finally:
        await provider.stop()


async def test_without_a_pool_each_has_its_own_connection(
    scripted_provider: ScriptedProvider, agent: MakeAgent
) -> None:
    ours = agent(persistent=False)
    for _ in range(2):
        scripted_provider.reply(body=b"{}")
        await get(ours, scripted_provider)
        await scripted_provider.connection_lost()
    assert scripted_provider.connections == 2


@pytest.mark.parametrize("encoding", ["gzip", "identity, br", "zstd"])
async def test_a_compressed_answer_is_refused(
    scripted_provider: ScriptedProvider, agent: MakeAgent, encoding: str
) -> None:
    scripted_provider.script(
        Send(head(200, {"Content-Encoding": encoding, "Content-Length": "2"})), SILENCE
    )
    with pytest.raises(UnwantedEncoding):
        await get(agent(), scripted_provider)
    await scripted_provider.connection_lost()


async def test_identity_said_aloud_is_fine(
    scripted_provider: ScriptedProvider, agent: MakeAgent
) -> None:
    scripted_provider.reply(headers={"Content-Encoding": "Identity"}, body=b"{}")
    assert await get(agent(), scripted_provider) == b"{}"


async def test_the_trust_store_is_read_once_and_only_for_tls(
    either: ScriptedProvider, agent: MakeAgent, monkeypatch: Any
) -> None:
    reads: list[str | None] = []

    def counted(authorities: str | None) -> Any:
        reads.append(authorities)
        return make_trust(authorities)

    monkeypatch.setattr(agent_module, "make_trust", counted)
    ours = agent(persistent=False)
    for _ in range(3):
        either.reply(body=b"{}")
        await get(ours, either)
    tls = either.base_url.startswith("https:")
    assert reads == ([authority().pem.decode()] if tls else [])


async def test_no_value_becomes_another_header(
    scripted_provider: ScriptedProvider, agent: MakeAgent
) -> None:
    url = scripted_provider.base_url.encode()
    with pytest.raises(ValueError, match="header"):
        await agent().request(b"GET", url, Headers({"x-a": ["b\x00c"]}))
    assert scripted_provider.connections == 0


# -- treq ------------------------------------------------------------------------------


async def test_treq_speaks_through_it(
    either: ScriptedProvider, agent: MakeAgent
) -> None:
    client = HTTPClient(agent())
    either.reply(201, {"X-Two": "a"}, b'{"a":1}')
    response = await client.post(f"{either.base_url}/x", json={"b": 2})
    assert (response.code, response.phrase) == (201, b"Scripted")
    assert response.headers.getRawHeaders("x-two") == ["a"]
    assert response.length == 7
    assert await response.json() == {"a": 1}
    seen = await either.request_seen()
    assert (seen.method, seen.json()) == ("POST", {"b": 2})
    either.stream([b"1", b"2"])
    response = await client.get(f"{either.base_url}/x")
    assert await response.content() == b"12"
    either.script(Send(head(200, {"Content-Length": "7"})))
    response = await client.head(f"{either.base_url}/x")
    assert await response.content() == b""
    assert either.connections == 1


async def test_cancelling_resets_the_connection(
    scripted_provider: ScriptedProvider, agent: MakeAgent
) -> None:
    scripted_provider.script(SILENCE)
    asking = agent().request(b"GET", scripted_provider.base_url.encode())
    await scripted_provider.request_seen()
    asking.cancel()
    with pytest.raises(CancelledError):
        await asking
    await scripted_provider.connection_lost()
