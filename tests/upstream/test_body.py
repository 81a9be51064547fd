"""A body under way: stopped for good, held back, broken, bounded."""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.web._newclient import TransportProxyProducer
from twisted.web.iweb import IResponse

import pytest
from support.scripted import (
    SILENCE,
    Close,
    End,
    Flood,
    Gate,
    ScriptedProvider,
    Send,
    StopReading,
    head,
)
from support.sink import RecordingSink, outgoing, turns

from lightweight.errors import (
    ProviderCut,
    ProviderFault,
    ProviderGarbage,
    ProviderTimeout,
)
from lightweight.upstream.body import (
    Body,
    BytesProducer,
    abort_transport,
    read_start,
    real_transport,
)
from lightweight.upstream.http import HttpProvider
from lightweight.upstream.provider import Source

MakeProvider = Callable[..., HttpProvider]
MIB = 1024 * 1024


async def asked(
    scripted: ScriptedProvider, client_of: MakeProvider, **clocks: float
) -> Source:
    return (await client_of(scripted, **clocks).send(outgoing(), "req-1")).body


async def test_twisted_still_hides_the_transport_where_we_look(
    either: ScriptedProvider, client_of: MakeProvider
) -> None:
    """Pins the private attribute: fails when Twisted moves it or mends #8227."""
    either.stream([b"x"], end="silence")
    body = await asked(either, client_of)
    assert isinstance(body, Body)
    body.deliver(RecordingSink())
    proxy = body.transport
    assert isinstance(proxy, TransportProxyProducer)
    assert not hasattr(proxy, "abortConnection")
    assert callable(real_transport(proxy).abortConnection)
    body.abort()
    await either.connection_lost()


def test_a_transport_without_abort_is_closed_in_order() -> None:
    class InMemory:
        closed = False

        def loseConnection(self) -> None:
            self.closed = True

    transport = InMemory()
    assert real_transport(transport) is transport
    abort_transport(transport)
    abort_transport(None)
    assert transport.closed


async def test_abort_reaches_the_provider(
    either: ScriptedProvider, client_of: MakeProvider, reactor: Any
) -> None:
    either.stream([b"data: 1\n\n"], end="silence")
    body = await asked(either, client_of)
    sink = RecordingSink()
    body.deliver(sink)
    await sink.piece()
    body.abort()
    await either.connection_lost()
    assert sink.ends == []


async def test_abort_reaches_a_provider_that_writes_and_does_not_read(
    either: ScriptedProvider, client_of: MakeProvider, reactor: Any
) -> None:
    either.script(
        Send(head(200, {"Connection": "close"})),
        StopReading(),
        Flood(b"x" * 65536, 10**6),
    )
    body = await asked(either, client_of)
    sink = RecordingSink()
    body.deliver(sink)
    await sink.piece()
    body.abort()
    await either.connection_lost()
    seen = len(sink.pieces)
    await turns(reactor, 10)
    assert (len(sink.pieces), sink.ends) == (seen, [])


async def test_abort_before_deliver_reaches_the_provider(
    either: ScriptedProvider, client_of: MakeProvider
) -> None:
    either.stream([b"data: 1\n\n"], end="silence")
    (await asked(either, client_of)).abort()
    await either.connection_lost()


async def test_abort_with_the_whole_body_at_hand_spoils_nothing(
    either: ScriptedProvider, client_of: MakeProvider
) -> None:
    provider = client_of(either)
    for _ in range(3):
        either.reply(body=b"{}")
        (await provider.send(outgoing(), "req-1")).body.abort()
    either.reply(body=b"{}")
    sink = RecordingSink()
    (await provider.send(outgoing(), "req-1")).body.deliver(sink)
    assert await sink.end() is None


async def test_abort_after_the_end_leaves_the_connection_to_others(
    either: ScriptedProvider, client_of: MakeProvider
) -> None:
    provider = client_of(either)
    gate = Gate()
    either.reply(body=b"{}")
    either.stream([b"a", b"b"], gate)
    first = (await provider.send(outgoing(), "req-1")).body
    sink = RecordingSink()
    first.deliver(sink)
    await sink.end()
    second = RecordingSink()
    (await provider.send(outgoing(), "req-2")).body.deliver(second)
    assert either.connections == 1
    first.abort()
    first.pause()
    gate.open()
    assert await second.end() is None
    assert second.data == b"ab"


