"""The dialect as a whole; and chat, its commonest neighbour, on either side of it."""

import json
from typing import Any

import pytest
from msgspec.structs import replace
from support import chat
from support.responses import (
    DIALECT,
    added,
    call,
    completed,
    created,
    delta,
    done,
    function_call,
    message,
    request,
    target,
    text,
    thoughts,
    told,
)

from lightweight.dialects.crossing import passage, write_request
from lightweight.errors import BadRequest, ProviderBusy, ProviderRefused
from lightweight.records import Call
from lightweight.runtime import DIALECTS

CODEX = target("gpt-5.3-codex")
SEALED = thoughts("Hm.", encrypted_content="SEAL")
CALLS = [
    function_call('{"a":1}', call_id="call_1"),
    function_call('{"a":2}', call_id="call_2", id="fc_2"),
]


def test_it_is_named() -> None:
    assert DIALECT.name == "openai_responses"
    assert DIALECTS["openai_responses"].name == DIALECT.name


def test_a_call_goes_out_and_comes_back() -> None:
    made = DIALECT.parse_request(request({"model": "m", "input": "hi"}))
    assert DIALECT.write_request(made, target("up")).path == "/responses"
    with pytest.raises(BadRequest):
        DIALECT.parse_request(request(b""))


def test_errors_both_ways() -> None:
    fault = DIALECT.read_error(429, {"retry-after": "3"}, b"")
    assert isinstance(fault, ProviderBusy)
    assert DIALECT.render_error(fault).headers["retry-after"] == "3"
    refused = DIALECT.read_error(401, {}, b'{"error":{"message":"sk-1234567"}}')
    assert isinstance(refused, ProviderRefused)


# -- chat clients over a model that speaks only Responses --------------------------


def codex_says(made: Call, *output: dict[str, Any]) -> bytes:
    """Give what a chat client gets of this streamed output."""
    pieces = [created()]
    for index, item in enumerate(output):
        pieces.append(added({**item, "arguments": ""}, index))
        if item["type"] == "function_call":
            arguments = item["arguments"]
            pieces.append(delta(arguments, index, "function_call_arguments"))
        pieces.append(done(item, index))
    passed, fault = chat.travel(passage(DIALECTS, made, CODEX), [*pieces, completed()])
    assert fault is None
    return passed


TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {}}}]


def test_two_parallel_calls_and_the_thoughts_before_them() -> None:
    made = chat.call(stream=True, tools=TOOLS)
    chunks = chat.payloads(codex_says(made, SEALED, *CALLS))
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    firsts = [
        each
        for delta_ in deltas
        for each in delta_.get("tool_calls", [])
        if "id" in each
    ]
    assert [each["index"] for each in firsts] == [0, 1]
    assert deltas[1] == {"reasoning_content": "Hm."}
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"
    calls = [
        {"id": first["id"], "type": "function", "function": {"name": "f"}}
        for first in firsts
    ]
    history = [
        {"role": "user", "content": "Go"},
        {"role": "assistant", "content": None, "tool_calls": calls},
        *(
            {"role": "tool", "tool_call_id": each["id"], "content": "ok"}
            for each in calls
        ),
    ]
    sent = json.loads(
        write_request(DIALECTS, chat.call(messages=history, tools=TOOLS), CODEX).body
    )
    assert [item["type"] for item in sent["input"]] == [
        "message",
        "reasoning",
        "function_call",
        "function_call",
        "function_call_output",
        "function_call_output",
    ]
    assert sent["input"][1] == {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "Hm."}],
        "encrypted_content": "SEAL",
    }
    assert sent["input"][2]["call_id"] == "call_1"
    assert sent["input"][5]["call_id"] == "call_2"
    assert (sent["store"], sent["tools"][0]["strict"]) == (False, False)


# -- Responses clients over a model that only chats --------------------------------

GRAMMAR = {"type": "grammar", "syntax": "lark", "definition": "start: X"}
PATCH_TOOL = {"type": "custom", "name": "apply_patch", "format": GRAMMAR}
PATCH = '*** Begin Patch\n+"x"\n*** End Patch'


def chat_says(made: Call, **message_: Any) -> list[Any]:
    """Give what a client gets of this streamed chat delta."""
    said = {"index": 0, "delta": message_, "finish_reason": None}
    data = chat.chunk(said) + chat.chunk(chat.ending("tool_calls")) + chat.DONE
    passed, fault = chat.travel(passage(DIALECTS, made, chat.target()), [data])
    assert fault is None
    if made.answer_in == "openai_chat":
        return chat.payloads(passed)
    return told(passed)


PATCH_CALL = {
    "index": 0,
    "id": "c1",
    "type": "function",
    "function": {"name": "apply_patch", "arguments": json.dumps({"input": PATCH})},
}


