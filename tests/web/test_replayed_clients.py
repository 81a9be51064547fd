"""What Cursor, Zed and Windsurf send, through the whole gateway and back.

The bodies have the form that these editors were seen to send. What a provider gets, and
what the editor gets, is judged by OpenAI's own document.
"""

import dataclasses
import json
from typing import Any

import pytest
from support import chat, claude, messages, responses
from support.gateway import Client, Gateway, model, offering
from support.openai_schema import (
    chat_request_errors,
    chunk_errors,
    response_event_errors,
    response_request_errors,
)

from lightweight.records import Target

CHATTY = Target(provider="one", model="gpt-there", dialect="openai_chat")
CODEX = Target(provider="one", model="codex-there", dialect="openai_responses")
MODELS = ["chatty", "codex", "claude"]

PATCH = '*** Begin Patch\n*** Add File: "a"\n+x\n*** End Patch'
GREP: dict[str, Any] = {
    "name": "Grep",
    "description": "Search.",
    "parameters": {
        "type": "object",
        "properties": {"pattern": {"type": "string"}},
        "required": ["pattern"],
    },
}
READ: dict[str, Any] = {**GREP, "name": "Read"}
LARK = {"type": "grammar", "syntax": "lark", "definition": "start: PATCH"}
NESTED = [{"type": "function", "function": GREP}]


@pytest.fixture
def gateway() -> Gateway:
    made = Gateway()
    offered = offering(
        model("chatty", CHATTY), model("codex", CODEX), model("claude", claude.CLAUDE)
    )
    made.runtime = dataclasses.replace(made.runtime, offering=offered)
    return made


def ask(gateway: Gateway, path: str, body: dict[str, Any]) -> Client:
    client = gateway.connect()
    headers = {"Content-Type": "application/json"}
    client.ask("POST", path, json.dumps(body).encode(), headers)
    return client


def sent(gateway: Gateway) -> Any:
    """Give the one request a provider got, judged where its dialect is OpenAI's."""
    (outgoing,) = gateway.one.asked
    body = json.loads(outgoing.body)
    if outgoing.path == "/chat/completions":
        assert chat_request_errors(body) == []
    if outgoing.path == "/responses":
        assert response_request_errors(body) == []
    return body


def answer(gateway: Gateway, model_: str, *calls: tuple[str, str, str]) -> None:
    """Let the provider of ``model_`` call tools: id, name and arguments of each."""
    spoken = {"chatty": chat_calls, "codex": items, "claude": blocks}[model_](calls)
    body = gateway.one.reply(headers={"content-type": "text/event-stream"})
    body.push(spoken)
    body.end()


def chat_calls(calls: tuple[tuple[str, str, str], ...]) -> bytes:
    role = {"role": "assistant", "content": ""}
    said = chat.chunk({"index": 0, "delta": role, "finish_reason": None})
    for index, (id_, name, arguments) in enumerate(calls):
        first = {"index": index, "id": id_, "type": "function"}
        for call in (
            {**first, "function": {"name": name, "arguments": ""}},
            {"index": index, "function": {"arguments": arguments}},
        ):
            delta = {"tool_calls": [call]}
            said += chat.chunk({"index": 0, "delta": delta, "finish_reason": None})
    usage = {"prompt_tokens": 10, "completion_tokens": 10, "total_tokens": 20}
    ended = chat.chunk(chat.ending("tool_calls")) + chat.chunk(usage=usage)
    return said + ended + chat.DONE


def items(calls: tuple[tuple[str, str, str], ...]) -> bytes:
    made = []
    said = responses.created()
    for index, (id_, name, arguments) in enumerate(calls):
        item = responses.function_call(arguments, call_id=id_, name=name)
        if name == "ApplyPatch":
            item = {
                "type": "custom_tool_call",
                "id": "ctc_1",
                "call_id": id_,
                "name": name,
                "input": json.loads(arguments)["input"],
            }
        made.append(item)
        said += responses.added(item, index) + responses.done(item, index)
    return said + responses.completed(*made)


def blocks(calls: tuple[tuple[str, str, str], ...]) -> bytes:
    said = b"".join(messages.tool_use(index, *call) for index, call in enumerate(calls))
    return messages.start() + said + messages.end("tool_use")


def chunks_of(client: Client) -> list[Any]:
    """Give the chunks a chat client got, each judged; the stream is whole."""
    got = client.answer()
    assert got.headers["content-type"] == "text/event-stream"
    assert got.body.endswith(chat.DONE)
    chunks = chat.payloads(got.body)
    assert [error for each in chunks for error in chunk_errors(each)] == []
    return chunks


