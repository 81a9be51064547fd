"""An exchange of the express lane: what it sends and when, and what it then ignores."""

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

import pytest
from conftest import LoggedFailures
from support.gateway import KEY, Client, Gateway

from lightweight.errors import Overloaded
from lightweight.web.front_exchange import FrontExchange

pytestmark = pytest.mark.one_lane


class Valve:
    """A flow that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def pause(self) -> None:
        self.told.append("pause")

    def resume(self) -> None:
        self.told.append("resume")


def exchanged() -> tuple[Gateway, Client, FrontExchange]:
    gateway = Gateway()
    kept: list[FrontExchange] = []

    async def keep(exchange: FrontExchange) -> None:
        kept.append(exchange)
        await Deferred[None]()

    gateway.site.express = {b"/v1/chat/completions": keep}
    client = gateway.connect()
    client.ask("POST", "/v1/chat/completions?q=secret", b"body", {"X-Two": "1"})
    (exchange,) = kept
    return gateway, client, exchange


def test_the_request_is_told_as_it_came() -> None:
    gateway, client, exchange = exchanged()
    told = exchange.request
    assert (told.method, told.path) == ("POST", "/v1/chat/completions")
    assert (told.query, told.body, told.peer) == ("q=secret", b"body", "192.0.2.7")
    assert told.headers["x-two"] == "1"
    assert told.headers["authorization"] == f"Bearer {KEY}"
    assert told.arrived == gateway.clock.seconds()
    assert exchange.identity == gateway.keys.held[KEY]
    client.leave()


def test_head_and_body_leave_together() -> None:
    _, client, exchange = exchanged()
    exchange.start(201, {"content-type": "text/plain"}, length=3)
    assert exchange.started
    assert client.received == b""
    exchange.write(b"abc")
    answer = client.answer()
    assert (answer.status, answer.body, answer.whole) == (201, b"abc", True)
    exchange.finish()
    client.leave()


def test_a_body_of_unknown_length_is_chunked() -> None:
    gateway, client, exchange = exchanged()
    exchange.start(200, {})
    exchange.write(b"abc")
    assert gateway.site.streams == 1
    exchange.write(b"")
    exchange.write(b"d" * 20)
    assert not client.answer().whole
    exchange.finish()
    assert client.answer().body == b"abc" + b"d" * 20
    assert client.answer().whole
    assert gateway.site.streams == 0
    assert gateway.visit.sent == 23
    client.leave()


def test_an_empty_body_has_a_head() -> None:
    _, client, exchange = exchanged()
    exchange.start(200, {}, length=0)
    exchange.finish()
    assert client.answer().whole
    client.leave()


def test_what_was_cut_is_not_whole() -> None:
    gateway, client, exchange = exchanged()
    exchange.start(200, {})
    exchange.write(b"abc")
    exchange.abort()
    exchange.write(b"def")
    exchange.finish()
    assert client.wire.aborted
    assert b"def" not in client.received
    gateway.turn()
    assert gateway.visit.status == 200


def test_after_the_client_left_nothing_happens() -> None:
    gateway, client, exchange = exchanged()
    exchange.hold_line()
    client.leave()
    assert exchange.lost
    exchange.start(200, {})
    exchange.write(b"abc")
    exchange.attach(Valve())
    exchange.finish()
    exchange.abort()
    assert not exchange.started
    assert client.received == b""
    assert gateway.visits == []


def test_a_slow_client_steers_the_flow_while_it_is_attached() -> None:
    _, client, exchange = exchanged()
    valve = Valve()
    exchange.attach(valve)
    client.stall()
    client.read_on()
    exchange.detach()
    client.stall()
    client.read_on()
    assert valve.told == ["pause", "resume"]
    client.leave()


@pytest.mark.parametrize("raised", [False, True])
def test_a_bug_is_told_without_a_word_of_it(
    logged_failures: LoggedFailures, *, raised: bool
) -> None:
    gateway = Gateway()

    async def fails(exchange: FrontExchange) -> None:
        bug = ZeroDivisionError("secret detail")
        if raised:
            raise bug
        exchange.failed(Failure(bug))

    gateway.site.express = {b"/v1/chat/completions": fails}
    client = gateway.connect()
    client.chat()
    assert client.answer().status == 500
    assert b"secret" not in client.received
    assert len(logged_failures.flush(ZeroDivisionError)) == 1
    client.leave()


@pytest.mark.parametrize("started", [False, True])
def test_a_fault_is_told_while_it_can_be(*, started: bool) -> None:
    gateway = Gateway()

    async def refuses(exchange: FrontExchange) -> None:
        if started:
            exchange.start(200, {})
            exchange.write(b"abc")
        raise Overloaded("Too much.")

    gateway.site.express = {b"/v1/chat/completions": refuses}
    client = gateway.connect()
    client.chat()
    assert client.answer().status == (200 if started else 503)
    assert client.wire.aborted == started
    assert (b"Too much." in client.received) != started
    client.leave()


def test_who_ends_without_an_answer_is_cut() -> None:
    gateway = Gateway()

    async def forgets(_exchange: FrontExchange) -> None:
        return

    gateway.site.express = {b"/v1/chat/completions": forgets}
    client = gateway.connect()
    client.chat()
    assert client.wire.aborted
    gateway.turn()
    assert gateway.visit.status == 499
