"""Every way for a provider to fail, through the whole gateway.

Each has its own answer where no other provider is there, and is not seen by the client
at all where one is.
"""

import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_twisted
from support.gateway import DONE, Client, Gateway, chunk, completion
from support.scripted import (
    SILENCE,
    Abort,
    Close,
    Flood,
    Gate,
    ScriptedProvider,
    Send,
    Step,
    Wait,
    head,
    streamed,
    whole,
)
from support.scripted import chunk as piece
from support.sink import turns
from support.tls import ServerContext, authority

from lightweight.config.schema import Config, Timeouts
from lightweight.upstream.http import HttpProvider

ROLE = chunk(choices=[{"index": 0, "delta": {"role": "assistant", "content": ""}}])
SAID = chunk() + chunk(None, "stop")
ERROR = b'data: {"error": {"message": "we are overloaded", "code": 529}}\n\n'
SSE = {"Content-Type": "text/event-stream"}
CHUNKED = {**SSE, "Transfer-Encoding": "chunked"}
HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
GZIP = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
LIMITED = {"Retry-After": "17", "Content-Type": "application/json"}


SOON = Timeouts(connect=1, first_byte=0.6, idle=0.6, total=10)


@dataclass(frozen=True)
class Case:
    """One way to fail, and what a client is told of it without another provider."""

    name: str
    code: str
    steps: tuple[Step, ...] = ()
    """Empty: the provider refuses connections."""
    status: int = 502
    tls: ServerContext | None = None
    streamed: bool | None = None
    """Whether it concerns streams alone, whole answers alone, or both."""
    headers: dict[str, str] = field(default_factory=dict)


def cases() -> list[Case]:
    error, late = "upstream_error", "upstream_timeout"
    garbage = "upstream_invalid_response"
    early = Send(head(200, CHUNKED))
    many = Flood(b"".join(b"X-%d: y\r\n" % n for n in range(2000)), 100)
    interim = Flood(head(103, {"Link": "</style.css>"}) * 1000, 1000)
    good = whole(200, None, b"{}")
    return [
        Case("refuse", error),
        Case("silence before the head", late, (SILENCE,)),
        Case("silence after the head", late, (early, SILENCE)),
        Case("silence in the first event", late, (early, Send(b"5\r\ndata"), SILENCE)),
        Case("closed at once", error, (Close(),)),
        Case("reset at once", error, (Abort(),)),
        Case("reset after the head", error, (early, Abort())),
        Case("cut in a chunk", error, streamed([ROLE], end="cut"), streamed=True),
        Case("reset in the start", error, streamed([ROLE], end="abort"), streamed=True),
        Case(
            "a chunk of no size",
            garbage,
            (early, Send(piece(ROLE) + b"nonsense\r\n"), SILENCE),
            streamed=True,
        ),
        Case(
            "short of its length",
            error,
            (Send(head(200, {"Content-Length": "9999"}) + completion()), Close()),
            streamed=False,
        ),
        Case(
            "closed without an end", error, streamed([ROLE], end="close"), streamed=True
        ),
        Case(
            "half of a body that closing ends",
            garbage,
            streamed([completion()[:40]], end="close"),
            streamed=False,
        ),
        Case("an error first", error, streamed([ERROR]), streamed=True),
        Case("an error second", error, streamed([ROLE, ERROR]), streamed=True),
        Case("nothing", garbage, whole(200, None, b""), streamed=False),
        Case("an empty stream", error, streamed([]), streamed=True),
        Case("HTML", garbage, whole(200, {"Content-Type": "text/html"}, HTML)),
        Case("not HTTP", garbage, (Send(b"SSH-2.0-OpenSSH_9.9\r\n\r\n"), SILENCE)),
        Case(
            "a redirect", garbage, whole(307, {"Location": "https://example.org"}, b"")
        ),
        Case(
            "limited",
            "rate_limit_exceeded",
            whole(429, LIMITED, b"{}"),
            status=429,
            headers={"retry-after": "17", "x-should-retry": "true"},
        ),
        Case("overloaded", error, whole(529, None, b'{"type":"error"}')),
        Case("broken", error, whole(500, {"Content-Type": "text/html"}, HTML)),
        Case("its own timeout", late, whole(408, None, b"")),
        Case("gzip", garbage, whole(200, GZIP, b"\x1f\x8b\x08\x00nonsense")),
        Case("200,000 headers", garbage, (Send(b"HTTP/1.1 200 OK\r\n"), many, SILENCE)),
        Case("a flood of interim answers", garbage, (interim, SILENCE)),
        Case("expired", error, good, tls=authority().server(expired=True)),
        Case("wrong name", error, good, tls=authority().server("example.org")),
    ]


