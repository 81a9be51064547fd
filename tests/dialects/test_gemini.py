"""The dialect as a whole: what a chat client gets from Gemini, and its seals' way."""

import json
from typing import Any

import pytest
from support.chat import DIALECT as CHAT
from support.chat import call, payloads, request, stream_call
from support.gemini import DIALECT, called, response, stream, target
from support.openai_schema import chunk_errors, completion_errors

from lightweight.dialects.crossing import passage, write_request
from lightweight.errors import OwnFault, Unimplemented
from lightweight.records import Call, DialectName

DIALECTS: Any = {"openai_chat": CHAT, "gemini": DIALECT}
ANSWER = (
    response({"text": "Hm.", "thought": True}),
    response(called("f", "SIG", a=1), called("g")),
    response(
        finish="STOP",
        usageMetadata={"promptTokenCount": 3, "candidatesTokenCount": 2},
    ),
)


def chunks(asked: Call, *bodies: dict[str, Any]) -> list[Any]:
    way = passage(DIALECTS, asked, target())
    made = payloads(way.feed(stream(*bodies)) + way.finish())
    for chunk in made:
        assert chunk_errors(chunk) == []
    return made


def test_a_chat_client_s_stream() -> None:
    made = chunks(stream_call(usage=True), *ANSWER)
    choices = [chunk["choices"][0] for chunk in made if chunk["choices"]]
    assert choices[-1]["finish_reason"] == "tool_calls"
    calls = [
        each
        for choice in choices
        for each in choice["delta"].get("tool_calls", ())
        if "id" in each
    ]
    assert [(each["index"], each["function"]["name"]) for each in calls] == [
        (0, "f"),
        (1, "g"),
    ]
    assert made[-1]["usage"]["total_tokens"] == 5


def test_a_blocked_prompt_is_one_choice_and_not_none() -> None:
    blocked = {"promptFeedback": {"blockReason": "SAFETY"}}
    made = chunks(stream_call(), blocked)
    assert made[-1]["choices"][0]["finish_reason"] == "content_filter"
    way = passage(DIALECTS, call(), target())
    way.feed(json.dumps(blocked).encode())
    whole = json.loads(way.finish())
    assert completion_errors(whole) == []
    assert whole["choices"][0]["finish_reason"] == "content_filter"


def test_a_signature_survives_a_client_that_knows_nothing_of_it() -> None:
    told = response(called("f", "SIG", a=1), finish="STOP")
    way = passage(DIALECTS, call(), target())
    way.feed(json.dumps(told).encode())
    message = json.loads(way.finish())["choices"][0]["message"]
    (tool_call,) = message["tool_calls"]
    # What a client keeps: id, type, name and arguments.
    again = CHAT.parse_request(
        request(
            {
                "model": "m",
                "messages": [
                    {"role": "user", "content": "Hi"},
                    {"role": "assistant", "content": None, "tool_calls": [tool_call]},
                    {"role": "tool", "tool_call_id": tool_call["id"], "content": "1"},
                ],
            }
        )
    )
    sent = json.loads(write_request(DIALECTS, again, target()).body)
    (part,) = sent["contents"][1]["parts"]
    assert part["thoughtSignature"] == "SIG"
    assert part["functionCall"]["args"] == {"a": 1}
    (result,) = sent["contents"][2]["parts"]
    assert result["functionResponse"]["id"] == part["functionCall"]["id"]
    assert result["functionResponse"]["name"] == "f"


def test_a_stream_that_breaks_off_is_never_whole() -> None:
    way = passage(DIALECTS, stream_call(), target())
    passed = way.feed(stream(*ANSWER[:2]))
    assert b'"finish_reason":"' not in passed
    with pytest.raises(Exception, match="broke off"):
        way.finish()


def test_no_client_speaks_it() -> None:
    name: DialectName = "gemini"
    assert DIALECT.name == name
    asked = call()
    for use in (
        lambda: DIALECT.parse_request(request(b"{}")),
        lambda: DIALECT.writer(asked),
        lambda: DIALECT.render_error(OwnFault()),
        lambda: DIALECT.write_request(asked, target()),
        lambda: DIALECT.read_prompt(asked),
        lambda: DIALECT.passage(asked, target()),
    ):
        with pytest.raises(Unimplemented):
            use()
