"""Ollama's dialects as the rest sees them: meaning survives the way to chat."""

import json

import pytest
from support.chat import DIALECT as OPENAI
from support.chat import call as chat_call
from support.chat import stream_call
from support.chat import target as chat_target
from support.ollama import (
    CHAT,
    GENERATE,
    call,
    generate_call,
    last,
    line,
    lines,
    target,
)

from lightweight.dialects.crossing import passage, write_request
from lightweight.errors import ModelNotFound
from lightweight.prompts import Prompt
from lightweight.runtime import DIALECTS

TOOL = {
    "type": "function",
    "function": {"name": "f", "parameters": {"type": "object", "properties": {}}},
}


def test_a_chat_for_openais_providers() -> None:
    made = call(
        messages=[
            {"role": "user", "content": "Hi"},
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}],
            },
            {"role": "tool", "content": "one", "tool_name": "f"},
        ],
        tools=[TOOL],
        options={"num_predict": 5, "num_ctx": 8192, "seed": 1},
        format="json",
    )
    asked = write_request(DIALECTS, made, chat_target("up"))
    assert asked.path == "/chat/completions"
    body = json.loads(asked.body)
    assert body["messages"][1]["tool_calls"] == [
        {
            "id": "call_0",
            "type": "function",
            "function": {"name": "f", "arguments": '{"a":1}'},
        }
    ]
    assert body["messages"][2]["tool_call_id"] == "call_0"
    assert body["max_completion_tokens"] == 5
    assert body["response_format"] == {"type": "json_object"}
    assert body["stream"] is True


def test_the_meaning_of_a_chat_survives_ollama() -> None:
    """Chat to Ollama's request and back: the same Prompt."""
    made = chat_call(
        messages=[
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "Hi"},
            {
                "role": "assistant",
                "content": "Wait.",
                "tool_calls": [
                    {
                        "id": "c1",
                        "type": "function",
                        "function": {"name": "f", "arguments": '{"a":1}'},
                    }
                ],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "one"},
        ],
        tools=[TOOL],
        temperature=0.5,
        stop=["END"],
        max_tokens=9,
    )
    there = json.loads(write_request(DIALECTS, made, target("m")).body)
    assert CHAT.read_prompt(call(**there)) == OPENAI.read_prompt(made)


def test_a_chat_client_reads_an_ollama_server() -> None:
    way = passage(DIALECTS, stream_call(usage=True), target("up"))
    passed = way.feed(line("Hi") + last()) + way.finish()
    assert b'"content":"Hi"' in passed
    assert b'"finish_reason":"stop"' in passed
    assert b'"total_tokens":9' in passed
    assert passed.endswith(b"data: [DONE]\n\n")


def test_an_ollama_client_reads_an_openai_provider() -> None:
    way = passage(DIALECTS, generate_call(), chat_target("up"))
    assert way.content_type == "application/x-ndjson"
    chunk = {
        "id": "x",
        "created": 1_700_000_000,
        "model": "up",
        "choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}],
    }
    data = b"data: " + json.dumps(chunk).encode() + b"\n\ndata: [DONE]\n\n"
    first, end = lines(way.feed(data) + way.finish())
    assert (first["response"], first["done"], first["model"]) == ("Hi", False, "m")
    assert (end["done"], end["done_reason"]) == (True, "stop")


def test_a_completion_goes_to_an_ollama_server_as_it_is() -> None:
    made = generate_call(raw=True, suffix="}")
    asked = write_request(DIALECTS, made, target("up"))
    assert asked.path == "/api/generate"
    assert json.loads(asked.body)["suffix"] == "}"


def test_a_target_of_completions_alone_is_asked_nothing_else() -> None:
    with pytest.raises(ModelNotFound):
        GENERATE.write_prompt(Prompt(turns=()), call(), target())
    with pytest.raises(AssertionError):
        GENERATE.reader(call())


def test_errors() -> None:
    for dialect in (CHAT, GENERATE):
        fault = dialect.read_error(400, {}, b'{"error":"no such option"}')
        assert (fault.status, fault.message) == (400, "no such option")
        assert json.loads(dialect.render_error(fault).body) == {
            "error": "no such option"
        }
        unknown = dialect.read_error(404, {}, b'{"error":"model \'x\' not found"}')
        assert unknown.status == 502
