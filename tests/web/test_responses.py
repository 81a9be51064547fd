"""Responses through the whole gateway: over a provider of its own dialect, and others.

And chat over a model that speaks only Responses.
"""

import dataclasses
import json
from typing import Any

import pytest
from support import chat
from support.gateway import Client, Gateway, chunk, completion, model, offering
from support.responses import (
    added,
    completed,
    created,
    delta,
    done,
    event,
    message,
    response,
    text,
    told,
)

from lightweight.errors import ProviderUnreachable
from lightweight.records import Target

HI = message(text("Hi"))
STREAM = created() + added(message()) + delta("Hi") + done(HI) + completed(HI)
CHAT = Target(provider="one", model="gpt-there", dialect="openai_chat")
CODEX = Target(provider="one", model="codex-there", dialect="openai_responses")
BOTH = Target(provider="one", model="gpt-there", dialect="openai_responses")


@pytest.fixture
def gateway() -> Gateway:
    made = Gateway()
    offered = offering(
        model("codex", CODEX), model("chatty", CHAT), model("both", CHAT, BOTH)
    )
    made.runtime = dataclasses.replace(made.runtime, offering=offered)
    return made


def ask(gateway: Gateway, path: str = "/v1/responses", **fields: Any) -> Client:
    client = gateway.connect()
    body = {"model": "codex", "input": "Hi", **fields}
    client.ask("POST", path, json.dumps(body).encode())
    return client


def answer(gateway: Gateway, *pieces: bytes) -> None:
    body = gateway.one.reply()
    body.push(*pieces)
    body.end()


def test_the_providers_bytes_are_the_clients(gateway: Gateway) -> None:
    client = ask(gateway, stream=True)
    answer(gateway, STREAM)
    got = client.answer()
    assert got.headers["content-type"] == "text/event-stream"
    assert got.body == STREAM.replace(b'"model": "up"', b'"model": "codex"')
    (sent,) = gateway.one.asked
    assert sent.path == "/responses"
    assert json.loads(sent.body)["store"] is False
    usage = gateway.outcome.usage
    assert usage is not None
    assert usage.total == 20
    assert gateway.outcome.ending == "finished"


def test_a_whole_response(gateway: Gateway) -> None:
    client = ask(gateway)
    answer(gateway, json.dumps(response("completed", HI)).encode())
    assert client.answer().json()["model"] == "codex"


@pytest.mark.parametrize("stream", [True, False])
def test_over_a_provider_that_chats(gateway: Gateway, *, stream: bool) -> None:
    client = ask(gateway, model="chatty", stream=stream)
    if stream:
        answer(gateway, chunk("Hi"), chunk(None, "stop"), chat.DONE)
        final = told(client.answer().body)[-1]
        assert final["type"] == "response.completed"
        final = final["response"]
    else:
        answer(gateway, completion())
        final = client.answer().json()
    assert (final["status"], final["model"]) == ("completed", "chatty")
    assert final["output"][0]["content"][0]["text"] == "Hi"
    assert gateway.one.asked[0].path == "/chat/completions"


@pytest.mark.parametrize("stream", [True, False])
def test_chat_over_a_model_that_speaks_only_responses(
    gateway: Gateway, *, stream: bool
) -> None:
    client = gateway.connect()
    client.chat(model="codex", stream=stream)
    if stream:
        answer(gateway, STREAM)
        chunks = chat.payloads(client.answer().body)
        assert chunks[1]["choices"][0]["delta"] == {"content": "Hi"}
        assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
    else:
        answer(gateway, json.dumps(response("completed", HI)).encode())
        got = client.answer().json()
        assert got["choices"][0]["message"]["content"] == "Hi"
        assert got["model"] == "codex"
    assert gateway.one.asked[0].path == "/responses"


@pytest.mark.parametrize("model_", ["codex", "chatty"])
def test_a_responses_body_on_chats_path(gateway: Gateway, model_: str) -> None:
    client = ask(gateway, "/v1/chat/completions", model=model_, stream=True)
    spoken = (chunk("Hi"), chunk(None, "stop"), chat.DONE)
    answer(gateway, *((STREAM,) if model_ == "codex" else spoken))
    body = client.answer().body
    assert body.endswith(chat.DONE)
    assert chat.payloads(body)[1]["choices"][0]["delta"] == {"content": "Hi"}