def test_a_custom_tool_is_a_function_there_and_custom_here() -> None:
    made = call(stream=True, tools=[PATCH_TOOL])
    sent = json.loads(write_request(DIALECTS, made, chat.target("up")).body)
    (tool,) = sent["tools"]
    assert tool["type"] == "function"
    assert tool["function"]["parameters"]["required"] == ["input"]
    assert "start: X" in tool["function"]["description"]
    item = chat_says(made, tool_calls=[PATCH_CALL])[-1]["response"]["output"][0]
    assert (item["type"], item["input"], item["call_id"]) == (
        "custom_tool_call",
        PATCH,
        "c1",
    )
    result = {"type": "custom_tool_call_output", "call_id": "c1", "output": "ok"}
    again = call(input=[item, result], tools=[PATCH_TOOL])
    messages = json.loads(write_request(DIALECTS, again, chat.target()).body)[
        "messages"
    ]
    arguments = messages[0]["tool_calls"][0]["function"]["arguments"]
    assert json.loads(arguments) == {"input": PATCH}
    assert messages[1] == {"role": "tool", "tool_call_id": "c1", "content": "ok"}


def test_what_codex_sends_is_understood() -> None:
    made = call(
        stream=True,
        instructions="You are Codex.",
        store=False,
        include=["reasoning.encrypted_content"],
        client_metadata={"x-codex": "1"},
        prompt_cache_key="k",
        reasoning={"effort": "high", "summary": "auto"},
        tools=[{"type": "web_search"}, PATCH_TOOL],
        parallel_tool_calls=True,
        text={"verbosity": "low"},
    )
    sent = json.loads(write_request(DIALECTS, made, chat.target("gpt-5.2")).body)
    assert sent["messages"][0] == {"role": "system", "content": "You are Codex."}
    assert sent["reasoning_effort"] == "high"
    assert len(sent["tools"]) == 1


# -- Cursor's agent: a Responses body on chat's path -------------------------------


def cursor(**fields: Any) -> Call:
    body = {
        "model": "m",
        "input": [{"role": "user", "content": [{"type": "input_text", "text": "Go"}]}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "tools": [
            {"type": "function", "name": "f", "parameters": {}, "strict": False},
            *TOOLS,
            {**PATCH_TOOL, "name": "ApplyPatch"},
        ],
        "tool_choice": "auto",
        "reasoning": {"effort": "medium"},
        **fields,
    }
    return chat.DIALECT.parse_request(chat.request(body))


def test_a_responses_body_is_taken_by_chat() -> None:
    made = cursor()
    assert (made.dialect, made.answer_in) == ("openai_responses", "openai_chat")
    assert made.wants_usage
    assert not cursor(stream=False).wants_usage
    assert cursor(tools=None).stream


def test_it_is_translated_for_every_target() -> None:
    sent = json.loads(write_request(DIALECTS, cursor(), CODEX).body)
    assert [tool["type"] for tool in sent["tools"]] == [
        "function",
        "function",
        "custom",
    ]
    assert "stream_options" not in sent
    sent = json.loads(write_request(DIALECTS, cursor(), chat.target("up")).body)
    assert sent["messages"] == [{"role": "user", "content": "Go"}]
    assert len(sent["tools"]) == 3
    assert write_request(DIALECTS, cursor(tools=None), CODEX).stream


def arguments_of(chunks: list[Any]) -> list[str]:
    return [
        call_["function"]["arguments"]
        for chunk in chunks
        if chunk["choices"]
        for call_ in chunk["choices"][0]["delta"].get("tool_calls", [])
    ]


def test_a_patch_is_a_function_of_bare_text_and_comes_back_as_one() -> None:
    named = {**PATCH_CALL["function"], "name": "ApplyPatch"}  # type: ignore[dict-item]  # is a dict
    chunks = chat_says(cursor(), tool_calls=[{**PATCH_CALL, "function": named}])
    assert "".join(arguments_of(chunks)) == PATCH

    item = {
        "type": "custom_tool_call",
        "id": "ctc_1",
        "call_id": "c1",
        "name": "ApplyPatch",
        "input": PATCH,
    }
    data = created() + added({**item, "input": ""}) + done(item) + completed(item)
    passed, fault = chat.travel(passage(DIALECTS, cursor(), CODEX), [data])
    assert fault is None
    chunks = chat.payloads(passed)
    assert "".join(arguments_of(chunks)) == PATCH
    first = chunks[1]["choices"][0]["delta"]["tool_calls"][0]
    assert (first["type"], first["function"]["name"]) == ("function", "ApplyPatch")
    assert chunks[-1]["usage"]["total_tokens"] == 20

    brought = {
        "type": "function_call",
        "call_id": "c1",
        "name": "ApplyPatch",
        "arguments": PATCH,
        "index": 0,
    }
    output = {"type": "function_call_output", "call_id": "c1", "output": "ok"}
    history = cursor(input=[brought, output])
    sent = json.loads(write_request(DIALECTS, history, CODEX).body)["input"]
    assert sent == [
        {
            "type": "custom_tool_call",
            "call_id": "c1",
            "name": "ApplyPatch",
            "input": PATCH,
        },
        {"type": "custom_tool_call_output", "call_id": "c1", "output": "ok"},
    ]


def test_the_client_is_asked_for_its_own_dialect_alone() -> None:
    """A Responses call is not translated for a Responses target; Cursor's is."""
    assert not hasattr(passage(DIALECTS, call(), target()), "_writer")
    made = replace(call(), answer_in="openai_chat")
    way = passage(DIALECTS, made, target())
    way.feed(
        json.dumps({"status": "completed", "output": [message(text("Hi"))]}).encode()
    )
    assert json.loads(way.finish())["object"] == "chat.completion"
