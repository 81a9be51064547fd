"""Chat calls that Gemini serves, and conversations that only it can go on with."""

import dataclasses
import json
from typing import Any

import pytest
from support.chat import payloads
from support.gateway import DONE, Client, Gateway, completion, model, offering
from support.gemini import DIALECT, called, response, stream

from lightweight.dialects.openai_chat import OpenAIChat
from lightweight.errors import ProviderUnreachable
from lightweight.records import Target, Usage

NATIVE = Target(provider="one", model="gemini-3-flash-preview", dialect="gemini")
CHAT = Target(provider="two", model="other", dialect="openai_chat")


def gateway(*targets: Target) -> Gateway:
    made = Gateway()
    made.runtime = dataclasses.replace(
        made.runtime,
        offering=offering(model("m", *targets)),
        dialects={"openai_chat": OpenAIChat(), "gemini": DIALECT},
    )
    return made


def asked(to: Gateway, **fields: Any) -> Client:
    client = to.connect()
    client.chat(model="m", **fields)
    return client


ANSWER = (
    response({"text": "Hi."}),
    response(
        finish="STOP",
        usageMetadata={"promptTokenCount": 3, "candidatesTokenCount": 2},
    ),
)


def test_a_stream() -> None:
    here = gateway(NATIVE)
    client = asked(here, stream=True, stream_options={"include_usage": True})
    (sent,) = here.one.asked
    assert sent.path.endswith("gemini-3-flash-preview:streamGenerateContent?alt=sse")
    body = here.one.reply()
    body.push(stream(ANSWER[0]))
    assert payloads(client.answer().body)[-1]["choices"][0]["delta"]["content"] == "Hi."
    body.push(stream(ANSWER[1]))
    assert DONE not in client.answer().body
    body.end()
    answer = client.answer()
    assert answer.body.endswith(DONE)
    assert payloads(answer.body)[-1]["usage"]["total_tokens"] == 5
    assert here.outcome.usage == Usage(fresh=3, answer=2)
    assert here.outcome.ending == "finished"


def test_a_whole_answer() -> None:
    here = gateway(NATIVE)
    client = asked(here)
    body = here.one.reply()
    body.push(json.dumps(response({"text": "Hi."}, finish="STOP")).encode())
    body.end()
    answer = client.answer()
    assert answer.status == 200
    assert answer.json()["choices"][0]["message"]["content"] == "Hi."
    assert answer.json()["model"] == "m"


@pytest.mark.parametrize("stream_it", [True, False])
def test_its_errors_are_the_client_s_dialect(*, stream_it: bool) -> None:
    here = gateway(NATIVE)
    client = asked(here, stream=stream_it)
    body = here.one.reply(400)
    error = {"code": 400, "message": "Bad schema.", "status": "INVALID_ARGUMENT"}
    body.push(json.dumps({"error": error}).encode())
    body.end()
    answer = client.answer()
    assert answer.status == 400
    assert answer.json()["error"]["message"] == "Bad schema."


def history(tool_call: Any) -> list[Any]:
    return [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": None, "tool_calls": [tool_call]},
        {"role": "tool", "tool_call_id": tool_call["id"], "content": "1"},
    ]


def test_a_conversation_with_its_seals_stays_there() -> None:
    here = gateway(NATIVE, CHAT)
    first = asked(here)
    body = here.one.reply()
    told = response(called("f", "SIG", a=1), finish="STOP")
    body.push(json.dumps(told).encode())
    body.end()
    (tool_call,) = first.answer().json()["choices"][0]["message"]["tool_calls"]

    second = asked(here, messages=history(tool_call))
    assert b'"thoughtSignature":"SIG"' in here.one.asked[-1].body
    here.one.fail(ProviderUnreachable("No connection."))
    assert second.answer().status == 502
    assert here.two.asked == []

    # Without a seal another provider may go on.
    plain = {**tool_call, "id": "call_1"}
    third = asked(here, messages=history(plain))
    here.one.fail(ProviderUnreachable("No connection."))
    other = here.two.reply()
    other.push(completion())
    other.end()
    assert third.answer().status == 200


def test_where_nobody_reads_the_seals_they_hold_nobody_back() -> None:
    here = gateway(CHAT, CHAT)
    seal = {"google": {"thought_signature": "SIG"}}
    function = {"name": "f", "arguments": "{}"}
    tool_call = {"id": "c", "type": "function", "function": function}
    client = asked(here, messages=history({**tool_call, "extra_content": seal}))
    body = here.two.reply()
    body.push(completion())
    body.end()
    assert client.answer().status == 200