CASES = [
    pytest.param(case, stream, id=f"{case.name} {'streamed' if stream else 'whole'}")
    for case in cases()
    for stream in (False, True)
    if case.streamed in (None, stream)
]


class Pair:
    """A gateway in front of two providers, of which the first one fails."""

    def __init__(self) -> None:
        self.gateway = Gateway()
        self._started: list[ScriptedProvider] = []
        self._clients: list[HttpProvider] = []

    async def provider(self, tls: ServerContext | None = None) -> ScriptedProvider:
        started = await ScriptedProvider(tls).start()
        self._started.append(started)
        return started

    def at(self, base_url: str, name: str, timeouts: Timeouts) -> HttpProvider:
        from twisted.internet import reactor

        made = HttpProvider(
            reactor,
            name=name,
            base_url=base_url,
            credential={},
            timeouts=timeouts,
            instance="instance-1",
            wall=lambda: 0.0,
            authorities=authority().pem.decode(),
        )
        self._clients.append(made)
        return made

    async def serve(self, bad: str, good: ScriptedProvider) -> None:
        real: Any = self.gateway
        real.one = self.at(bad, "one", SOON)
        real.two = self.at(good.base_url, "two", Timeouts())
        self.gateway.runtime = self.gateway.made(Config())

    def begin(self, *, model: str, stream: bool) -> Client:
        client = self.gateway.connect()
        client.chat(model=model, stream=stream)
        return client

    async def until(self, so: Callable[[], bool]) -> None:
        from twisted.internet import reactor

        clock: Any = reactor
        while not so():
            await turns(clock, 1)

    async def ask(self, *, model: str, stream: bool) -> Client:
        client = self.begin(model=model, stream=stream)
        await self.until(lambda: bool(self.gateway.visits))
        return client

    async def stop(self) -> None:
        for client in self._clients:
            await client.close()
        for started in self._started:
            await started.stop()


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # has no types
async def pair() -> AsyncIterator[Pair]:
    made = Pair()
    yield made
    await made.stop()


def good_answer(*, stream: bool) -> tuple[Step, ...]:
    return streamed([ROLE, SAID, DONE]) if stream else whole(200, None, completion())


async def failing(pair: Pair, case: Case) -> ScriptedProvider:
    bad = await pair.provider(case.tls)
    if case.steps:
        bad.always(*case.steps)
    else:
        await bad.refuse()
    return bad


@pytest.mark.parametrize(("case", "stream"), CASES)
async def test_another_provider_answers(
    pair: Pair, case: Case, *, stream: bool
) -> None:
    bad, good = await failing(pair, case), await pair.provider()
    good.script(*good_answer(stream=stream))
    await pair.serve(bad.base_url, good)
    answer = (await pair.ask(model="org/path.1", stream=stream)).answer()
    assert (answer.status, answer.whole) == (200, True)
    expected = ROLE + SAID + DONE if stream else completion()
    assert answer.body == expected.replace(b"renamed-there", b"org/path.1")
    told = pair.gateway.outcome
    assert (told.ending, told.provider) == ("finished", "two")
    first, second = told.attempts
    assert (first.provider, second.provider) == ("one", "two")
    assert first.fault
    assert second.fault is None


