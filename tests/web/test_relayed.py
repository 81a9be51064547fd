"""Endpoints that are only passed on, through the whole gateway in memory."""

import json
from typing import Any

import pytest
from support.form import TYPE, field, file, form
from support.gateway import DONE, LIMITED_KEY, Client, Gateway, model, offering
from support.openai_schema import embeddings_errors

from lightweight.errors import ProviderCut
from lightweight.records import Target, Usage

SOUND = form(field("model", "renamed"), file("file", b"RIFF" * 5000))
VECTORS = {
    "object": "list",
    "model": "renamed-there",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}],
    "usage": {"prompt_tokens": 3, "total_tokens": 3},
}


def posted(gateway: Gateway, path: str, **fields: Any) -> Client:
    client = gateway.connect()
    key = fields.pop("key", "lw-known")
    body = json.dumps({"model": "renamed", **fields}).encode()
    client.ask("POST", path, body, {"Content-Type": "application/json"}, key)
    return client


def sent(gateway: Gateway, path: str, body: bytes = SOUND) -> Client:
    client = gateway.connect()
    client.ask("POST", path, body, {"Content-Type": TYPE})
    return client


def text_chunk(text: str = "Hi", finish: str | None = None, **more: Any) -> bytes:
    body = {
        "id": "cmpl-1",
        "object": "text_completion",
        "created": 1_700_000_000,
        "model": "renamed-there",
        "choices": [
            {"text": text, "index": 0, "logprobs": None, "finish_reason": finish}
        ],
        **more,
    }
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def test_embeddings_are_metered() -> None:
    gateway = Gateway()
    client = posted(gateway, "/v1/embeddings", input="a", encoding_format="base64")
    body = gateway.one.reply()
    told = json.dumps(VECTORS).encode()
    body.push(told[:30], told[30:])
    body.end()
    answer = client.answer()
    assert answer.body == told.replace(b"renamed-there", b"renamed")
    assert embeddings_errors(answer.json()) == []
    asked = gateway.one.asked[0]
    assert asked.path == "/embeddings"
    assert json.loads(asked.body)["encoding_format"] == "base64"
    outcome = gateway.outcome
    assert (outcome.dialect, outcome.ending) == ("openai_embeddings", "finished")
    assert (outcome.usage, outcome.provenance) == (Usage(fresh=3), "reported")
    (use,) = gateway.journal.uses.values()
    assert use.micro_usd == 3


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/v1/moderations", {"input": "a"}),
        ("/v1/rerank", {"query": "a", "documents": ["b"]}),
        ("/v1/images/generations", {"prompt": "a"}),
        ("/v1/completions", {"prompt": "a"}),
    ],
)
def test_what_reports_no_usage_is_estimated(path: str, fields: dict[str, Any]) -> None:
    gateway = Gateway()
    client = posted(gateway, path, **fields)
    body = gateway.one.reply()
    body.push(b'{"results":[]}')
    body.end()
    assert client.answer().body == b'{"results":[]}'
    assert gateway.one.asked[0].path == path.removeprefix("/v1")
    assert gateway.outcome.provenance == "estimated"
    assert gateway.outcome.usage is not None
    assert gateway.outcome.usage.total > 0


def test_a_streamed_completion() -> None:
    gateway = Gateway()
    client = posted(gateway, "/v1/completions", prompt="a", stream=True)
    body = gateway.one.reply()
    body.push(text_chunk())
    own = text_chunk().replace(b"renamed-there", b"renamed")
    assert client.answer().body == own
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    body.push(text_chunk("", "stop"), text_chunk(choices=[], usage=usage), DONE)
    answer = client.answer()
    assert answer.whole
    assert answer.body.endswith(DONE)
    assert b"usage" not in answer.body
    assert gateway.outcome.usage == Usage(fresh=1, answer=2)


def test_a_completion_that_breaks_ends_with_an_error() -> None:
    gateway = Gateway()
    client = posted(gateway, "/v1/completions", prompt="a", stream=True)
    body = gateway.one.reply()
    body.push(text_chunk())
    body.end()
    assert b'"error"' in client.answer().body
    assert gateway.outcome.ending == "cut"


def test_sound_flows_with_the_providers_type() -> None:
    gateway = Gateway()
    client = posted(gateway, "/v1/audio/speech", input="a", voice="x")
    body = gateway.one.reply(headers={"content-type": "audio/mpeg"})
    body.push(b"\xff\xf3")
    assert client.answer().body == b"\xff\xf3"
    body.push(b"\x00\n\n")
    body.end()
    answer = client.answer()
    assert (answer.whole, answer.body) == (True, b"\xff\xf3\x00\n\n")
    assert answer.headers["content-type"] == "audio/mpeg"
    assert gateway.outcome.ending == "finished"


