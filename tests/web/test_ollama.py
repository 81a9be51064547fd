"""Ollama's clients before the whole gateway, in memory."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace
from support.answered import Answered
from support.gateway import (
    DONE,
    LIMITED_KEY,
    Client,
    Gateway,
    chunk,
    completion,
    model,
    offering,
    usage_chunk,
)
from support.ollama import last, line, lines

from lightweight.records import Target, Usage
from lightweight.web.keepalive import SECONDS
from lightweight.web.ollama import VERSION

HI = [{"role": "user", "content": "Hi"}]
NATIVE = Target(provider="two", model="there", dialect="ollama")


def posted(gateway: Gateway, path: str, **fields: Any) -> Client:
    key = fields.pop("key", "lw-known")
    client = gateway.connect()
    body = json.dumps({"model": "renamed", **fields}).encode()
    client.ask("POST", path, body, {"Content-Type": "application/json"}, key)
    return client


def got(path: str, headers: Mapping[str, str] | None = None, **more: Any) -> Answered:
    client = Gateway().connect()
    client.ask("GET", path, headers=headers, **more)
    return client.answer()


def with_native() -> Gateway:
    gateway = Gateway()
    models = gateway.runtime.offering.models.values()
    local = model("local:latest", NATIVE, capabilities=frozenset({"chat", "tools"}))
    offered = offering(*models, local)
    object.__setattr__(gateway.runtime, "offering", offered)
    return gateway


# -- chats and completions ---------------------------------------------------------


def test_a_streamed_chat_over_openais_api() -> None:
    gateway = Gateway()
    client = posted(gateway, "/api/chat", messages=HI)
    body = gateway.one.reply()
    body.push(chunk("Hi"))
    assert [each["message"]["content"] for each in lines(client.answer().body)] == [
        "Hi"
    ]
    body.push(chunk(None, "stop"), usage_chunk(), DONE)
    body.end()
    answer = client.answer()
    assert answer.whole
    assert answer.headers["content-type"] == "application/x-ndjson"
    end = lines(answer.body)[-1]
    assert (end["model"], end["done"], end["eval_count"]) == ("renamed", True, 2)
    assert gateway.one.asked[0].path == "/chat/completions"
    assert gateway.outcome.dialect == "ollama"
    assert gateway.outcome.usage == Usage(fresh=7, answer=2)


def test_a_whole_completion_over_openais_api() -> None:
    gateway = Gateway()
    client = posted(gateway, "/api/generate", prompt="Hi", stream=False)
    body = gateway.one.reply()
    body.push(completion())
    body.end()
    answer = client.answer()
    assert answer.headers["content-type"] == "application/json"
    assert (answer.json()["response"], answer.json()["done"]) == ("Hi", True)
    assert gateway.outcome.dialect == "ollama_generate"


def test_an_ollama_server_answers_line_by_line() -> None:
    gateway = with_native()
    client = posted(gateway, "/api/chat", model="local", messages=HI)
    body = gateway.two.reply()
    body.push(line("Hi", model="there"))
    assert client.answer().body == line("Hi", model="local")
    assert not client.answer().whole
    body.push(last(model="there"))
    assert client.answer().body == line("Hi", model="local") + last(model="local")
    assert client.answer().whole
    asked = gateway.two.asked[0]
    assert (asked.path, json.loads(asked.body)["model"]) == ("/api/chat", "there")


def test_a_chat_client_is_served_by_an_ollama_server() -> None:
    gateway = with_native()
    client = gateway.connect()
    client.chat(model="local:latest", stream=True)
    body = gateway.two.reply()
    body.push(line("Hi"), last())
    assert b'"content":"Hi"' in client.answer().body
    assert client.answer().body.endswith(DONE)
    assert gateway.two.asked[0].path == "/api/chat"


def test_a_name_may_have_its_tag_or_not() -> None:
    gateway = with_native()
    for name in ("local", "local:latest", "LOCAL:latest"):
        assert gateway.runtime.offering.find(name).id == "local:latest"
    assert gateway.runtime.offering.find("renamed:latest").id == "renamed"


def test_silence_is_not_broken_by_comments() -> None:
    gateway = Gateway()
    client = posted(gateway, "/api/chat", messages=HI)
    gateway.one.reply()
    gateway.clock.advance(SECONDS * 2)
    assert client.received == b""


def test_a_stream_that_breaks_ends_with_an_error_line() -> None:
    gateway = Gateway()
    client = posted(gateway, "/api/chat", messages=HI)
    body = gateway.one.reply()
    body.push(chunk("Hi"))
    body.end()
    said = lines(client.answer().body)
    assert set(said[-1]) == {"error"}
    assert not any(each.get("done") for each in said)
    assert gateway.outcome.ending == "cut"


def test_what_is_wrong_is_said_in_one_text() -> None:
    gateway = Gateway()
    client = posted(gateway, "/api/chat", messages=[{"role": "x"}])
    assert client.answer().status == 400
    assert "messages[0].role" in client.answer().json()["error"]
    unfit = posted(gateway, "/api/generate", prompt="a", suffix="b")
    assert unfit.answer().status == 400
    assert "suffix" in unfit.answer().json()["error"]
    assert gateway.one.asked == []


# -- embeddings --------------------------------------------------------------------


def test_embeddings_over_openais_api() -> None:
    gateway = Gateway()
    client = posted(gateway, "/api/embed", input="a")
    body = gateway.one.reply()
    vectors = {"data": [{"index": 0, "embedding": [0.5]}], "usage": {"total_tokens": 1}}
    body.push(json.dumps(vectors).encode())
    body.end()
    assert client.answer().json()["embeddings"] == [[0.5]]
    assert gateway.one.asked[0].path == "/embeddings"
    assert gateway.outcome.usage == Usage(fresh=1)


# -- models ------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/api/chat", "/api/generate"])
def test_a_request_for_nothing_is_answered_here(path: str) -> None:
    gateway = Gateway()
    answer = posted(gateway, path, keep_alive="5m").answer()
    assert (answer.json()["done_reason"], answer.json()["done"]) == ("load", True)
    assert gateway.one.asked == []
    assert gateway.journal.started == {}
    denied = posted(gateway, path, key=LIMITED_KEY).answer()
    assert denied.status == 403
    assert posted(gateway, path, model="none").answer().status == 404


def test_tags_are_the_models_the_key_may_use() -> None:
    listed = got("/api/tags").json()["models"]
    assert [each["name"] for each in listed] == ["org/path.1", "renamed", "same"]
    assert listed[0]["modified_at"] == "2023-11-14T22:13:20Z"
    assert len({each["digest"] for each in listed}) == 3
    few = got("/api/tags", key=LIMITED_KEY).json()["models"]
    assert [each["model"] for each in few] == ["same"]


def test_a_model_is_shown() -> None:
    gateway = with_native()
    shown = posted(gateway, "/api/show", model="local").answer().json()
    assert shown["capabilities"] == ["completion", "tools"]
    assert shown["model_info"]["unknown.context_length"] == 128_000
    client = gateway.connect()
    client.ask("POST", "/api/show", b'{"name":"renamed"}')
    assert client.answer().json()["capabilities"] == ["completion"]
    assert posted(gateway, "/api/show", model="none").answer().status == 404
    denied = posted(gateway, "/api/show", key=LIMITED_KEY).answer()
    assert (denied.status, set(denied.json())) == (403, {"error"})


def test_small_talk() -> None:
    assert got("/api/version", key=None).json() == {"version": VERSION}
    assert got("/api/ps").json() == {"models": []}
    assert got("/api/ps", key=None).status == 401


def test_the_root_knows_ollamas_clients() -> None:
    answer = got("/", {"User-Agent": "ollama-python/0.6.3"}, key=None)
    assert (answer.status, answer.body) == (200, b"Ollama is running")
    browser = got("/", {"User-Agent": "Mozilla/5.0", "Accept": "text/html"}, key=None)
    assert (browser.status, browser.headers["location"]) == (302, "/docs")


def test_models_made_long_ago_have_a_date() -> None:
    gateway = with_native()
    old = replace(gateway.runtime.offering.models["same"], created=0)
    object.__setattr__(gateway.runtime, "offering", offering(old))
    client = gateway.connect()
    client.ask("GET", "/api/tags")
    (told,) = client.answer().json()["models"]
    assert told["modified_at"] == "1970-01-01T00:00:00Z"