def calls_of(chunks: list[Any]) -> dict[int, tuple[str, str, str]]:
    """Put the calls together as strictly as Zed does: each index is a number."""
    calls: dict[int, tuple[str, str, str]] = {}
    for each in chunks:
        assert isinstance(each["choices"], list)
        for choice in each["choices"]:
            assert type(choice["index"]) is int
            for call in choice["delta"].get("tool_calls", []):
                assert type(call["index"]) is int
                id_, name, arguments = calls.get(call["index"], ("", "", ""))
                calls[call["index"]] = (
                    id_ + call.get("id", ""),
                    name + call["function"].get("name", ""),
                    arguments + call["function"]["arguments"],
                )
                assert call.get("type", "function") == "function"
    return calls


# -- Cursor's agent ----------------------------------------------------------------


def cursor(model_: str, **fields: Any) -> dict[str, Any]:
    """Make what the agent sends to chat's path: a request for a response."""
    return {
        "model": model_,
        "input": [
            {"role": "system", "content": "You work in an editor."},
            {"role": "user", "content": [{"type": "input_text", "text": "Patch it."}]},
        ],
        "tools": [
            {"type": "function", **READ, "strict": False},
            *NESTED,
            {"type": "custom", "name": "ApplyPatch", "format": LARK},
        ],
        "tool_choice": "auto",
        "reasoning": {"effort": "medium", "summary": "auto"},
        "text": {"verbosity": "low"},
        "include": ["reasoning.encrypted_content"],
        "store": False,
        "user": "u1",
        "metadata": {"cursorConversationId": "c1"},
        "prompt_cache_retention": "24h",
        "stream": True,
        "stream_options": {"include_usage": True},
        **fields,
    }


@pytest.mark.parametrize("model_", MODELS)
def test_cursors_agent_gets_chat_whoever_serves_it(
    gateway: Gateway, model_: str
) -> None:
    client = ask(gateway, "/v1/chat/completions", cursor(model_))
    arguments = json.dumps({"input": PATCH})
    answer(
        gateway,
        model_,
        ("call_a", "Grep", '{"pattern":"x"}'),
        ("call_b", "ApplyPatch", arguments),
    )
    tools = sent(gateway)["tools"]
    names = [(tool.get("function") or tool)["name"] for tool in tools]
    assert names == ["Read", "Grep", "ApplyPatch"]
    assert tools[2].get("type", "function") == (
        "custom" if model_ == "codex" else "function"
    )
    chunks = chunks_of(client)
    assert calls_of(chunks) == {
        0: ("call_a", "Grep", '{"pattern":"x"}'),
        1: ("call_b", "ApplyPatch", PATCH),
    }
    assert chunks[-2]["choices"][0]["finish_reason"] == "tool_calls"
    assert chunks[-1]["usage"]["total_tokens"] > 0
    assert {each["model"] for each in chunks} == {model_}
    assert gateway.outcome.ending == "finished"


@pytest.mark.parametrize("model_", MODELS)
def test_cursor_brings_its_calls_back_with_an_index(
    gateway: Gateway, model_: str
) -> None:
    brought = {"type": "function_call", "status": "completed"}
    result = {"type": "function_call_output"}
    history = [
        {"role": "user", "content": "Go"},
        {
            **brought,
            "call_id": "call_a",
            "name": "Grep",
            "arguments": '{"pattern":"x"}',
            "index": 0,
        },
        {
            **brought,
            "call_id": "call_b",
            "name": "ApplyPatch",
            "arguments": PATCH,
            "index": 1,
        },
        {**result, "call_id": "call_a", "output": "a.py:1: x"},
        {**result, "call_id": "call_b", "output": "Done."},
    ]
    ask(gateway, "/v1/chat/completions", cursor(model_, input=history))
    body = sent(gateway)
    if model_ == "codex":
        _, grep, patch, *results = body["input"]
        assert "index" not in grep
        assert (patch["type"], patch["input"]) == ("custom_tool_call", PATCH)
        assert [each["call_id"] for each in results] == ["call_a", "call_b"]
    elif model_ == "chatty":
        _, said, *results = body["messages"]
        grep, patch = said["tool_calls"]
        assert grep["function"]["arguments"] == '{"pattern":"x"}'
        assert json.loads(patch["function"]["arguments"]) == {"input": PATCH}
        assert "index" not in grep
        assert [each["tool_call_id"] for each in results] == ["call_a", "call_b"]
    else:
        _, said, shown = body["messages"]
        assert [each["input"] for each in said["content"]] == [
            {"pattern": "x"},
            {"input": PATCH},
        ]
        assert [each["tool_use_id"] for each in shown["content"]] == [
            "call_a",
            "call_b",
        ]


@pytest.mark.parametrize("model_", MODELS)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses"])
def test_no_tools_and_a_choice_of_them(
    gateway: Gateway, model_: str, path: str
) -> None:
    body = cursor(model_, tools=None, tool_choice="auto")
    if path == "/v1/responses":
        del body["stream_options"]
    ask(gateway, path, body)
    told = json.loads(gateway.one.asked[0].body)
    assert not told.get("tools")


