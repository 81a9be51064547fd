"""What of Ollama's requests is judged, and what a provider gets of them."""

import json
from typing import Any

import pytest
from msgspec.structs import replace
from support.ollama import CHAT, GENERATE, call, generate_call, request, target

from lightweight.dialects.ollama_request import loaded_model
from lightweight.dialects.seals import Carried, with_carried
from lightweight.errors import BadRequest
from lightweight.prompts import Reasoning


def test_a_stream_is_what_is_not_said() -> None:
    assert call().stream
    assert call(stream=None).stream
    assert call(stream=True).stream
    assert not call(stream=False).stream
    assert generate_call().stream


def test_what_is_known_of_a_call() -> None:
    made = call(options={"num_predict": 12})
    assert (made.dialect, made.model, made.most_tokens) == ("ollama", "m", 12)
    assert call(options={"num_predict": -1}).most_tokens is None
    assert call(options={"num_predict": "x"}).most_tokens is None
    assert generate_call().dialect == "ollama_generate"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": 1}, "model"),
        ({"model": ""}, "model"),
        ({"stream": "yes"}, "stream"),
        ({"messages": "hi"}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": None}, "messages"),
        ({"messages": [{"content": "hi"}]}, "messages[0]"),
        ({"messages": [{"role": "user"}, {"role": "dev"}]}, "messages[1].role"),
    ],
)
def test_what_is_refused(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        call(**fields)
    assert caught.value.param == param


def test_a_provider_of_this_dialect_gets_the_clients_bytes() -> None:
    made = call(options={"num_ctx": 4096}, unknown=[1.50])
    asked = CHAT.write_request(made, target("up"))
    assert asked.path == "/api/chat"
    assert asked.headers["accept"] == "application/x-ndjson"
    assert json.loads(asked.body) == {
        "model": "up",
        "messages": [{"role": "user", "content": "hi"}],
        "options": {"num_ctx": 4096},
        "unknown": [1.5],
    }
    assert asked.stream
    assert GENERATE.write_request(generate_call(), target()).path == "/api/generate"


def test_what_travelled_in_an_id_stays_here() -> None:
    thought = Reasoning(text="t", seal="s", sealed_by="anthropic")
    shown = with_carried("call_1", Carried(thoughts=(thought,)))
    said = {"role": "assistant", "tool_calls": [{"id": shown, "function": {}}]}
    body = CHAT.write_request(call(messages=[said]), target()).body
    assert json.loads(body)["messages"][0]["tool_calls"][0]["id"] == "call_1"


@pytest.mark.parametrize(
    "fields",
    [{}, {"messages": []}, {"prompt": ""}, {"keep_alive": 0, "options": {"seed": 1}}],
)
def test_a_request_for_nothing_loads_the_model(fields: dict[str, Any]) -> None:
    assert loaded_model(request("/api/generate", **fields)) == "m"


@pytest.mark.parametrize(
    "fields",
    [{"prompt": "a"}, {"messages": [1]}, {"images": ["a"]}, {"suffix": "a"}],
)
def test_a_request_for_something_does_not(fields: dict[str, Any]) -> None:
    assert loaded_model(request("/api/generate", **fields)) is None


def test_a_long_request_is_not_read_twice() -> None:
    made = request("/api/chat", keep_alive="x" * 5000)
    assert loaded_model(made) is None
    assert loaded_model(replace(made, body=b'{"model":"m"}')) == "m"
