"""Requests with places changed: none is served that h11 refuses, or reads otherwise.

LIGHTWEIGHT_MUTATED says how many for each lane, some thousands if it does not.
"""

import os
import re
from collections.abc import Iterator
from random import Random
from typing import TypeAlias

from twisted.web.iweb import IRequest
from twisted.web.resource import Resource

import h11
import pytest
from support.gateway import Client, Gateway

from lightweight.web.app import EXPRESS
from lightweight.web.front_exchange import FrontExchange
from lightweight.web.site import open_gate
from lightweight.web.site_request import of

MUTATED = int(os.environ.get("LIGHTWEIGHT_MUTATED", "3000"))

LINE = b"POST /v1/chat/completions HTTP/1.1\r\nHost: gateway.example\r\n"
FIELDS = b"X-One: a b\r\nAuthorization: Bearer lw-known\r\n"
MESSAGES = b"POST /v1/messages?beta=true HTTP/1.1\r\n"
REQUESTS = [
    LINE + FIELDS + b"Content-Length: 14\r\n\r\n" + b'{"model":"one"}'[:14],
    LINE + b"content-length: 5\r\n" + FIELDS + b"\r\nhello",
    LINE + b"Content-Length: 0\r\nConnection: keep-alive\r\n\r\n",
    LINE + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;a=b\r\nyou\r\n0\r\n\r\n",
    MESSAGES + b"Host: [::1]:80\r\nContent-Length: 2\r\n\r\n{}",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
]
WEDGES = [
    *(b"", b"\r", b"\n", b"\r\n", b"\r\n\r\n", b" ", b"\t", b"\0", b":", b";", b","),
    *(b"0", b"1", b"5", b"14", b"+", b"-", b"0x", b"a", b"\x0b", b"\x85", b"\xff"),
    *(b"POST ", b"GET ", b"/", b"http://x", b"HTTP/1.0", b"HTTP/1.1", b"HTTP/2.0"),
    *(b"Content-Length: 3\r\n", b"Content-Length : 3\r\n", b"Content-Length: 3, 3\r\n"),
    *(b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: xchunked\r\n"),
    *(b"Transfer-Encoding:\x0bchunked\r\n", b"Transfer-Encoding: identity\r\n"),
    *(b"Host: y\r\n", b"Connection: close\r\n", b"Expect: 100-continue\r\n"),
    *(b"Upgrade: h2c\r\n", b"X: 1\r\n 2\r\n", b"Transfer_Encoding: chunked\r\n"),
]

WELL = re.compile(rb"HTTP/1\.[01] 2\d\d ")

Taken: TypeAlias = tuple[bytes, bytes, bytes]
"""Method, target and body of a request."""


def mutated(random: Random) -> bytes:
    """Make what a client sends: requests one after the other, changed in places."""
    sent = bytearray(b"".join(random.choices(REQUESTS, k=random.randint(1, 3))))
    for _ in range(random.randint(1, 4)):
        at, size = random.randint(0, len(sent)), random.choice([0, 0, 1, 2, 4, 9])
        if random.random() < 0.2:
            # A piece of itself somewhere else.
            begin = random.randint(0, len(sent))
            wedge = bytes(sent[begin : begin + random.randint(1, 60)])
        else:
            wedge = random.choice(WEDGES)
        if random.random() < 0.4:
            # At the beginning of a line is where a field is one.
            at = sent.find(b"\n", at) + 1
        sent[at : at + size] = wedge
    return bytes(sent)


def pieces(random: Random, sent: bytes) -> Iterator[bytes]:
    cuts = sorted(random.choices(range(len(sent) + 1), k=random.randint(0, 3)))
    for begin, end in zip([0, *cuts], [*cuts, len(sent)], strict=True):
        yield sent[begin:end]


def h11_takes(sent: bytes) -> list[Taken]:
    """Give the requests that h11 reads whole, until it refuses one or the end."""
    taken = []
    rest = sent
    while rest:
        # Of empty lines before a request h11 passes over none, RFC 9112, 2.2, over one.
        read = h11_reads(rest.removeprefix(b"\r\n"))
        if read is None:
            break
        one, rest = read
        taken.append(one)
    return taken


def h11_reads(sent: bytes) -> tuple[Taken, bytes] | None:
    """Give one request and what follows it; nothing where that is not for h11."""
    server = h11.Connection(h11.SERVER, max_incomplete_event_size=128 * 1024)
    server.receive_data(sent)
    body = b""
    try:
        asked = server.next_event()
        if not isinstance(asked, h11.Request):
            return None
        event = server.next_event()
        while isinstance(event, h11.Data):
            body += bytes(event.data)
            event = server.next_event()
    except h11.RemoteProtocolError:
        return None
    if not isinstance(event, h11.EndOfMessage):
        return None
    last = server.their_state is h11.MUST_CLOSE
    return (asked.method, asked.target, body), b"" if last else server.trailing_data[0]


class Taking(Resource):
    """Answers whatever is asked, and keeps it."""

    isLeaf = True

    def __init__(self, taken: list[Taken]) -> None:
        super().__init__()
        self._taken = taken

    def render(self, request: IRequest) -> bytes:
        ours = of(request)
        self._taken.append((ours.method, ours.uri, ours.record().body))
        return b"{}"


class Server:
    """A gateway that takes every request, whatever it asks."""

    def __init__(self) -> None:
        self.gateway = Gateway()
        self.taken: list[Taken] = []
        site = self.gateway.site
        site.gate = open_gate
        site.resource = Taking(self.taken)
        site.express = {path.encode(): self._take for path in EXPRESS}

    async def _take(self, exchange: FrontExchange) -> None:
        asked = exchange.request
        target = f"{asked.path}?{asked.query}" if asked.query else asked.path
        self.taken.append((b"POST", target.encode(), asked.body))
        exchange.start(200, {}, length=2)
        exchange.write(b"{}")
        exchange.finish()

    def takes(self, sent: Iterator[bytes]) -> tuple[list[Taken], bytes]:
        """Give what is taken of a connection's bytes, and what the client reads."""
        self.taken.clear()
        client = self.gateway.connect()
        for piece in sent:
            if not client.wire.disconnecting:
                client.send(piece)
        received = client.received
        self._end(client)
        return list(self.taken), received

    def _end(self, client: Client) -> None:
        client.leave()
        self.gateway.turn()
        self.gateway.visits.clear()
        assert self.gateway.clock.getDelayedCalls() == []


def plain(taken: Taken) -> Taken:
    """Give it without what says nothing: a query that is empty."""
    method, target, body = taken
    return method, target.removesuffix(b"?"), body


def test_what_was_not_changed_is_taken() -> None:
    server = Server()
    whole = b"".join(REQUESTS)
    taken, received = server.takes(iter([whole]))
    assert taken == h11_takes(whole)
    assert received.count(b"HTTP/1.1 200 OK\r\n") == len(taken) == len(REQUESTS)


@pytest.mark.timeout(120 + MUTATED / 100)
def test_no_request_is_taken_that_h11_reads_otherwise() -> None:
    server = Server()
    random = Random(2026)
    served = refused = 0
    for _ in range(MUTATED):
        sent = mutated(random)
        taken, received = server.takes(pieces(random, sent))
        theirs = h11_takes(sent)[: len(taken)]
        assert list(map(plain, taken)) == list(map(plain, theirs)), sent
        assert len(WELL.findall(received)) == len(taken), sent
        served += bool(taken)
        refused += not taken
    # Else nothing was tried.
    assert served > MUTATED / 5
    assert refused > MUTATED / 5