def test_sound_that_breaks_is_cut_and_never_looks_whole() -> None:
    gateway = Gateway()
    client = posted(gateway, "/v1/audio/speech", input="a", voice="x")
    body = gateway.one.reply(headers={"content-type": "audio/mpeg"})
    body.push(b"\xff\xf3")
    body.end(ProviderCut("It broke off."))
    gateway.turn()
    assert client.wire.aborted
    assert not client.answer().whole
    assert gateway.outcome.ending == "cut"


@pytest.mark.parametrize(
    "path", ["/v1/audio/transcriptions", "/v1/audio/translations", "/v1/images/edits"]
)
def test_forms_pass_with_the_model_alone_replaced(path: str) -> None:
    gateway = Gateway()
    client = sent(gateway, path)
    body = gateway.one.reply(headers={"content-type": "application/json"})
    usage = {"type": "tokens", "input_tokens": 9, "output_tokens": 2, "total_tokens": 9}
    told = json.dumps({"text": "Hi", "usage": usage}).encode()
    body.push(told)
    body.end()
    assert client.answer().body == told
    assert client.answer().headers["content-type"] == "application/json"
    asked = gateway.one.asked[0]
    there = b'"model"\r\n\r\nrenamed-there\r\n'
    assert asked.body == SOUND.replace(b'"model"\r\n\r\nrenamed\r\n', there)
    assert asked.headers["content-type"] == TYPE
    assert gateway.outcome.usage == Usage(fresh=9, answer=2)


def test_a_large_file_is_estimated_as_one_file() -> None:
    gateway = Gateway()
    sent(
        gateway,
        "/v1/audio/transcriptions",
        form(field("model", "renamed"), file("file", b"RIFF" * 500_000)),
    )
    (dispatch,) = gateway.journal.started.values()
    assert dispatch.tokens < 10_000


def test_plain_text_is_an_answer_too() -> None:
    gateway = Gateway()
    client = sent(gateway, "/v1/audio/transcriptions")
    body = gateway.one.reply(headers={"content-type": "text/plain; charset=utf-8"})
    body.push(b"Hello.\n")
    body.end()
    assert client.answer().body == b"Hello.\n"
    assert client.answer().headers["content-type"] == "text/plain; charset=utf-8"
    assert gateway.outcome.provenance == "estimated"


def test_models_that_a_key_may_not_use_stay_out_of_reach() -> None:
    gateway = Gateway()
    client = posted(gateway, "/v1/embeddings", input="a", key=LIMITED_KEY)
    assert client.answer().json()["error"]["code"] == "model_access_denied"
    form_client = gateway.connect()
    headers = {"Content-Type": TYPE}
    form_client.ask("POST", "/v1/audio/translations", SOUND, headers, LIMITED_KEY)
    assert form_client.answer().status == 403
    assert gateway.one.asked == []


def test_a_model_of_another_api_is_a_404_that_says_so() -> None:
    gateway = Gateway()
    elsewhere = Target(provider="one", model="x", dialect="ollama")
    object.__setattr__(gateway.runtime, "offering", offering(model("y", elsewhere)))
    client = posted(gateway, "/v1/moderations", input="a", model="y")
    assert client.answer().status == 404
    assert "/v1/moderations" in client.answer().json()["error"]["message"]
    assert gateway.one.asked == []


def test_a_provider_without_the_endpoint_is_a_404_that_says_so() -> None:
    gateway = Gateway()
    client = posted(gateway, "/v1/rerank", query="a")
    gateway.one.reply(404).end()
    assert client.answer().status == 404
    assert (
        "does not serve it at /v1/rerank" in client.answer().json()["error"]["message"]
    )


def test_another_provider_may_have_the_endpoint() -> None:
    gateway = Gateway()
    client = posted(gateway, "/v1/embeddings", input="a", model="org/path.1")
    gateway.one.reply(404).end()
    body = gateway.two.reply()
    body.push(b'{"object":"list","data":[],"model":"renamed-there"}')
    body.end()
    assert (client.answer().status, gateway.outcome.provider) == (200, "two")


@pytest.mark.parametrize(("statuses", "told"), [((500, 404), 502), ((404, 500), 502)])
def test_a_missing_endpoint_hides_no_failure_of_another(
    statuses: tuple[int, int], told: int
) -> None:
    gateway = Gateway()
    client = posted(gateway, "/v1/embeddings", input="a", model="org/path.1")
    gateway.one.reply(statuses[0]).end()
    gateway.two.reply(statuses[1]).end()
    assert client.answer().status == told
    assert len(gateway.outcome.attempts) == 2


def test_a_get_is_told_what_to_send() -> None:
    client = Gateway().connect()
    client.ask("GET", "/v1/embeddings")
    assert (client.answer().status, client.answer().headers["allow"]) == (405, "POST")
