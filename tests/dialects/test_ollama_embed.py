"""Ollama's embeddings, from its own servers and from OpenAI's API."""

import json
from typing import Any

import pytest
from support.chat import target as openai_target
from support.ollama import request, target

from lightweight.dialects.crossing import passage, write_request
from lightweight.dialects.ollama_embed import OllamaEmbed
from lightweight.errors import (
    BadRequest,
    ModelNotFound,
    ProviderCut,
    ProviderFault,
    ProviderGarbage,
)
from lightweight.prompts import Prompt
from lightweight.records import Call, Target, Usage
from lightweight.runtime import DIALECTS

EMBED = OllamaEmbed()
OPENAI = {
    "object": "list",
    "model": "up",
    "data": [
        {"object": "embedding", "index": 1, "embedding": [0.25]},
        {"object": "embedding", "index": 0, "embedding": [1.50, -2]},
    ],
    "usage": {"prompt_tokens": 3, "total_tokens": 3},
}


def call(**fields: Any) -> Call:
    asked = {"input": ["a", "b"], **fields}
    return EMBED.parse_request(request("/api/embed", **asked))


def answered(body: bytes, to: Target) -> tuple[bytes, Usage | None]:
    way = passage(DIALECTS, call(), to)
    assert way.feed(body) == b""
    return way.finish(), way.usage


def test_what_is_known_of_a_call() -> None:
    made = call(stream=True)
    assert (made.dialect, made.stream, made.most_tokens) == ("ollama_embed", False, 0)


@pytest.mark.parametrize("given", [None, 1, {}])
def test_an_input_is_needed(given: object) -> None:
    with pytest.raises(BadRequest) as caught:
        call(input=given)
    assert caught.value.param == "input"


def test_openais_providers_are_asked_in_their_words() -> None:
    made = call(truncate=True, options={"num_ctx": 1}, dimensions=2)
    out = write_request(DIALECTS, made, openai_target("up"))
    assert out.path == "/embeddings"
    assert json.loads(out.body) == {
        "model": "up",
        "input": ["a", "b"],
        "encoding_format": "float",
        "dimensions": 2,
    }
    body, usage = answered(json.dumps(OPENAI).encode(), openai_target("up"))
    assert json.loads(body) == {
        "model": "m",
        "embeddings": [[1.5, -2], [0.25]],
        "prompt_eval_count": 3,
    }
    assert usage == Usage(fresh=3)


def test_an_ollama_server_is_asked_as_it_is() -> None:
    out = write_request(DIALECTS, call(truncate=False), target("up"))
    assert out.path == "/api/embed"
    assert json.loads(out.body)["truncate"] is False
    told = b'{"model":"up","embeddings":[[1.50]],"prompt_eval_count":2}'
    assert answered(told, target("up")) == (told.replace(b"up", b"m"), Usage(fresh=2))
    bare = b'{"embeddings":[[1]]}'
    assert answered(bare, target("up")) == (bare, None)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"data":[]}', b'{"data":[1]}', b'{"model":"\xff"}']
)
def test_answers_without_vectors_are_garbage(body: bytes) -> None:
    for to in (target(), openai_target()):
        with pytest.raises(ProviderGarbage):
            answered(body, to)


def test_an_error_with_status_200_is_a_fault() -> None:
    with pytest.raises(ProviderFault):
        answered(b'{"error":"no"}', target())


def test_nothing_else_makes_vectors() -> None:
    chat = Target(provider="p", model="up", dialect="openai_completions")
    with pytest.raises(ModelNotFound):
        write_request(DIALECTS, call(), chat)
    with pytest.raises(ModelNotFound):
        EMBED.write_prompt(Prompt(turns=()), call(), chat)
    with pytest.raises(AssertionError):
        EMBED.reader(call())


def test_errors_have_ollamas_shape() -> None:
    fault = EMBED.read_error(500, {}, b"")
    assert set(json.loads(EMBED.render_error(fault).body)) == {"error"}
    assert EMBED.writer(call()).broken(ProviderCut("cut")) == b""
    with pytest.raises(AssertionError):
        passage(DIALECTS, call(), target()).broken(ProviderCut("cut"))
