"""Whose words a client hears, whatever goes wrong and however early."""

import json

import pytest
from support.anthropic_schema import error_errors
from support.claude import ask, claude_gateway, error_of
from support.gateway import KEY, Gateway

from lightweight.errors import BadRequest, NotFound
from lightweight.web.shapes import error_answer, id_headers


@pytest.mark.parametrize(
    ("path", "ours"),
    [
        ("/v1/messages", True),
        ("/v1/messages/count_tokens", True),
        ("/v1/messages/x", True),
        ("/v1/messagesx", False),
        ("/v1/chat/completions", False),
        ("", False),
    ],
)
def test_the_path_decides(path: str, *, ours: bool) -> None:
    told = json.loads(error_answer(BadRequest("No."), path, "req_7").body)
    assert (told.get("type") == "error") is ours
    assert (told.get("request_id") == "req_7") is ours
    assert ("request-id" in id_headers(path, "req_7")) is ours
    assert id_headers(path, "req_7")["x-request-id"] == "req_7"


def test_a_message_cannot_pass_for_the_id() -> None:
    fault = BadRequest('"request_id":null')
    told = json.loads(error_answer(fault, "/v1/messages", "r").body)
    assert told["request_id"] == "r"
    assert told["error"]["message"] == '"request_id":null'


def test_a_wrong_key_is_told_before_the_body_and_after_it() -> None:
    early = claude_gateway().connect()
    early.ask("POST", "/v1/messages", None, {"Content-Length": "999"}, "lw-wrong")
    assert error_of(early.answer()) == (401, "authentication_error")
    late = claude_gateway().connect()
    late.ask("POST", "/v1/messages", key="lw-wrong")
    assert error_of(late.answer()) == (401, "authentication_error")
    assert early.answer().body == late.answer().body


def test_overload_is_told_before_the_body() -> None:
    gateway = claude_gateway()
    gateway.overloaded = "Too much."
    answer = ask(gateway).answer()
    assert error_of(answer) == (503, "overloaded_error")
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize(
    ("method", "path", "told"),
    [
        ("GET", "/v1/messages", (405, "invalid_request_error")),
        ("POST", "/v1/messages/batches", (404, "not_found_error")),
        ("POST", "/v1/messages", (400, "invalid_request_error")),
    ],
)
def test_what_no_route_takes(method: str, path: str, told: tuple[int, str]) -> None:
    client = claude_gateway().connect()
    client.ask(method, path)
    assert error_of(client.answer()) == told
    assert error_errors(client.answer().json()) == []


def test_a_body_that_is_too_large() -> None:
    gateway = claude_gateway()
    client = gateway.connect()
    client.ask("POST", "/v1/messages", None, {"Content-Length": "9" * 12})
    assert client.answer().status == 413
    assert client.answer().json()["error"]["type"] == "request_too_large"


def test_a_head_that_is_malformed_is_told_in_openais_words() -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.send(b"no request\r\n\r\n")
    assert "type" not in client.answer().json()


def test_both_kinds_of_keys_are_taken() -> None:
    for headers in ({"x-api-key": KEY}, {"Authorization": f"Bearer {KEY}"}):
        gateway = claude_gateway()
        ask(gateway, key=None, headers=headers)
        assert len(gateway.one.asked) == 1


@pytest.mark.parametrize(
    ("path", "ollama"),
    [
        ("/api", True),
        ("/api/chat", True),
        ("/apis", False),
        ("/v1/chat/completions", False),
        ("/", False),
    ],
)
def test_the_path_says_who_asks(path: str, ollama: bool) -> None:  # noqa: FBT001 -- a column of the table
    answer = error_answer(NotFound("No."), path, "r")
    assert answer.status == 404
    assert isinstance(json.loads(answer.body)["error"], str) is ollama


@pytest.mark.parametrize(
    ("method", "path", "key", "status"),
    [
        ("POST", "/api/chat", None, 401),
        ("POST", "/api/pull", "lw-known", 404),
        ("GET", "/api/chat", "lw-known", 405),
        ("GET", "/api/tags", None, 401),
    ],
)
def test_every_error_below_api_is_one_text(
    method: str, path: str, key: str | None, status: int
) -> None:
    client = Gateway().connect()
    client.ask(method, path, b"{}" if method == "POST" else None, key=key)
    answer = client.answer()
    assert answer.status == status
    assert isinstance(answer.json()["error"], str)