def test_cursors_ask_mode_chats_with_tools_that_are_null(gateway: Gateway) -> None:
    asked = {
        "model": "codex",
        "messages": [{"role": "user", "content": "Hi"}],
        "tools": None,
        "tool_choice": "auto",
        "stream": True,
    }
    client = ask(gateway, "/v1/chat/completions", asked)
    answer(gateway, "codex")
    assert not {"tools", "tool_choice"} & sent(gateway).keys()
    assert chunks_of(client)


def test_cursors_verify_button_asks_before_it_sends_a_key(gateway: Gateway) -> None:
    client = gateway.connect()
    client.ask(
        "OPTIONS",
        "/v1/chat/completions",
        headers={
            "Origin": "vscode-file://vscode-app",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
        },
        key=None,
    )
    got = client.answer()
    assert got.status == 204
    assert got.headers["access-control-allow-origin"] == "*"
    assert got.headers["access-control-allow-headers"] == "authorization,content-type"
    assert "POST" in got.headers["access-control-allow-methods"]
    asked = {
        "model": "chatty",
        "messages": [{"role": "user", "content": "Test prompt"}],
        "max_tokens": 10,
    }
    headers = {"Origin": "vscode-file://vscode-app"}
    client = gateway.connect()
    client.ask("POST", "/v1/chat/completions", json.dumps(asked).encode(), headers)
    body = gateway.one.reply()
    body.push(chat.completion(chat.answer()))
    body.end()
    got = client.answer()
    assert (got.status, got.headers["access-control-allow-origin"]) == (200, "*")


# -- Zed and Windsurf --------------------------------------------------------------

ZED: dict[str, Any] = {
    "messages": [
        {"role": "system", "content": "You are in Zed."},
        {"role": "user", "content": [{"type": "text", "text": "Find x."}]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "call_a",
                    "type": "function",
                    "function": {"name": "Grep", "arguments": '{"pattern":"x"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "call_a", "content": "a.py:1: x"},
    ],
    "stream": True,
    "stream_options": {"include_usage": True},
    "max_completion_tokens": 32000,
    "temperature": 1.0,
    "tools": NESTED,
    "tool_choice": "auto",
    "parallel_tool_calls": False,
    "prompt_cache_key": "thread-1",
}


@pytest.mark.parametrize("model_", MODELS)
def test_zed_gets_lists_numbers_and_all_three_counts(
    gateway: Gateway, model_: str
) -> None:
    client = ask(gateway, "/v1/chat/completions", {"model": model_, **ZED})
    answer(gateway, model_, ("call_b", "Grep", '{"pattern":"y"}'))
    sent(gateway)
    chunks = chunks_of(client)
    assert calls_of(chunks) == {0: ("call_b", "Grep", '{"pattern":"y"}')}
    usage = chunks[-1]["usage"]
    counts = ("prompt_tokens", "completion_tokens", "total_tokens")
    assert all(type(usage[name]) is int for name in counts)
    assert all(each.get("usage") is None for each in chunks[:-1])


@pytest.mark.parametrize("model_", MODELS)
def test_zed_asks_codex_for_responses(gateway: Gateway, model_: str) -> None:
    asked = {
        "model": model_,
        "instructions": "You are in Zed.",
        "input": [
            {
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": "Find x."}],
            },
            {
                "type": "function_call",
                "call_id": "call_a",
                "name": "Grep",
                "arguments": '{"pattern":"x"}',
            },
            {
                "type": "function_call_output",
                "call_id": "call_a",
                "output": [{"type": "input_text", "text": "a.py:1: x"}],
            },
        ],
        "include": ["reasoning.encrypted_content"],
        "tools": [{"type": "function", **GREP, "strict": False}],
        "tool_choice": "auto",
        "parallel_tool_calls": False,
        "max_output_tokens": 32000,
        "reasoning": {"effort": "medium", "summary": "auto"},
        "prompt_cache_key": "thread-1",
        "store": False,
        "stream": True,
    }
    client = ask(gateway, "/v1/responses", asked)
    answer(gateway, model_, ("call_b", "Grep", '{"pattern":"y"}'))
    sent(gateway)
    events = responses.told(client.answer().body)
    if model_ != "codex":  # there the events are the provider's own
        assert [e for each in events for e in response_event_errors(each)] == []
    final = events[-1]["response"]
    assert events[-1]["type"] == "response.completed"
    (item,) = final["output"]
    assert (item["type"], item["call_id"]) == ("function_call", "call_b")
    assert final["usage"]["total_tokens"] > 0


@pytest.mark.parametrize("model_", MODELS)
def test_windsurf_only_chats(gateway: Gateway, model_: str) -> None:
    asked = {
        "model": model_,
        "messages": [
            {"role": "system", "content": "You are in Windsurf."},
            {"role": "user", "content": "Find x."},
        ],
        "temperature": 0.5,
        "max_tokens": 8192,
        "stream": True,
    }
    client = ask(gateway, "/v1/chat/completions", asked)
    answer(gateway, model_)
    sent(gateway)
    chunks = chunks_of(client)
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    assert all("usage" not in each for each in chunks)
