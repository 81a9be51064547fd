"""What is refused when the head is whole and the body is not."""

import re

import pytest
from support.gateway import KEY, STORED_KEY, Gateway

from lightweight.web.edge import DISCARD_SECONDS

CHAT = "/v1/chat/completions"
BUSY = "The server has more work than it can do."


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer lw-unknown"},
        {"Authorization": "Basic bHc6bHc="},
        {"Authorization": "Bearer " + KEY, "x-api-key": "lw-other"},
    ],
)
@pytest.mark.parametrize(
    "framing", [{"Content-Length": "20000000"}, {"Transfer-Encoding": "chunked"}]
)
@pytest.mark.parametrize("path", [CHAT, "/api/chat"])
def test_a_stranger_is_refused_before_the_body(
    headers: dict[str, str], framing: dict[str, str], path: str
) -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.ask(
        "POST",
        path,
        headers={**headers, **framing, "Expect": "100-continue"},
        key=None,
    )
    answer = client.answer()
    assert answer.status == 401
    assert "Incorrect API key" in str(answer.json()["error"])
    assert answer.headers["connection"] == "close"
    assert answer.rest == b""
    assert gateway.visit.status == 401


@pytest.mark.parametrize("key", [KEY, STORED_KEY])
def test_who_may_have_a_key_is_asked_for_the_body(key: str) -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.ask(
        "POST",
        CHAT,
        headers={"Content-Length": "2", "Expect": "100-continue"},
        key=key,
    )
    assert client.received == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.wire.clear()
    client.send(b"{}")
    assert client.answer().status == 400, "only the body is wrong"


def test_no_stranger_can_tell_when_it_was_refused() -> None:
    """A key of the wrong form, before the body, and one the store lacks, after it."""
    answers = set()
    for key in ("lw-unknown", STORED_KEY):
        gateway = Gateway()
        gateway.keys.stored[STORED_KEY] = None
        client = gateway.connect()
        client.ask("POST", CHAT, b"{}", key=key)
        answers.add(re.sub(rb"Date: [^\r]+", b"", client.received))
        gateway.clock.advance(DISCARD_SECONDS)
        gateway.turn()
        assert client.wire.closed
    assert len(answers) == 1
    assert answers.pop().startswith(b"HTTP/1.1 401 ")


def test_what_needs_no_key_needs_none_for_its_body() -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.ask("POST", "/healthz", b"{}", key=None)
    assert client.answer().status == 405


def test_overload_refuses_new_calls_and_nothing_else() -> None:
    gateway = Gateway()
    gateway.overloaded = BUSY
    client = gateway.connect()
    client.ask("POST", CHAT, headers={"Content-Length": "2"})
    answer = client.answer()
    assert answer.status == 503
    assert answer.json()["error"] == {
        "message": BUSY,
        "type": "server_error",
        "param": None,
        "code": "overloaded",
    }
    assert answer.headers["retry-after"] == "1"
    for path in ("/healthz", "/readyz", "/v1/models", "/docs"):
        client = gateway.connect()
        client.ask("GET", path)
        assert client.answer().status == 200


def test_a_call_in_flight_outlives_the_overload() -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.chat(stream=True)
    gateway.overloaded = BUSY
    body = gateway.one.reply()
    body.push(b"data: [DONE]\n\n")
    body.end()
    assert client.answer().status != 503


def test_a_stranger_learns_nothing_of_the_overload() -> None:
    gateway = Gateway()
    gateway.overloaded = BUSY
    client = gateway.connect()
    client.ask("POST", CHAT, b"{}", key=None)
    assert client.answer().status == 401
