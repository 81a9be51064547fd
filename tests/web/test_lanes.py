"""The two lanes are one server: whatever a client does, bytes and books agree."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.gateway import (
    DONE,
    KEY,
    STORED_KEY,
    Client,
    Gateway,
    chunk,
    completion,
    usage_chunk,
)
from support.verdicts import refused

from lightweight.config.schema import Config, Edge
from lightweight.errors import ProviderBusy, ProviderCut
from lightweight.policy.admission import Tier
from lightweight.records import Limits
from lightweight.web.edge import AHEAD_BYTES, DISCARD_SECONDS
from lightweight.web.front_exchange import FrontExchange

pytestmark = pytest.mark.one_lane

EDGE = Edge(header_timeout=10.0, body_timeout=30.0, keep_alive=15.0, max_body=5000)
CHAT = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
CHAT += KEY.encode() + b"\r\n"
BODY = b'{"model":"renamed","messages":[{"role":"user","content":"Hi"}]}'
WHOLE = CHAT + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"

_DATE = re.compile(rb"Date: [^\r]+")


def seen(gateway: Gateway, client: Client) -> dict[str, Any]:
    """Give all that either side can see, but the time of day."""
    return {
        "received": _DATE.sub(b"Date:", client.received),
        "closing": (client.wire.disconnecting, client.wire.aborted),
        "visits": gateway.visits,
        "asked": gateway.one.asked,
        "cancelled": gateway.one.cancelled,
        "taken": gateway.limits.asked,
        "settled": gateway.limits.settled,
        "uses": gateway.journal.uses,
        "live": gateway.live.count,
    }


def on_lane(way: Callable[[Gateway, Client], None], *, express: bool) -> dict[str, Any]:
    gateway = Gateway(Config(edge=EDGE, express=express))
    gateway.tiers["pro"] = Tier(limits=Limits(rpm=60))
    client = gateway.connect()
    way(gateway, client)
    gateway.turn()
    before = seen(gateway, client)
    gateway.clock.advance(DISCARD_SECONDS)
    gateway.clock.pump([15] * 8)
    if not client.wire.closed:
        client.leave()
    assert gateway.clock.getDelayedCalls() == []
    assert not gateway.site.connections
    return {**before, "later": seen(gateway, client)}


def answers(gateway: Gateway, *pieces: bytes) -> None:
    body = gateway.one.reply(headers={"x-request-id": "up\r\n-1"})
    body.push(*pieces)
    body.end()


def whole(gateway: Gateway, client: Client) -> None:
    client.send(WHOLE)
    answers(gateway, completion())


def in_pieces(gateway: Gateway, client: Client) -> None:
    for at in range(len(WHOLE)):
        client.send(WHOLE[at : at + 1])
    answers(gateway, completion())


def streamed(gateway: Gateway, client: Client) -> None:
    client.chat(stream=True)
    answers(gateway, chunk(), chunk("there"), chunk(None, "stop"), usage_chunk(), DONE)


def broken(gateway: Gateway, client: Client) -> None:
    client.chat(stream=True)
    body = gateway.one.reply()
    body.push(chunk(), chunk())
    body.end(ProviderCut("Broken."))


def silent(gateway: Gateway, client: Client) -> None:
    client.chat(stream=True)
    gateway.clock.pump([16, 16])
    answers(gateway, chunk(), chunk(None, "stop"), DONE)


def busy(gateway: Gateway, client: Client) -> None:
    client.chat()
    gateway.one.fail(ProviderBusy("Busy.", retry_after=3))


def one_after_the_other(gateway: Gateway, client: Client) -> None:
    whole(gateway, client)
    client.send(HEALTH)
    streamed(gateway, client)


def pipelined(gateway: Gateway, client: Client) -> None:
    client.send(WHOLE + WHOLE + HEALTH + WHOLE)
    for _ in range(3):
        answers(gateway, completion())


def pipelined_refusals(gateway: Gateway, client: Client) -> None:
    bad = CHAT + b"Content-Length: 2\r\n\r\n[]"
    client.send(bad * 50 + HEALTH)


def too_far_ahead(gateway: Gateway, client: Client) -> None:
    client.send(WHOLE)
    client.send(b"a" * (AHEAD_BYTES + 1))


def closes(gateway: Gateway, client: Client) -> None:
    client.send(
        CHAT + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY
    )
    answers(gateway, completion())
    client.send(HEALTH)


def drained(gateway: Gateway, client: Client) -> None:
    client.chat()
    gateway.site.draining = True
    answers(gateway, completion())


def left(gateway: Gateway, client: Client) -> None:
    client.chat()
    client.leave()


def left_in_a_stream(gateway: Gateway, client: Client) -> None:
    client.chat(stream=True)
    gateway.one.reply().push(chunk(), chunk())
    client.leave()


def left_in_its_body(_: Gateway, client: Client) -> None:
    client.send(WHOLE[:-1])
    client.leave()


def left_in_its_head(_: Gateway, client: Client) -> None:
    client.send(CHAT)
    client.leave()


def slow_head(gateway: Gateway, client: Client) -> None:
    client.send(CHAT)
    gateway.clock.advance(10)


def slow_body(gateway: Gateway, client: Client) -> None:
    client.send(WHOLE[:-1])
    gateway.clock.advance(10)


def slow_second_body(gateway: Gateway, client: Client) -> None:
    whole(gateway, client)
    gateway.clock.advance(14)
    client.send(WHOLE[:-1])
    gateway.clock.advance(9)
    client.send(HEALTH[:1])
    answers(gateway, completion())


def idle(gateway: Gateway, client: Client) -> None:
    whole(gateway, client)
    gateway.clock.advance(15)


def full(gateway: Gateway, client: Client) -> None:
    gateway.limits.verdict = refused("requests", 1200)
    client.chat()
    client.chat()


def told_to_wait(gateway: Gateway, client: Client) -> None:
    gateway.overloaded = "Too much."
    client.chat()


def bug(gateway: Gateway, client: Client) -> None:
    client.chat(key=STORED_KEY, model="nobody-has-this")
    client.chat(stream="yes")


def foreign(gateway: Gateway, client: Client) -> None:
    body = (
        b'{"model":"renamed","max_tokens":5,"messages":[{"role":"user","content":"a"}]}'
    )
    client.ask("POST", "/v1/messages?beta=true", body, {"Origin": "https://a.example"})
    answers(gateway, completion())


def unknown_key(gateway: Gateway, client: Client) -> None:
    client.chat(key="lw-nobody")


def key_that_died(gateway: Gateway, client: Client) -> None:
    client.send(WHOLE[:-1])
    del gateway.keys.held[KEY]
    client.send(WHOLE[-1:])


def dead_in_the_store(gateway: Gateway, client: Client) -> None:
    gateway.keys.stored[STORED_KEY] = None
    client.chat(key=STORED_KEY)


def stalled(gateway: Gateway, client: Client) -> None:
    client.chat(stream=True)
    body = gateway.one.reply()
    body.push(chunk())
    client.stall()
    body.push(chunk("held"))
    client.read_on()
    body.push(chunk(None, "stop"), DONE)
    body.end()


def stalled_in_the_second(gateway: Gateway, client: Client) -> None:
    body = BODY[:-1] + b',"stream":true}'
    client.send((CHAT + b"Content-Length: %d\r\n\r\n" % len(body) + body) * 2)
    first, second = gateway.one.reply(), gateway.one.reply()
    second.push(chunk())
    # Its end begins the next one, before anything else of it is tidied up.
    first.push(chunk(), chunk(None, "stop"), DONE)
    first.end()
    client.stall()
    assert second.paused
    second.push(chunk("held"))
    client.read_on()
    assert not second.paused
    second.push(chunk(None, "stop"), DONE)
    second.end()


def stalled_for_good(gateway: Gateway, client: Client) -> None:
    client.chat(stream=True)
    gateway.one.reply().push(chunk())
    client.stall()
    gateway.clock.pump([10] * 30)


WAYS = [
    *(whole, in_pieces, streamed, broken, silent, busy, one_after_the_other, pipelined),
    *(pipelined_refusals, too_far_ahead, closes, drained, left, left_in_a_stream),
    *(left_in_its_body, left_in_its_head, slow_head, slow_body, slow_second_body),
    *(idle, full, told_to_wait, bug, foreign, unknown_key, key_that_died),
    *(dead_in_the_store, stalled, stalled_in_the_second, stalled_for_good),
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_the_lanes_agree(way: Callable[[Gateway, Client], None]) -> None:
    express = on_lane(way, express=True)
    routed = on_lane(way, express=False)
    assert express == routed


@pytest.mark.parametrize("express", [True, False])
def test_the_lanes_are_two(*, express: bool) -> None:
    gateway = Gateway(Config(express=express))
    served: list[str] = []

    async def here(exchange: FrontExchange) -> None:
        served.append(exchange.request.path)

    gateway.site.express = dict.fromkeys(gateway.site.express, here)
    whole(gateway, gateway.connect())
    assert served == ["/v1/chat/completions"] * express
    gateway.clock.advance(0)
    gateway.clock.pump([100] * 2)


# -- whatever is sent --------------------------------------------------------------

_WORDS = st.sampled_from(
    [
        *(b"POST", b"GET", b"\r\n", b"\r\n\r\n", b"\n", b":", b" ", b"\t", b"\0"),
        *(b"Host: y", b"Content-Length: 3", b"Transfer-Encoding: chunked", b"0"),
        *(b"Connection: close", b"Expect: 100-continue", b"HTTP/1.0", b"/v1/models"),
        *(b"\xff", b"{", b'"', b"9" * 30, b"X: " + b"a" * 17_000, WHOLE, HEALTH, b"X"),
    ]
)


@st.composite
def conversations(draw: st.DrawFn) -> list[bytes]:
    """Make what a client sends, piece by piece: requests with a few places changed."""
    sent = bytearray(
        b"".join(
            draw(st.lists(st.sampled_from([WHOLE, HEALTH]), min_size=1, max_size=3))
        )
    )
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(sent)))
        sent[at : at + draw(st.integers(0, 8))] = draw(_WORDS)
    cuts = sorted(draw(st.sets(st.integers(1, len(sent)), max_size=3)))
    return [
        bytes(sent[a:b]) for a, b in zip([0, *cuts], [*cuts, len(sent)], strict=True)
    ]


def spoken(pieces: list[bytes]) -> Callable[[Gateway, Client], None]:
    def way(gateway: Gateway, client: Client) -> None:
        for _ in range(4):
            answers(gateway, completion())
        for piece in pieces:
            if not client.wire.disconnecting:
                client.send(piece)
        gateway.clock.advance(31)

    return way


@given(conversations())
@example([WHOLE])
@example([CHAT + b"Content-Length: 63\r\n\r\n1234" + BODY])
def test_the_lanes_agree_on_any_bytes(pieces: list[bytes]) -> None:
    express = on_lane(spoken(pieces), express=True)
    routed = on_lane(spoken(pieces), express=False)
    assert express == routed
