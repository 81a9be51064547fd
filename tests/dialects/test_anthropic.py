"""The dialect as a whole: its face, and its meeting with chat."""

import json
from typing import Any

import pytest
from support import chat
from support.messages import (
    DIALECT,
    HELLO,
    call,
    end,
    events,
    request,
    start,
    stream_call,
    target,
    text,
    thinking,
    tool_use,
    whole,
)

from lightweight.dialects import crossing
from lightweight.dialects.anthropic import Anthropic
from lightweight.dialects.dialect import Dialect
from lightweight.errors import BadRequest, ProviderBusy
from lightweight.records import Call, Target
from lightweight.runtime import DIALECTS

CLAUDE = target("claude-sonnet-4-5")
CHAT = Target(provider="p", model="gpt", dialect="openai_chat")


@pytest.fixture
def dialect() -> Dialect:
    return Anthropic()


def test_it_is_named(dialect: Dialect) -> None:
    assert dialect.name == "anthropic"


def test_a_call_goes_out_and_comes_back(dialect: Dialect) -> None:
    asked = {"model": "m", "max_tokens": 5, "messages": HELLO}
    made = dialect.parse_request(request(asked))
    assert dialect.write_request(made, target("up")).path == "/messages"
    prompt = dialect.read_prompt(made)
    again = dialect.write_prompt(prompt, made, target("up"))
    assert json.loads(again.body)["max_tokens"] == 5
    with pytest.raises(BadRequest):
        dialect.parse_request(request(b""))


def test_streamed_and_whole_answers(dialect: Dialect) -> None:
    for made, data in (
        (stream_call(), start() + text(0, "Hi") + end()),
        (call(), whole({"type": "text", "text": "Hi"})),
    ):
        reader, writer = dialect.reader(made), dialect.writer(made)
        heard = [*reader.feed(data), *reader.finish()]
        written = b"".join([*map(writer.write, heard), writer.finish()])
        assert b'"end_turn"' in written
        passage = dialect.passage(made, target())
        assert passage.feed(data) + passage.finish() == data


def test_errors_both_ways(dialect: Dialect) -> None:
    fault = dialect.read_error(429, {"retry-after": "3"}, b"")
    assert isinstance(fault, ProviderBusy)
    assert dialect.render_error(fault).headers["retry-after"] == "3"


# -- with chat ---------------------------------------------------------------------


def sent(made: Call, to: Target) -> Any:
    return json.loads(crossing.write_request(DIALECTS, made, to).body)


def answered(made: Call, to: Target, data: bytes) -> bytes:
    passed, fault = chat.travel(crossing.passage(DIALECTS, made, to), [data])
    assert fault is None
    return passed


USER = {"role": "user", "content": "Weather?"}
TOOL = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object"}},
}


def test_thoughts_of_claude_return_over_three_turns_of_a_chat_client() -> None:
    """What the client keeps of an answer is enough for Claude to go on from it."""
    messages: list[Any] = [USER]
    fields = {"tools": [TOOL], "reasoning_effort": "low"}
    for turn in (1, 2):
        made = chat.call(messages=messages, **fields)
        asked = sent(made, CLAUDE)
        assert asked["thinking"] == {"type": "enabled", "budget_tokens": 2048}
        told = whole(
            {"type": "thinking", "thinking": f"Hm {turn}", "signature": f"sig{turn}"},
            {"type": "redacted_thinking", "data": f"red{turn}"},
            {"type": "tool_use", "id": f"t{turn}", "name": "weather", "input": {}},
            stop_reason="tool_use",
        )
        message = json.loads(answered(made, CLAUDE, told))["choices"][0]["message"]
        assert message["reasoning_content"] == f"Hm {turn}"
        # A client that knows nothing of thoughts keeps these three members.
        kept = {name: message[name] for name in ("role", "content", "tool_calls")}
        call_id = message["tool_calls"][0]["id"]
        result = {"role": "tool", "tool_call_id": call_id, "content": "Sunny."}
        messages += [kept, result]
    asked = sent(chat.call(messages=messages, **fields), CLAUDE)
    assert "thinking" in asked
    assert [block for m in asked["messages"][1::2] for block in m["content"]] == [
        block
        for turn in (1, 2)
        for block in (
            {"type": "thinking", "thinking": f"Hm {turn}", "signature": f"sig{turn}"},
            {"type": "redacted_thinking", "data": f"red{turn}"},
            {"type": "tool_use", "id": f"t{turn}", "name": "weather", "input": {}},
        )
    ]
    assert asked["messages"][2]["content"][0]["tool_use_id"] == "t1"


