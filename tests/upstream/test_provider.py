"""The contract of a provider, run over both of its homes."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import CancelledError, Deferred

import pytest
import pytest_twisted
from support.scripted import ScriptedProvider
from support.sink import CHAT, STREAMED_CHAT, RecordingSink, outgoing, turns

from lightweight.records import Outgoing
from lightweight.upstream.demo import DemoProvider
from lightweight.upstream.provider import Provider, Reply

EVENTS = [b'data: {"choices":[]}\n\n', b"data: [DONE]\n\n"]
STREAM = outgoing(STREAMED_CHAT)
WHOLE = outgoing(CHAT)


@dataclass
class Case:
    provider: Provider
    expect: Callable[[Outgoing], None]
    """Let the provider answer this request."""


@pytest_twisted.async_yield_fixture(params=["http", "demo"])  # type: ignore[untyped-decorator]  # has no types
async def case(
    request: pytest.FixtureRequest,
    reactor: Any,
    scripted_provider: ScriptedProvider,
    client_of: Callable[..., Provider],
) -> AsyncIterator[Case]:
    def expect(asked: Outgoing) -> None:
        if asked is STREAM:
            scripted_provider.stream(EVENTS)
        else:
            scripted_provider.reply(body=b'{"object":"chat.completion"}')

    if request.param == "demo":
        yield Case(DemoProvider("demo", reactor, wall=lambda: 0.0), lambda _: None)
    else:
        yield Case(client_of(scripted_provider), expect)


async def ask(case: Case, asked: Outgoing) -> Reply:
    case.expect(asked)
    return await case.provider.send(asked, "req-1")


async def test_a_stream_arrives_and_ends(case: Case) -> None:
    reply = await ask(case, STREAM)
    sink = RecordingSink()
    reply.body.deliver(sink)
    assert await sink.end() is None
    assert reply.status == 200
    assert reply.headers["content-type"] == "text/event-stream"
    assert sink.data.startswith(b"data: {")
    assert sink.data.endswith(b"data: [DONE]\n\n")


async def test_a_whole_answer_arrives_and_ends(case: Case) -> None:
    reply = await ask(case, WHOLE)
    sink = RecordingSink()
    reply.body.deliver(sink)
    assert await sink.end() is None
    assert reply.headers["content-type"] == "application/json"
    assert json.loads(sink.data)["object"] == "chat.completion"


@pytest.mark.parametrize("asked", [STREAM, WHOLE], ids=["stream", "whole"])
async def test_a_paused_source_gives_nothing_and_then_the_rest(
    case: Case, reactor: Any, asked: Outgoing
) -> None:
    reply = await ask(case, asked)
    sink = RecordingSink(on_piece=reply.body.pause)
    reply.body.deliver(sink)
    while await sink.piece():
        seen = len(sink.pieces)
        await turns(reactor, 10)
        assert (len(sink.pieces), sink.ends) == (seen, [])
        reply.body.resume()
    assert sink.ends == [None]


async def test_paused_before_it_is_delivered(case: Case, reactor: Any) -> None:
    reply = await ask(case, WHOLE)
    sink = RecordingSink()
    reply.body.pause()
    reply.body.deliver(sink)
    await turns(reactor, 20)
    assert (sink.pieces, sink.ends) == ([], [])
    reply.body.resume()
    assert await sink.end() is None
    assert sink.data


async def test_an_aborted_source_is_heard_no_more(case: Case, reactor: Any) -> None:
    reply = await ask(case, STREAM)
    sink = RecordingSink(on_piece=reply.body.abort)
    reply.body.deliver(sink)
    await sink.piece()
    reply.body.resume()
    await turns(reactor, 20)
    reply.body.abort()
    reply.body.pause()
    reply.body.resume()
    assert (len(sink.pieces), sink.ends) == (1, [])


async def test_a_source_aborted_before_it_is_delivered(
    case: Case, reactor: Any
) -> None:
    reply = await ask(case, STREAM)
    sink = RecordingSink()
    reply.body.abort()
    reply.body.deliver(sink)
    await turns(reactor, 20)
    assert (sink.pieces, sink.ends) == ([], [])


async def test_abort_after_the_end_does_nothing(case: Case) -> None:
    for _ in range(2):
        reply = await ask(case, WHOLE)
        sink = RecordingSink()
        reply.body.deliver(sink)
        assert await sink.end() is None
        reply.body.abort()


async def test_a_cancelled_send_raises_cancelled(case: Case) -> None:
    asking = Deferred.fromCoroutine(case.provider.send(STREAM, "req-1"))
    asking.cancel()
    try:
        reply = await asking
    except CancelledError:
        return
    # The demo answers within the call: nothing is left to cancel but the body.
    assert isinstance(case.provider, DemoProvider)
    reply.body.abort()
