"""Connections: which one serves next, how long it waits, and who asks again."""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import CancelledError, Deferred

import pytest
from support.scripted import (
    SILENCE,
    Abort,
    Close,
    Flood,
    Gate,
    ScriptedProvider,
    Send,
    Wait,
    head,
    whole,
)
from support.sink import RecordingSink, outgoing, turns

from lightweight.errors import ProviderGarbage, ProviderUnreachable
from lightweight.upstream.connections import HEAD_BYTES, Connection
from lightweight.upstream.http import HttpProvider

MakeProvider = Callable[..., HttpProvider]

OK = whole(200, None, b"{}")


async def ask(provider: HttpProvider) -> bytes:
    reply = await provider.send(outgoing(), "r1")
    sink = RecordingSink()
    reply.body.deliver(sink)
    assert await sink.end() is None
    return sink.data


@pytest.mark.parametrize("farewell", [Close(), Abort()])
async def test_a_post_at_the_keep_alive_edge_is_asked_again(
    either: ScriptedProvider, client_of: MakeProvider, farewell: Close | Abort
) -> None:
    provider = client_of(either)
    for _ in range(50):
        either.script(*OK)
        assert await ask(provider) == b"{}"
        # The request crosses the end of the connection.
        either.script(farewell)
        either.script(*OK)
        assert await ask(provider) == b"{}"
    assert len(either.requests) == 150


async def test_it_is_asked_again_once(
    scripted_provider: ScriptedProvider, client_of: MakeProvider
) -> None:
    provider = client_of(scripted_provider)
    scripted_provider.script(*OK)
    await ask(provider)
    scripted_provider.always(Close())
    with pytest.raises(ProviderUnreachable):
        await ask(provider)
    assert len(scripted_provider.requests) == 3


async def test_a_fresh_connection_is_no_excuse(
    scripted_provider: ScriptedProvider, client_of: MakeProvider
) -> None:
    scripted_provider.always(Close())
    with pytest.raises(ProviderUnreachable):
        await ask(client_of(scripted_provider))
    assert len(scripted_provider.requests) == 1


async def test_one_byte_is_an_answer(
    scripted_provider: ScriptedProvider, client_of: MakeProvider
) -> None:
    provider = client_of(scripted_provider)
    scripted_provider.script(*OK)
    await ask(provider)
    scripted_provider.always(Send(b"H"), Close())
    with pytest.raises(ProviderUnreachable):
        await ask(provider)
    assert len(scripted_provider.requests) == 2


async def test_cancelling_asks_nobody_again(
    scripted_provider: ScriptedProvider, client_of: MakeProvider
) -> None:
    provider = client_of(scripted_provider)
    scripted_provider.script(*OK)
    await ask(provider)
    scripted_provider.always(SILENCE)
    asked = Deferred.fromCoroutine(ask(provider))
    while len(scripted_provider.requests) < 2:
        await scripted_provider.request_seen()
    asked.cancel()
    with pytest.raises(CancelledError):
        await asked
    await scripted_provider.connection_lost()
    assert scripted_provider.connections == 1


async def test_the_connection_used_last_serves_first(
    scripted_provider: ScriptedProvider, client_of: MakeProvider
) -> None:
    provider = client_of(scripted_provider)
    first, second = Gate(), Gate()
    scripted_provider.script(Wait(first), *OK)
    scripted_provider.script(Wait(second), *OK)
    one = Deferred.fromCoroutine(ask(provider))
    await scripted_provider.request_seen()
    two = Deferred.fromCoroutine(ask(provider))
    await scripted_provider.request_seen()
    second.open()
    await two
    first.open()
    await one
    scripted_provider.always(*OK)
    for _ in range(3):
        await ask(provider)
    assert [seen.connection for seen in scripted_provider.requests[2:]] == [1, 1, 1]
    assert provider.connections == (2, 3)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (None, 4),
        ("timeout=20, max=100", 19),
        ("max=5, timeout=3", 2),
        ("timeout=86400", 60),
        ("timeout=soon", 4),
    ],
)
async def test_it_waits_a_little_less_than_its_provider(
    scripted_provider: ScriptedProvider,
    client_of: MakeProvider,
    monkeypatch: Any,
    said: str | None,
    seconds: float,
) -> None:
    waits: list[float] = []
    learn = Connection._learn_patience

    def learnt(self: Connection) -> None:
        learn(self)
        waits.append(self.idle_seconds)

    monkeypatch.setattr(Connection, "_learn_patience", learnt)
    headers = {} if said is None else {"Keep-Alive": said}
    scripted_provider.reply(headers=headers, body=b"{}")
    await ask(client_of(scripted_provider))
    assert waits == [seconds]


async def test_a_connection_without_time_to_wait_is_closed(
    scripted_provider: ScriptedProvider, client_of: MakeProvider
) -> None:
    scripted_provider.reply(headers={"Keep-Alive": "timeout=1"}, body=b"{}")
    await ask(client_of(scripted_provider))
    await scripted_provider.connection_lost()


async def test_what_nobody_asked_for_ends_the_connection(
    scripted_provider: ScriptedProvider,
    client_of: MakeProvider,
    reactor: Any,
    monkeypatch: Any,
) -> None:
    # Nothing here is closed for being idle.
    monkeypatch.setattr(Connection, "idle_seconds", 3600)
    provider = client_of(scripted_provider)
    (answer,) = OK
    assert isinstance(answer, Send)
    scripted_provider.script(Send(answer.data + answer.data))
    assert await ask(provider) == b"{}"
    await scripted_provider.connection_lost()
    gate = Gate()
    scripted_provider.script(*OK, Wait(gate), *OK)
    assert await ask(provider) == b"{}"
    gate.open()
    await scripted_provider.connection_lost()
    await turns(reactor, 2)
    scripted_provider.script(*OK)
    assert await ask(provider) == b"{}"
    assert [seen.connection for seen in scripted_provider.requests] == [1, 2, 3]


@pytest.mark.parametrize(
    "steps",
    [
        (Send(b"HTTP/1.1 200 OK\r\n"), Flood(b"X-A: b\r\n" * 1000, 200)),
        (Flood(head(103, {"Link": "</x>"}) * 100, 1000),),
        (Flood(b"x" * 10_000, 1000),),
    ],
    ids=["headers", "informational", "no line"],
)
async def test_a_head_without_an_end_is_cut_off(
    either: ScriptedProvider, client_of: MakeProvider, steps: tuple[Any, ...]
) -> None:
    either.script(*steps, SILENCE)
    with pytest.raises((ProviderGarbage, ProviderUnreachable)):
        await ask(client_of(either))
    await either.connection_lost()


async def test_a_large_head_and_interim_answers_are_fine(
    scripted_provider: ScriptedProvider, client_of: MakeProvider
) -> None:
    large = {f"X-{n}": "y" * 1000 for n in range(HEAD_BYTES // 2000)}
    (answer,) = whole(200, large, b"{}")
    assert isinstance(answer, Send)
    scripted_provider.script(Send(head(103, {}) + head(100, {})), answer)
    assert await ask(client_of(scripted_provider)) == b"{}"