def test_a_chat_client_that_lost_the_thoughts_gets_none() -> None:
    called = {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "id": "t",
                "type": "function",
                "function": {"name": "weather", "arguments": "{}"},
            }
        ],
    }
    result = {"role": "tool", "tool_call_id": "t", "content": "Sunny."}
    made = chat.call(messages=[USER, called, result], reasoning_effort="low")
    assert "thinking" not in sent(made, CLAUDE)


def test_a_streamed_answer_of_claude_in_chats_words() -> None:
    data = (
        start()
        + thinking(0, "Hm", "sig")
        + text(1, "Let me see.")
        + tool_use(2, "t", "weather", '{"city":', '"Oslo"}')
        + end("tool_use")
    )
    made = chat.stream_call(usage=True)
    chunks = chat.payloads(answered(made, CLAUDE, data))
    deltas = [c["choices"][0]["delta"] for c in chunks if c["choices"]]
    assert deltas[0]["role"] == "assistant"
    assert deltas[1] == {"reasoning_content": "Hm"}
    assert deltas[2] == {"content": "Let me see."}
    assert deltas[3]["tool_calls"][0]["index"] == 0
    arguments = "".join(
        d["tool_calls"][0]["function"]["arguments"] for d in deltas if "tool_calls" in d
    )
    assert json.loads(arguments) == {"city": "Oslo"}
    assert chunks[-2]["choices"][0]["finish_reason"] == "tool_calls"
    assert chunks[-1]["usage"]["prompt_tokens"] == 10
    assert chunks[-1]["usage"]["prompt_tokens_details"]["cached_tokens"] == 3


def test_claude_code_over_a_chat_provider() -> None:
    made = call(
        system=[{"type": "text", "text": "You are a tool."}],
        messages=[
            {"role": "user", "content": [{"type": "text", "text": "ls"}]},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Hm", "signature": "sig"},
                    {"type": "tool_use", "id": "t", "name": "Bash", "input": {"c": 1}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "t", "content": "a.py"},
                    {"type": "text", "text": "And now?"},
                ],
            },
        ],
        tools=[{"name": "Bash", "input_schema": {"type": "object"}}],
        thinking={"type": "enabled", "budget_tokens": 31999},
        context_management={"edits": []},
        metadata={"user_id": "u"},
        max_tokens=32000,
    )
    asked = sent(made, CHAT)
    assert [message["role"] for message in asked["messages"]] == [
        "system",
        "user",
        "assistant",
        "tool",
        "user",
    ]
    called = asked["messages"][2]["tool_calls"][0]
    assert json.loads(called["function"]["arguments"]) == {"c": 1}
    assert asked["messages"][3]["tool_call_id"] == called["id"] == "t"
    assert asked["max_completion_tokens"] == 32000


def test_an_answer_of_a_chat_provider_in_claudes_words() -> None:
    function = {"name": "Bash", "arguments": "{}"}
    said = [
        chat.chunk({"index": 0, "delta": {"role": "assistant", "content": ""}}),
        chat.chunk(chat.speech("Hi")),
        chat.chunk(
            {
                "index": 0,
                "delta": {
                    "content": "!",
                    "tool_calls": [{"index": 0, "id": "c", "function": function}],
                },
            }
        ),
        chat.chunk(chat.ending("tool_calls")),
        chat.chunk(usage={"prompt_tokens": 7, "completion_tokens": 2}),
        chat.DONE,
    ]
    told = events(answered(stream_call(), CHAT, b"".join(said)))
    kinds = [event.get("content_block", event)["type"] for event in told]
    assert kinds == [
        "message_start",
        "text",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "tool_use",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert told[-2]["delta"]["stop_reason"] == "tool_use"
    assert told[-2]["usage"]["input_tokens"] == 7


def test_what_a_chat_client_asks_keeps_its_meaning_through_claudes_words() -> None:
    """Chat to Messages and, read as a client's, back to chat."""
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Weather?"},
        {
            "role": "assistant",
            "content": "Let me see.",
            "tool_calls": [
                {
                    "id": "t",
                    "type": "function",
                    "function": {"name": "weather", "arguments": '{"city":"Oslo"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "t", "content": "Sunny."},
        {"role": "user", "content": "Thanks."},
    ]
    made = chat.call(messages=messages, tools=[TOOL], max_tokens=50, stop=["END"])
    between = crossing.write_request(DIALECTS, made, CLAUDE).body
    back = sent(DIALECT.parse_request(request(between)), CHAT)
    assert back["messages"] == messages
    assert back["tools"] == [TOOL]
    assert (back["max_completion_tokens"], back["stop"]) == (50, ["END"])
