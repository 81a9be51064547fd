"""Connections on real sockets: who serves them, and that nothing is lost between."""

import json
import socket
import ssl

from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread

import pytest
from support.answered import Answered, read_answer
from support.gateway import DONE, KEY, Gateway, chunk, completion, on_loopback
from support.tls import authority

from lightweight.config.schema import Config, Edge
from lightweight.web.edge import READ_BYTES

BODY = b'{"model":"renamed","messages":[{"role":"user","content":"Hi"}]}'
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
HEAD += KEY.encode() + b"\r\n"
CHAT = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
STREAM = BODY[:-1] + b',"stream":true}'
STREAMED = HEAD + b"Content-Length: %d\r\n\r\n" % len(STREAM) + STREAM
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (
    len(BODY),
    BODY,
)
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
LARGE = "x" * 4 * 1024 * 1024


def connect(port: int, *, tls: bool) -> socket.socket:
    plain = socket.create_connection(("127.0.0.1", port), timeout=20)
    if not tls:
        return plain
    context = ssl.create_default_context(cadata=authority().pem.decode())
    return context.wrap_socket(plain, server_hostname="127.0.0.1")


def said(port: int, *requests: bytes, tls: bool = False) -> list[Answered]:
    """Give the answers to requests on one connection, one after the other."""
    with connect(port, tls=tls) as client:
        answers = []
        for request in requests:
            client.sendall(request)
            received = b""
            while not (b"\r\n\r\n" in received and read_answer(received).whole):
                data = client.recv(1024 * 1024)
                assert data, received
                received += data
            answers.append(read_answer(received))
        return answers


def prepare(gateway: Gateway, *bodies: bytes) -> None:
    for body in bodies:
        source = gateway.one.reply()
        source.push(body)
        source.end()


@pytest.mark.parametrize("tls", [False, True])
async def test_a_connection_goes_on_whoever_serves_it(*, tls: bool) -> None:
    gateway = Gateway()
    events = chunk() + chunk(None, "stop") + DONE
    prepare(gateway, completion(), events, completion(), events, completion())
    context = authority().server() if tls else None
    requests = [CHAT, STREAMED, CHAT, HEALTH, STREAMED, CHUNKED]
    async with on_loopback(gateway, context) as port:
        answers = await deferToThread(said, port, *requests, tls=tls)
    assert [answer.status for answer in answers] == [200] * 6
    assert all(answer.rest == b"" for answer in answers)
    assert answers[0].body == answers[2].body == answers[5].body
    assert answers[1].body == answers[4].body
    assert answers[1].body.endswith(DONE)
    assert len(gateway.one.asked) == 5
    assert len({visit.request_id for visit in gateway.visits}) == 6


async def test_a_large_answer_arrives_whole() -> None:
    gateway = Gateway()
    message = {"role": "assistant", "content": LARGE}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    prepare(gateway, completion(choices=choices), chunk(LARGE) + chunk(None, "stop"))
    async with on_loopback(gateway) as port:
        whole, streamed = await deferToThread(said, port, CHAT, STREAMED)
    assert whole.json()["choices"][0]["message"]["content"] == LARGE
    assert LARGE.encode() in streamed.body


@pytest.mark.parametrize("tls", [False, True])
async def test_large_requests_arrive_whole_one_after_the_other(*, tls: bool) -> None:
    gateway = Gateway()
    prepare(gateway, completion(), completion(), completion())
    bodies = [BODY[:-4] + b"x" * size + BODY[-4:] for size in (300_000, 9, 2_000_000)]
    context = authority().server() if tls else None
    requests = [HEAD + b"Content-Length: %d\r\n\r\n%b" % (len(b), b) for b in bodies]
    async with on_loopback(gateway, context) as port:
        answers = await deferToThread(said, port, *requests, tls=tls)
    assert [answer.status for answer in answers] == [200] * 3
    asked = [json.loads(outgoing.body) for outgoing in gateway.one.asked]
    assert [each["messages"] for each in asked] == [
        json.loads(body)["messages"] for body in bodies
    ]


@pytest.mark.one_lane
async def test_a_large_body_is_read_in_large_pieces() -> None:
    from twisted.internet import reactor

    gateway = Gateway(Config(express=True))
    async with on_loopback(gateway) as port:
        client = await deferToThread(connect, port, tls=False)
        client.sendall(HEAD + b"Content-Length: 2000000\r\n\r\n{")
        while not gateway.site.connections:
            await deferLater(reactor, 0.005)
        (front,) = gateway.site.connections
        while front.transport.bufferSize < READ_BYTES:
            await deferLater(reactor, 0.005)
        client.close()


async def test_requests_sent_at_once_are_answered_in_order() -> None:
    gateway = Gateway()
    bodies = [completion(id=f"chatcmpl-{each}") for each in range(20)]
    prepare(gateway, *bodies)

    def ask(port: int) -> list[str]:
        with connect(port, tls=False) as client:
            client.sendall(CHAT * 20)
            ids: list[str] = []
            received = b""
            while len(ids) < 20:
                data = client.recv(65536)
                assert data
                received += data
                while b"\r\n\r\n" in received and read_answer(received).whole:
                    answer = read_answer(received)
                    received = answer.rest
                    ids.append(answer.json()["id"])
            return ids

    async with on_loopback(gateway) as port:
        ids = await deferToThread(ask, port)
    assert ids == [f"chatcmpl-{each}" for each in range(20)]


async def test_a_connection_too_many_is_told_so_at_once() -> None:
    gateway = Gateway(Config(edge=Edge(max_connections=1)))

    def two(port: int) -> bytes:
        with connect(port, tls=False), connect(port, tls=False) as second:
            return second.recv(65536)

    async with on_loopback(gateway) as port:
        told = await deferToThread(two, port)
    assert told.startswith(b"HTTP/1.1 503 ")
