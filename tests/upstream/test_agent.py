"""Our agent: its own headers, its connections, whom it trusts."""

from collections.abc import AsyncIterator, Callable
from typing import Any

from twisted.internet.ssl import optionsForClientTLS
from twisted.web.http_headers import Headers

import pytest
import pytest_twisted
from OpenSSL import SSL
from support.scripted import ScriptedProvider
from support.sink import RecordingSink
from support.tls import authority, make_authority

from lightweight.upstream import agent as agent_module
from lightweight.upstream.agent import (
    USER_AGENT,
    ProviderAgent,
    UnwantedEncoding,
    make_agent,
)
from lightweight.upstream.body import Body
from lightweight.upstream.connections import Connection

MakeAgent = Callable[..., ProviderAgent]


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # has no types
async def agent(reactor: Any) -> AsyncIterator[MakeAgent]:
    made: list[ProviderAgent] = []

    def make(root: Any = None) -> ProviderAgent:
        made.append(make_agent(reactor, connect_timeout=5, trust_root=root))
        return made[-1]

    yield make
    for each in made:
        await each.close()


async def get(agent: ProviderAgent, scripted: ScriptedProvider, reactor: Any) -> bytes:
    headers = Headers({"cookie": ["a=b"], "x-given": ["1"], "connection": ["close"]})
    url = f"{scripted.base_url}/models".encode()
    response = await agent.request(b"GET", url, headers)
    deadline = reactor.seconds() + 5
    sink = RecordingSink()
    Body(response, reactor, name="x", idle=5, deadline=deadline).deliver(sink)
    assert await sink.end() is None
    return sink.data


async def test_says_four_things_by_itself_and_what_it_is_given(
    scripted_provider: ScriptedProvider, agent: MakeAgent, reactor: Any
) -> None:
    scripted_provider.reply(body=b"{}")
    assert await get(agent(), scripted_provider, reactor) == b"{}"
    seen = await scripted_provider.request_seen()
    assert seen.headers == {
        "x-given": "1",
        "accept-encoding": "identity",
        "user-agent": USER_AGENT.decode(),
        "host": f"127.0.0.1:{scripted_provider.port}",
    }


async def test_a_connection_serves_again_and_idles_for_little_time(
    either: ScriptedProvider, agent: MakeAgent, reactor: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(Connection, "idle_seconds", 0.05)
    ours = agent(authority().root)
    for _ in range(2):
        either.reply(body=b"{}")
        await get(ours, either, reactor)
    assert either.connections == 1
    await either.connection_lost()


async def test_closing_takes_idle_connections_along(
    either: ScriptedProvider, agent: MakeAgent, reactor: Any
) -> None:
    ours = agent(authority().root)
    either.reply(body=b"{}")
    await get(ours, either, reactor)
    await ours.close()
    await either.connection_lost()


async def test_closing_does_not_wait_for_a_peer_that_hangs(
    reactor: Any, agent: MakeAgent, monkeypatch: Any
) -> None:
    monkeypatch.setattr(agent_module, "CLOSE_SECONDS", 0.05)
    provider = await ScriptedProvider(authority().server()).start()
    try:
        ours = agent(authority().root)
        provider.reply(body=b"{}")
        await get(ours, provider, reactor)
        for connection in provider._open:
            connection.transport.pauseProducing()  # type: ignore[union-attr]  # it is there
        await ours.close()
    finally:
        await provider.stop()


@pytest.mark.parametrize("encoding", ["gzip", "identity, br", "zstd"])
async def test_a_compressed_answer_is_refused(
    scripted_provider: ScriptedProvider,
    agent: MakeAgent,
    reactor: Any,
    encoding: str,
) -> None:
    scripted_provider.reply(headers={"Content-Encoding": encoding}, body=b"\x1f\x8b")
    with pytest.raises(UnwantedEncoding):
        await get(agent(), scripted_provider, reactor)
    await scripted_provider.connection_lost()


async def test_identity_said_aloud_is_fine(
    scripted_provider: ScriptedProvider, agent: MakeAgent, reactor: Any
) -> None:
    scripted_provider.reply(headers={"Content-Encoding": "Identity"}, body=b"{}")
    assert await get(agent(), scripted_provider, reactor) == b"{}"


async def test_trusts_only_the_right_name_of_the_right_authority(
    agent: MakeAgent, reactor: Any
) -> None:
    cases = [
        (authority().server(), make_authority().root, SSL.Error),
        (authority().server(), None, SSL.Error),
        (authority().server("example.org"), authority().root, Exception),
        (authority().server("127.0.0.1"), authority().root, None),
    ]
    for context, root, refused in cases:
        provider = await ScriptedProvider(context).start()
        provider.reply(body=b"{}")
        try:
            if refused is None:
                assert await get(agent(root), provider, reactor) == b"{}"
                continue
            with pytest.raises(refused):
                await get(agent(root), provider, reactor)
            assert provider.requests == []
            await provider.connection_lost()
        finally:
            await provider.stop()


async def test_the_trust_store_is_read_once(
    agent: MakeAgent, reactor: Any, monkeypatch: Any
) -> None:
    reads: list[str] = []

    def counted(host: str, **options: Any) -> Any:
        reads.append(host)
        return optionsForClientTLS(host, **options)

    monkeypatch.setattr(agent_module, "optionsForClientTLS", counted)
    provider = await ScriptedProvider(authority().server()).start()
    try:
        ours = agent(authority().root)
        for _ in range(3):
            provider.reply(body=b"{}")
            await get(ours, provider, reactor)
        assert reads == ["127.0.0.1"]
    finally:
        await ours.close()
        await provider.stop()
