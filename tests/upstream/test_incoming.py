"""An answer on its way in: stopped for good, held back, broken, bounded."""

import gc
import weakref
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

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
from lightweight.upstream.deadlines import Deadlines
from lightweight.upstream.http import HttpProvider
from lightweight.upstream.incoming import Incoming
from lightweight.upstream.provider import Source

MakeProvider = Callable[..., HttpProvider]
MIB = 1024 * 1024


async def asked(
    scripted: ScriptedProvider, client_of: MakeProvider, **clocks: float
) -> Source:
    return (await client_of(scripted, **clocks).send(outgoing(), "req-1")).body


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


async def test_the_end_that_came_with_the_last_piece_is_held_too(
    scripted_provider: ScriptedProvider, client_of: MakeProvider, reactor: Any
) -> None:
    scripted_provider.stream([b"1", b"2", b"3"])
    body = await asked(scripted_provider, client_of)
    sink = RecordingSink(on_piece=body.pause)
    body.deliver(sink)
    assert await sink.piece() == b"123"
    await turns(reactor, 5)
    assert sink.ends == []
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


class Wire:
    """A line that keeps what was asked of it."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def pause(self) -> None:
        self.asked.append("pause")

    def resume(self) -> None:
        self.asked.append("resume")

    def abort(self) -> None:
        self.asked.append("abort")


class Answer:
    """An answer whose request went out, without a connection."""

    def __init__(self, clock: Clock, **clocks: float) -> None:
        given = {"first_byte": 20.0, "idle": 10.0, "total": 100.0, **clocks}
        self.incoming = Incoming(Deadlines(clock), name="acme", **given)
        self.wire = Wire()
        self.sink = RecordingSink()
        self.waiting = self.incoming.sent(self.wire)

    def head(self, *bodies: bytes) -> None:
        """Let the head arrive, and perhaps some of the body with it."""
        self.incoming.head(200, "OK", {})
        self.piece(*bodies)

    def piece(self, *bodies: bytes) -> None:
        for body in bodies:
            self.incoming.body(body)
        self.incoming.read()


def flowing(clock: Clock, **clocks: float) -> Answer:
    answer = Answer(clock, **clocks)
    answer.head()
    answer.incoming.deliver(answer.sink)
    return answer


def test_the_clocks_by_the_clock() -> None:
    clock = Clock()
    idle, paused = flowing(clock), flowing(clock)
    paused.incoming.pause()
    clock.advance(9.9)
    assert idle.sink.ends == []
    clock.advance(0.2)
    assert [str(each) for each in idle.sink.ends] == [
        "Provider 'acme' fell silent in the middle of an answer."
    ]
    assert idle.wire.asked[-1] == "abort"
    clock.advance(89)
    assert paused.sink.ends == []
    clock.advance(1)
    assert [str(each) for each in paused.sink.ends] == [
        "Provider 'acme' did not finish its answer in time."
    ]
    assert clock.getDelayedCalls() == []


@pytest.mark.parametrize(
    ("seconds", "clocks", "said"),
    [
        (20, {}, "did not begin to answer in time"),
        (5, {"total": 5}, "did not answer in the total time it has"),
    ],
)
def test_before_the_head_a_clock_cancels_what_is_waited_for(
    seconds: float, clocks: dict[str, float], said: str
) -> None:
    clock = Clock()
    answer = Answer(clock, **clocks)
    failures: list[Failure] = []
    answer.waiting.addErrback(failures.append)
    clock.advance(seconds - 0.1)
    assert failures == []
    clock.advance(0.2)
    assert [failure.type for failure in failures] == [CancelledError]
    assert str(answer.incoming.fault) == f"Provider 'acme' {said}."
    assert answer.wire.asked == ["abort"]
    assert clock.getDelayedCalls() == []


def test_an_answer_that_nobody_wants_yet_ends_in_time_too() -> None:
    clock = Clock()
    answer = Answer(clock)
    answer.head(b"a")
    assert answer.wire.asked == ["pause"], "it flows only where somebody takes it"
    clock.advance(100)
    assert answer.wire.asked == ["pause", "abort"]
    answer.incoming.deliver(answer.sink)
    assert isinstance(answer.sink.ends[0], ProviderTimeout)


def test_each_piece_winds_the_idle_clock_up_again() -> None:
    clock = Clock()
    answer = flowing(clock)
    for _ in range(5):
        clock.advance(9)
        answer.piece(b"x")
    assert answer.sink.ends == []
    clock.advance(10)
    assert len(answer.sink.ends) == 1


def test_framing_without_a_piece_is_no_sign_of_life() -> None:
    clock = Clock()
    answer = flowing(clock)
    clock.advance(9)
    answer.piece()
    clock.advance(1)
    assert len(answer.sink.ends) == 1


def test_an_answer_can_be_hurried_but_not_slowed_down() -> None:
    clock = Clock()
    hurried, slowed = flowing(clock, idle=1000), flowing(clock, idle=1000)
    hurried.incoming.hurry(5)
    slowed.incoming.hurry(500)
    clock.advance(5)
    assert (len(hurried.sink.ends), len(slowed.sink.ends)) == (1, 0)
    clock.advance(95)
    assert len(slowed.sink.ends) == 1


def test_an_aborted_answer_leaves_no_clock() -> None:
    clock = Clock()
    answer = flowing(clock)
    answer.incoming.abort()
    answer.incoming.abort()
    assert clock.getDelayedCalls() == []
    assert answer.wire.asked == ["pause", "resume", "abort"]


def test_all_that_one_read_brought_is_there_when_the_head_is_told() -> None:
    clock = Clock()
    answer = Answer(clock)
    answer.waiting.addCallback(lambda _: answer.incoming.deliver(answer.sink))
    answer.incoming.head(200, "OK", {"a": "b"})
    assert answer.sink.pieces == []
    answer.incoming.body(b"whole")
    answer.incoming.ended(None)
    assert (answer.sink.pieces, answer.sink.ends) == ([b"whole"], [None])
    assert answer.wire.asked == [], "whoever takes it at once pauses nothing"
    assert clock.getDelayedCalls() == []


def test_what_comes_to_one_that_is_paused_is_held() -> None:
    answer = flowing(Clock())
    answer.sink.on_piece = answer.incoming.pause
    answer.piece(b"1")
    answer.piece(b"2", b"3")
    answer.incoming.ended(None)
    for held in (b"1", b"2", b"3"):
        assert (answer.sink.pieces[-1], answer.sink.ends) == (held, [])
        answer.incoming.resume()
    assert answer.sink.ends == [None]


def test_a_sink_may_stop_in_the_middle_of_a_read() -> None:
    clock = Clock()
    answer = flowing(clock)
    answer.sink.on_piece = answer.incoming.abort
    answer.piece(b"1", b"2")
    assert (answer.sink.pieces, answer.sink.ends) == ([b"1"], [])
    assert answer.wire.asked[-1] == "abort"


def test_an_answer_that_is_over_needs_no_collector() -> None:
    """Each call has one: what refers to itself costs the process its time."""
    clock = Clock()
    answer = flowing(clock)
    gone = weakref.ref(answer.incoming)
    answer.piece(b"1")
    answer.incoming.ended(None)
    gc.disable()
    try:
        del answer
        assert gone() is None
    finally:
        gc.enable()