# -- back-pressure ---------------------------------------------------------------------


async def test_a_paused_source_stalls_the_provider(
    either: ScriptedProvider, client_of: MakeProvider, reactor: Any
) -> None:
    total = 64 * MIB
    either.script(
        Send(head(200, {"Content-Length": str(total)})),
        Flood(b"x" * 65536, total // 65536),
    )
    body = await asked(either, client_of)
    sink = RecordingSink(on_piece=body.pause)
    body.deliver(sink)
    await sink.piece()
    written = -1
    while written != either.written:
        written = either.written
        await turns(reactor, 50)
    assert written < 16 * MIB, "no more than the kernel's buffers"
    assert len(sink.pieces) == 1
    sink.on_piece = lambda: None
    body.resume()
    assert await sink.end() is None
    assert len(sink.data) == total


async def test_a_source_paused_before_it_is_delivered_stalls_the_provider(
    either: ScriptedProvider, client_of: MakeProvider, reactor: Any
) -> None:
    either.script(
        Send(head(200, {"Content-Length": str(64 * MIB)})),
        Flood(b"x" * 65536, 1024),
    )
    body = await asked(either, client_of)
    body.pause()
    body.deliver(RecordingSink())
    written = -1
    while written != either.written:
        written = either.written
        await turns(reactor, 50)
    assert written < 16 * MIB, "no more than the kernel's buffers"
    body.abort()
    await either.connection_lost()


async def test_what_came_with_the_last_piece_is_held_too(
    scripted_provider: ScriptedProvider, client_of: MakeProvider, reactor: Any
) -> None:
    scripted_provider.stream([b"1", b"2", b"3"])
    body = await asked(scripted_provider, client_of)
    sink = RecordingSink(on_piece=body.pause)
    body.deliver(sink)
    for expected in (b"1", b"2", b"3"):
        assert await sink.piece() == expected
        await turns(reactor, 5)
        assert (sink.pieces[-1], sink.ends) == (expected, [])
        body.resume()
    assert await sink.end() is None


async def test_paused_time_is_not_idle_time(
    scripted_provider: ScriptedProvider, client_of: MakeProvider, reactor: Any
) -> None:
    gate = Gate()
    scripted_provider.stream([b"1", b"2"], gate)
    body = await asked(scripted_provider, client_of, idle=0.05)
    sink = RecordingSink(on_piece=body.pause)
    body.deliver(sink)
    await sink.piece()
    waited: Deferred[None] = Deferred()
    reactor.callLater(0.15, waited.callback, None)
    await waited
    assert sink.ends == []
    gate.open()
    body.resume()
    assert await sink.piece() == b"2"
    body.resume()
    assert await sink.end() is None


async def test_the_idle_clock_runs_again_after_a_pause(
    scripted_provider: ScriptedProvider, client_of: MakeProvider
) -> None:
    scripted_provider.stream([b"1"], end="silence")
    body = await asked(scripted_provider, client_of, idle=0.05)
    sink = RecordingSink()
    body.deliver(sink)
    await sink.piece()
    body.pause()
    body.resume()
    assert isinstance(await sink.end(), ProviderTimeout)
    await scripted_provider.connection_lost()


# -- ends ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("end", "kind"),
    [
        ("clean", None),
        ("close", None),
        ("cut", ProviderCut),
        ("abort", ProviderCut),
    ],
)
async def test_how_a_stream_ends(
    either: ScriptedProvider,
    client_of: MakeProvider,
    end: End,
    kind: type[ProviderFault] | None,
) -> None:
    gate = Gate()
    whole = b"data: 1\n\ndata: 2\n\n"
    either.stream([b"data: 1\n\n", b"data: 2\n\n"], gate, end=end)
    body = await asked(either, client_of)
    sink = RecordingSink(on_piece=gate.open)
    body.deliver(sink)
    fault = await sink.end()
    assert type(fault) is (kind or type(None))
    # A reset may overtake what was written before it.
    assert sink.data.startswith(b"data: 1\n\n" if end == "abort" else whole)


async def test_a_body_shorter_than_its_length_is_cut(
    either: ScriptedProvider, client_of: MakeProvider
) -> None:
    either.script(Send(head(200, {"Content-Length": "100"}) + b"short"), Close())
    sink = RecordingSink()
    (await asked(either, client_of)).deliver(sink)
    fault = await sink.end()
    assert isinstance(fault, ProviderCut)
    assert fault.message == "Provider 'acme' broke off its answer before the end."
    assert sink.data == b"short"


