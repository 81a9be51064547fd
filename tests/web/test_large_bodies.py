"""A large body is judged aside, and nothing else of its call is."""

import json
from collections.abc import Callable

from twisted.internet.defer import CancelledError, Deferred

import pytest
from support.gateway import KEY, Client, Gateway, completion

from lightweight.records import Call
from lightweight.web.serve import LARGE_BODY


class Bench:
    """A place aside where work waits until a test does it."""

    def __init__(self) -> None:
        self.work: list[tuple[Callable[[], Call], Deferred[Call]]] = []
        self.cancelled = 0

    async def __call__(self, work: Callable[[], Call]) -> Call:
        done: Deferred[Call] = Deferred()
        self.work.append((work, done))
        try:
            return await done
        except CancelledError:
            self.cancelled += 1
            raise

    def do(self) -> None:
        """Do what waits, as a thread would, and tell of it."""
        (work, done) = self.work.pop()
        try:
            call = work()
        except Exception:  # noqa: BLE001 -- whatever it is, it is told
            done.errback()
        else:
            done.callback(call)


def asked(size: int, messages: object = None) -> tuple[Gateway, Client, Bench]:
    gateway = Gateway()
    bench = Bench()
    gateway.aside = bench
    client = gateway.connect()
    said = messages or [{"role": "user", "content": "a"}]
    body = json.dumps({"model": "renamed", "messages": said}).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {KEY}\r\nContent-Length: {size}\r\n\r\n"
    )
    client.send(head.encode() + body + b" " * (size - len(body)))
    return gateway, client, bench


def answered(gateway: Gateway) -> None:
    body = gateway.one.reply()
    body.push(completion())
    body.end()


def test_a_small_body_is_judged_at_once() -> None:
    gateway, client, bench = asked(LARGE_BODY - 1)
    assert bench.work == []
    answered(gateway)
    assert client.answer().status == 200


def test_a_large_body_is_judged_aside() -> None:
    gateway, client, bench = asked(LARGE_BODY)
    assert gateway.one.asked == []
    bench.do()
    answered(gateway)
    assert client.answer().status == 200
    assert gateway.outcome.ending == "finished"


def test_what_is_wrong_with_it_is_told() -> None:
    gateway, client, bench = asked(LARGE_BODY, "none")
    bench.do()
    assert client.answer().status == 400
    assert client.answer().json()["error"]["param"] == "messages"
    assert gateway.visit.outcome is None


@pytest.mark.parametrize("later", [False, True])
def test_a_client_that_leaves_meanwhile_asks_nobody(*, later: bool) -> None:
    gateway, client, bench = asked(LARGE_BODY)
    client.leave()
    assert bench.cancelled == 1
    if later:
        bench.do()
    assert gateway.one.asked == []
    assert (gateway.visit.status, gateway.visit.outcome) == (499, None)
