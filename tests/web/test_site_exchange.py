"""An exchange over Twisted's request, before and after the client left."""

from support.gateway import Client, Gateway

from lightweight.web.site_exchange import SiteExchange
from lightweight.web.site_request import GatewayRequest

NOT_DONE_YET = 1


class Keeps:
    """A resource that hands its exchange to the test."""

    isLeaf = True
    exchange: SiteExchange

    def render(self, request: GatewayRequest) -> int:
        self.exchange = SiteExchange(request)
        return NOT_DONE_YET


class Valve:
    """A flow that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def pause(self) -> None:
        self.told.append("pause")

    def resume(self) -> None:
        self.told.append("resume")


def exchanged() -> tuple[Gateway, Client, SiteExchange]:
    gateway = Gateway()
    keeps = Keeps()
    gateway.site.resource = keeps
    client = gateway.connect()
    client.ask("POST", "/a%20b?q=secret", b"body", {"X-Two": "1"})
    return gateway, client, keeps.exchange


def test_the_request_is_told_as_it_came() -> None:
    gateway, _, exchange = exchanged()
    told = exchange.request
    assert (told.method, told.path, told.query) == ("POST", "/a%20b", "q=secret")
    assert (told.body, told.peer) == (b"body", "192.0.2.7")
    assert told.headers["x-two"] == "1"
    assert told.arrived == gateway.clock.seconds()
    assert told.id.startswith("req_")


def test_the_head_leaves_at_once() -> None:
    _, client, exchange = exchanged()
    assert not exchange.started
    exchange.start(201, {"content-type": "text/plain"}, length=3)
    assert exchange.started
    assert client.answer().status == 201
    exchange.write(b"abc")
    exchange.finish()
    assert client.answer().body == b"abc"


def test_a_flow_is_steered_until_it_is_detached() -> None:
    _, client, exchange = exchanged()
    valve = Valve()
    exchange.attach(valve)
    client.stall()
    client.read_on()
    exchange.detach()
    client.stall()
    assert valve.told == ["pause", "resume"]
    exchange.start(200, {}, length=0)
    exchange.finish()
    assert client.answer().whole


def test_after_the_client_left_nothing_happens_and_nothing_raises() -> None:
    gateway, client, exchange = exchanged()
    valve = Valve()
    exchange.attach(valve)
    client.leave()
    assert exchange.lost
    exchange.start(200, {})
    exchange.write(b"x")
    exchange.attach(valve)
    exchange.detach()
    exchange.abort()
    exchange.finish()
    assert client.received == b""
    assert gateway.visit.status == 499
    assert (gateway.visit.path, gateway.visit.method) == ("/a%20b", "POST")


def test_an_aborted_answer_does_not_look_whole() -> None:
    gateway, client, exchange = exchanged()
    exchange.start(200, {})
    exchange.write(b"half")
    exchange.abort()
    exchange.write(b"more")
    exchange.finish()
    assert client.wire.aborted
    assert client.answer().body == b"half"
    assert not client.answer().whole
    gateway.turn()
    assert len(gateway.visits) == 1


def test_after_the_end_nothing_more_is_sent() -> None:
    gateway, client, exchange = exchanged()
    exchange.start(200, {}, length=2)
    exchange.write(b"ab")
    exchange.finish()
    sent = client.received
    exchange.write(b"c")
    exchange.start(500, {})
    exchange.finish()
    exchange.abort()
    assert client.received == sent
    assert not client.wire.aborted
    assert len(gateway.visits) == 1


def test_the_access_line_waits_for_the_outcome() -> None:
    gateway, _, exchange = exchanged()
    let_go = exchange.hold_line()
    exchange.start(200, {}, length=0)
    exchange.finish()
    assert gateway.visits == []
    let_go(None)
    assert len(gateway.visits) == 1
