"""Connections in the pool: who serves next, how long it waits, who asks again."""

from collections.abc import Callable
from itertools import zip_longest

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

import pytest
from support.scripted import (
    SILENCE,
    Abort,
    Close,
    Gate,
    ScriptedProvider,
    Send,
    Wait,
    head,
    whole,
)
from support.sink import RecordingSink, outgoing

from lightweight.errors import ProviderUnreachable
from lightweight.upstream.deadlines import Deadlines
from lightweight.upstream.http import HttpProvider
from lightweight.upstream.incoming import Incoming
from lightweight.upstream.pool import (
    CLOSE_SECONDS,
    LONGEST_LIFE_SECONDS,
    PER_ORIGIN,
    Pool,
)
from lightweight.upstream.wire import Connection
from lightweight.upstream.wire_request import Request

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


async def test_a_connection_without_time_to_wait_is_closed(
    scripted_provider: ScriptedProvider, client_of: MakeProvider
) -> None:
    scripted_provider.reply(headers={"Keep-Alive": "timeout=1"}, body=b"{}")
    await ask(client_of(scripted_provider))
    await scripted_provider.connection_lost()


class Idle(Connection):
    """A connection without a socket, between two answers."""

    def __init__(self) -> None:
        super().__init__()
        self.makeConnection(StringTransport())


class Fleet:
    """A dialer, and the pool it dials for."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.made: list[Idle] = []
        deadlines = Deadlines(self.clock)
        self.pool = Pool(self.clock, deadlines, self)
        self._ask = lambda: Incoming(
            deadlines, name="x", first_byte=9e9, idle=9e9, total=9e9
        )

    def connect(self) -> "Deferred[Connection]":
        self.made.append(Idle())
        return succeed(self.made[-1])

    def ask(self, *, keep_alive: str = "") -> Idle:
        """Have a whole exchange; give the connection it was on."""
        used = self.begin()
        self.answer(used, keep_alive)
        return used

    def begin(self) -> Idle:
        before = [each.transport.value() for each in self.made]
        asking = self.pool.ask(Request(b"GET / HTTP/1.1\r\n\r\n"), self._ask())
        Deferred.fromCoroutine(asking)
        (used,) = (
            each
            for each, seen in zip_longest(self.made, before)
            if each.transport.value() != seen
        )
        return used

    def answer(self, used: Idle, keep_alive: str = "") -> None:
        told = {"Keep-Alive": keep_alive} if keep_alive else {}
        used.dataReceived(head(200, {**told, "Content-Length": "0"}))

    @property
    def closed(self) -> list[bool]:
        return [each.transport.disconnecting for each in self.made]


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("", 4),
        ("timeout=20, max=100", 19),
        ("max=5, timeout=3", 2),
        ("timeout=86400", 60),
        ("timeout=soon", 4),
    ],
)
def test_it_waits_a_little_less_than_its_provider(said: str, seconds: float) -> None:
    fleet = Fleet()
    first = fleet.ask(keep_alive=said)
    fleet.clock.advance(seconds - 0.1)
    assert fleet.closed == [False]
    assert fleet.ask(keep_alive=said) is first
    fleet.clock.advance(seconds)
    assert fleet.closed == [True]
    assert fleet.ask() is not first


def test_each_waits_its_own_time() -> None:
    fleet = Fleet()
    one, other = fleet.begin(), fleet.begin()
    fleet.answer(one, "timeout=31")
    fleet.answer(other, "timeout=11")
    fleet.clock.advance(10)
    assert fleet.closed == [False, True]
    fleet.clock.advance(19)
    assert fleet.closed == [False, True]
    fleet.clock.advance(1)
    assert fleet.closed == [True, True]
    assert fleet.clock.getDelayedCalls() == []


def test_a_busy_connection_grows_old_too() -> None:
    fleet = Fleet()
    first = fleet.ask()
    for _ in range(int(LONGEST_LIFE_SECONDS / 3)):
        fleet.clock.advance(3)
        assert fleet.ask() is first
    assert fleet.closed == [True]
    assert fleet.ask() is not first


def test_there_is_room_for_so_many() -> None:
    fleet = Fleet()
    busy = [fleet.begin() for _ in range(PER_ORIGIN + 1)]
    for each in busy:
        fleet.answer(each)
    assert fleet.closed == [True, *[False] * PER_ORIGIN]


def test_one_that_was_lost_serves_nobody() -> None:
    fleet = Fleet()
    first, second = fleet.begin(), fleet.begin()
    fleet.answer(first)
    fleet.answer(second)
    second.connectionLost()
    assert fleet.ask() is first


def test_what_is_in_use_when_it_closes_is_closed_afterwards() -> None:
    fleet = Fleet()
    idle, busy = fleet.begin(), fleet.begin()
    fleet.answer(idle)
    closing = Deferred.fromCoroutine(fleet.pool.close())
    assert fleet.closed == [True, False]
    assert not closing.called
    idle.connectionLost()
    assert closing.called
    fleet.answer(busy)
    assert fleet.closed == [True, True]
    assert fleet.clock.getDelayedCalls() == []


def test_a_peer_that_takes_no_goodbye_is_reset() -> None:
    fleet = Fleet()
    idle = fleet.ask()
    Deferred.fromCoroutine(fleet.pool.close())
    assert not idle.transport.disconnected
    fleet.clock.advance(CLOSE_SECONDS)
    assert idle.transport.disconnected
    idle.connectionLost()
    assert fleet.clock.getDelayedCalls() == []