def test_who_serves_both_is_asked_in_the_clients_dialect(gateway: Gateway) -> None:
    ask(gateway, model="both").leave()
    client = gateway.connect()
    client.chat(model="both")
    client.leave()
    paths = [sent.path for sent in gateway.one.asked]
    assert paths == ["/responses", "/chat/completions"]


def test_a_stream_that_breaks_is_told_so(gateway: Gateway) -> None:
    client = ask(gateway, stream=True)
    answer(gateway, created() + delta("Hi"))
    *_, error, failed = told(client.answer().body)
    assert (error["type"], failed["type"]) == ("error", "response.failed")
    assert gateway.outcome.ending == "cut"


def test_a_provider_that_fails_before_it_says_anything(gateway: Gateway) -> None:
    failed = response("failed", error={"code": "server_error", "message": "sda1"})
    client = ask(gateway, stream=True)
    answer(gateway, created() + event("response.failed", response=failed))
    assert client.answer().status == 502
    assert b"sda1" not in client.received


def test_what_another_api_has_no_word_for_is_left_out_and_told(
    gateway: Gateway,
) -> None:
    items: list[Any] = [
        {"type": "message", "role": "user", "content": "Hi"},
        {"type": "web_search_call", "id": "ws_1"},
        {"type": "odd\x00 one" + "x" * 99},
        {"type": "web_search_call", "id": "ws_2"},
    ]
    tools = [{"type": "web_search"}, {"type": "function", "name": "f"}]
    client = ask(gateway, model="chatty", input=items, tools=tools)
    answer(gateway, completion())
    assert client.answer().status == 200
    (attempt,) = gateway.outcome.attempts
    first, odd, last = attempt.left_out
    assert (first, last) == ("web_search_call", "web_search")
    assert odd.startswith("odd??one")
    assert len(odd) == 64


def test_nothing_is_left_out_where_nothing_is_translated(gateway: Gateway) -> None:
    ask(gateway, input=[{"type": "web_search_call", "id": "ws_1"}])
    answer(gateway, json.dumps(response("completed", HI)).encode())
    assert gateway.outcome.attempts[0].left_out == ()


def test_errors_have_the_envelope(gateway: Gateway) -> None:
    client = ask(gateway)
    gateway.one.fail(ProviderUnreachable("No connection."))
    assert client.answer().json()["error"]["code"] == "upstream_error"
    refused = ask(gateway, previous_response_id="resp_1").answer()
    assert (refused.status, refused.json()["error"]["param"]) == (
        400,
        "previous_response_id",
    )
    refused = ask(gateway, model="chatty", tools=[{"type": "mcp"}]).answer()
    assert (refused.status, refused.json()["error"]["param"]) == (400, "tools[0].type")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "resp_1"),
        ("DELETE", "resp_1"),
        ("POST", "resp_1/cancel"),
        ("GET", "resp_1/input_items"),
        ("POST", "compact"),
    ],
)
def test_no_response_is_kept(gateway: Gateway, method: str, path: str) -> None:
    client = gateway.connect()
    client.ask(method, f"/v1/responses/{path}")
    got = client.answer()
    assert got.status == 404
    assert "keeps no responses" in got.json()["error"]["message"]


def test_input_tokens_are_estimated(gateway: Gateway) -> None:
    got = ask(gateway, "/v1/responses/input_tokens", input="x" * 400).answer().json()
    assert got["object"] == "response.input_tokens"
    assert 100 <= got["input_tokens"] <= 130
    assert got["estimated"] is True
    assert gateway.one.asked == []


def test_nothing_is_served_without_a_key(gateway: Gateway) -> None:
    for path in ("/v1/responses", "/v1/responses/resp_1"):
        client = gateway.connect()
        client.ask("POST", path, b"{}", key=None)
        assert client.answer().status == 401
