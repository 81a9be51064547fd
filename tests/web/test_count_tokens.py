import json

import pytest
from support.anthropic_schema import count_errors
from support.claude import ask, claude_gateway, error_of
from support.gateway import LIMITED_KEY

from lightweight.errors import Overloaded

PATH = "/v1/messages/count_tokens"
MARK = "x-lightweight-tokens"


def test_the_provider_counts_where_it_can() -> None:
    gateway = claude_gateway()
    client = ask(gateway, PATH, headers={"anthropic-beta": "b"})
    (sent,) = gateway.one.asked
    assert sent.path == "/messages/count_tokens"
    assert sent.headers["anthropic-beta"] == "b"
    assert json.loads(sent.body)["model"] == "claude-there"
    body = gateway.one.reply()
    body.push(b'{"input_', b'tokens": 17}')
    body.end()
    answer = client.answer()
    assert (answer.status, answer.json()) == (200, {"input_tokens": 17})
    assert MARK not in answer.headers
    assert answer.headers["request-id"] == answer.headers["x-request-id"]
    assert gateway.visit.outcome is None


def test_elsewhere_it_is_a_guess_and_says_so() -> None:
    gateway = claude_gateway()
    text = "a" * 4000
    client = ask(
        gateway, PATH, model="gpt", messages=[{"role": "user", "content": text}]
    )
    answer = client.answer()
    assert answer.headers[MARK] == "estimated"
    assert 1000 <= answer.json()["input_tokens"] <= 1100
    assert count_errors(answer.json()) == []
    assert not gateway.two.asked


@pytest.mark.parametrize(
    ("status", "said"), [(404, b"{}"), (200, b"<html>"), (500, b"")]
)
def test_a_provider_that_cannot_count_leaves_a_guess(status: int, said: bytes) -> None:
    gateway = claude_gateway()
    client = ask(gateway, PATH)
    body = gateway.one.reply(status)
    body.push(said)
    body.end()
    assert client.answer().status == 200
    assert client.answer().headers[MARK] == "estimated"


def test_a_limit_of_counts_does_not_rest_the_model() -> None:
    gateway = claude_gateway()
    ask(gateway, PATH)
    gateway.one.reply(429, {"retry-after": "60"}).end()
    ask(gateway)
    assert len(gateway.one.asked) == 2


def test_a_model_that_rests_is_not_asked_to_count() -> None:
    gateway = claude_gateway()
    ask(gateway)
    gateway.one.reply(429, {"retry-after": "60"}).end()
    assert ask(gateway, PATH).answer().headers[MARK] == "estimated"
    assert len(gateway.one.asked) == 1


def test_a_daemon_that_stops_waits_for_no_count() -> None:
    gateway = claude_gateway()
    client = ask(gateway, PATH)
    assert gateway.live.count == 1
    gateway.live.end_all(Overloaded("Stopping."))
    assert gateway.one.cancelled == 1
    assert client.answer().headers[MARK] == "estimated"
    assert gateway.live.count == 0


def test_the_clients_own_fault_is_told() -> None:
    gateway = claude_gateway()
    client = ask(gateway, PATH)
    body = gateway.one.reply(400)
    error = {"type": "invalid_request_error", "message": "messages: bad"}
    body.push(json.dumps({"type": "error", "error": error}).encode())
    body.end()
    assert error_of(client.answer()) == (400, "invalid_request_error")
    assert client.answer().json()["error"]["message"] == "messages: bad"


def test_refusals_before_anyone_is_asked() -> None:
    for answer, told in (
        (ask(claude_gateway(), PATH, model="x").answer(), (404, "not_found_error")),
        (
            ask(claude_gateway(), PATH, messages=[]).answer(),
            (400, "invalid_request_error"),
        ),
        (
            ask(claude_gateway(), PATH, key=LIMITED_KEY).answer(),
            (403, "permission_error"),
        ),
        (
            ask(claude_gateway(), PATH, headers={"x-lightweight-hop": "a"}).answer(),
            (400, "invalid_request_error"),
        ),
    ):
        assert error_of(answer) == told


def test_a_client_that_leaves_stops_the_count() -> None:
    gateway = claude_gateway()
    client = ask(gateway, PATH)
    client.leave()
    assert gateway.one.cancelled == 1
    assert client.received == b""