@pytest.mark.parametrize(("case", "stream"), CASES)
async def test_without_another_it_has_its_own_code(
    pair: Pair, case: Case, *, stream: bool
) -> None:
    bad, good = await failing(pair, case), await pair.provider()
    await pair.serve(bad.base_url, good)
    answer = (await pair.ask(model="renamed", stream=stream)).answer()
    error = answer.json()["error"]
    assert (answer.status, error["code"]) == (case.status, case.code), error
    assert case.headers.items() <= answer.headers.items()
    assert "127.0.0.1" not in error["message"]
    assert pair.gateway.outcome.ending == "failed"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_connect_that_nobody_answers_moves_on(
    pair: Pair, *, stream: bool
) -> None:
    hole = socket.socket()
    fillers: list[socket.socket] = []
    try:
        hole.bind(("127.0.0.1", 0))
        hole.listen(0)
        for _ in range(3):
            # The queue is full after the first; what follows gets no answer.
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(hole.getsockname())
            fillers.append(filler)
        good = await pair.provider()
        good.script(*good_answer(stream=stream))
        await pair.serve(f"http://127.0.0.1:{hole.getsockname()[1]}/v1", good)
        answer = (await pair.ask(model="org/path.1", stream=stream)).answer()
        assert (answer.status, answer.whole) == (200, True)
        fault = pair.gateway.outcome.attempts[0].fault
        assert fault == "Provider 'one' did not take a connection in time."
    finally:
        for each in (*fillers, hole):
            each.close()


RIGHT: list[Any] = [
    pytest.param(streamed([ROLE, SAID], end="close"), True, id="closing ends it"),
    pytest.param(streamed([ROLE, SAID]), True, id="no [DONE]"),
    pytest.param(
        (Send(head(200, {"Connection": "close"}) + completion()), Close()),
        False,
        id="closing ends a body",
    ),
    pytest.param(whole(200, None, completion()) * 2, False, id="a second response"),
    pytest.param(
        (Send(head(103, {}) * 3), *whole(200, None, completion())), False, id="interim"
    ),
]


@pytest.mark.parametrize(("steps", "stream"), RIGHT)
async def test_what_is_whole_is_passed_on(
    pair: Pair, steps: tuple[Step, ...], *, stream: bool
) -> None:
    odd, good = await pair.provider(), await pair.provider()
    odd.always(*steps)
    await pair.serve(odd.base_url, good)
    for _ in range(2):
        answer = (await pair.ask(model="renamed", stream=stream)).answer()
        pair.gateway.visits.clear()
        assert (answer.status, answer.whole) == (200, True)
        expected = ROLE + SAID + DONE if stream else completion()
        assert answer.body == expected.replace(b"renamed-there", b"renamed")


ENDS: list[tuple[Step, ...]] = [
    (Send(b"40\r\ndata: {"), Close()),
    (Abort(),),
    (SILENCE,),
    (Send(piece(b"")),),
    (Send(piece(ERROR)),),
    (Send(b"nonsense\r\n"), SILENCE),
]


@pytest.mark.parametrize(
    "end", ENDS, ids=["cut", "reset", "silence", "no finish", "error", "framing"]
)
async def test_after_the_first_byte_it_is_told_and_never_tried_again(
    pair: Pair, end: tuple[Step, ...]
) -> None:
    bad, good = await pair.provider(), await pair.provider()
    gate = Gate()
    bad.script(*streamed([ROLE, chunk()], end="silence")[:-1], Wait(gate), *end)
    await pair.serve(bad.base_url, good)
    client = pair.begin(model="org/path.1", stream=True)
    await pair.until(lambda: b"Hi" in client.received)
    gate.open()
    await pair.until(lambda: bool(pair.gateway.visits))
    answer = client.answer()
    assert answer.whole
    assert b'data: {"error":' in answer.body
    assert answer.body.endswith(DONE)
    assert pair.gateway.outcome.ending == "cut"
    assert good.requests == []