async def test_broken_framing_is_garbage_and_ends_the_connection(
    either: ScriptedProvider, client_of: MakeProvider
) -> None:
    broken = head(200, {"Transfer-Encoding": "chunked"}) + b"2\r\nok\r\nzz\r\n"
    either.script(Send(broken), StopReading(), SILENCE)
    sink = RecordingSink()
    (await asked(either, client_of)).deliver(sink)
    assert isinstance(await sink.end(), ProviderGarbage)
    assert sink.data == b"ok"
    await either.connection_lost()


# -- without a network -----------------------------------------------------------------


class NeverAnswers:
    """A response whose body never comes."""

    def deliverBody(self, protocol: Protocol) -> None:
        protocol.makeConnection(TransportProxyProducer(None))


def quiet_body(clock: Clock, *, idle: float, total: float) -> Body:
    response: IResponse = NeverAnswers()  # type: ignore[assignment]  # all that Body uses
    return Body(response, clock, name="acme", idle=idle, deadline=total)


def test_the_clocks_by_the_clock() -> None:
    clock = Clock()
    idle, total = RecordingSink(), RecordingSink()
    quiet_body(clock, idle=10, total=100).deliver(idle)
    paused = quiet_body(clock, idle=10, total=100)
    paused.deliver(total)
    paused.pause()
    clock.advance(9.9)
    assert idle.ends == []
    clock.advance(0.2)
    assert [str(each) for each in idle.ends] == [
        "Provider 'acme' fell silent in the middle of an answer."
    ]
    clock.advance(89)
    assert total.ends == []
    clock.advance(1)
    assert [str(each) for each in total.ends] == [
        "Provider 'acme' did not finish its answer in time."
    ]
    assert clock.getDelayedCalls() == []


def test_each_piece_winds_the_idle_clock_up_again() -> None:
    clock, sink = Clock(), RecordingSink()
    body = quiet_body(clock, idle=10, total=100)
    body.deliver(sink)
    for _ in range(5):
        clock.advance(9)
        body.dataReceived(b"x")
    assert sink.ends == []
    clock.advance(10)
    assert len(sink.ends) == 1


def test_an_aborted_body_leaves_no_clock() -> None:
    clock = Clock()
    body = quiet_body(clock, idle=10, total=100)
    body.deliver(RecordingSink())
    assert len(clock.getDelayedCalls()) == 2
    body.abort()
    assert clock.getDelayedCalls() == []


# -- reading the start of it -----------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "read"), [(4, b"0123"), (9, b"012345678"), (99, b"012345678")]
)
async def test_read_start_takes_no_more_than_it_may(
    scripted_provider: ScriptedProvider,
    client_of: MakeProvider,
    limit: int,
    read: bytes,
) -> None:
    scripted_provider.stream([b"012", b"345", b"678"])
    body = await asked(scripted_provider, client_of)
    assert await read_start(body, limit) == read


async def test_read_start_gives_what_came_before_a_break(
    scripted_provider: ScriptedProvider, client_of: MakeProvider
) -> None:
    scripted_provider.stream([b"half"], end="silence")
    body = await asked(scripted_provider, client_of, idle=0.05)
    assert await read_start(body, 99) == b"half"
    await scripted_provider.connection_lost()


async def test_read_start_cancelled_stops_the_provider(
    scripted_provider: ScriptedProvider, client_of: MakeProvider
) -> None:
    scripted_provider.stream([b"half"], end="silence")
    body = await asked(scripted_provider, client_of)
    reading = Deferred.fromCoroutine(read_start(body, 99))
    reading.cancel()
    with pytest.raises(CancelledError):
        await reading
    await scripted_provider.connection_lost()


def test_a_request_body_is_written_in_one_go() -> None:
    happened: list[object] = []

    class Consumer:
        def write(self, data: bytes) -> None:
            happened.append(data)

    producer = BytesProducer(b"body", lambda: happened.append("started"))
    assert producer.length == 4
    finished = producer.startProducing(Consumer())  # type: ignore[arg-type]  # all that it uses
    assert happened == ["started", b"body"]
    assert finished.called
