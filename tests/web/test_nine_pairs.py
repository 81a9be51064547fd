"""Clients of three dialects before providers of three, through the whole gateway.

Whatever the two sides speak: the client hears what was said, with the same tokens as
the bill; a break is an error and never an end; a client that leaves stops its provider.
"""

import dataclasses
import itertools
import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from support import anthropic_schema, chat, messages, openai_schema, responses
from support.fakes import FakeSource
from support.gateway import Client, Gateway, model, offering
from support.spoken import (
    CALLS,
    SAID,
    SEAL,
    THOUGHT,
    heard,
    joined_chat,
    joined_content,
    streamed,
    whole,
)

from lightweight.catalog.load import load_catalog
from lightweight.catalog.offer import offer
from lightweight.dialects.seals import without_carried
from lightweight.errors import ProviderCut
from lightweight.records import DialectName, Target

DIALECTS: tuple[DialectName, ...] = ("openai_chat", "openai_responses", "anthropic")
EACH_PAIR = pytest.mark.parametrize(
    ("client", "provider"), list(itertools.product(DIALECTS, DIALECTS))
)
PATHS = {
    "openai_chat": "/v1/chat/completions",
    "openai_responses": "/v1/responses",
    "anthropic": "/v1/messages",
}
HI: Any = [{"role": "user", "content": "Hi"}]
ASKED: dict[DialectName, dict[str, Any]] = {
    "openai_chat": {"messages": HI},
    "openai_responses": {"input": HI},
    "anthropic": {"messages": HI, "max_tokens": 100},
}
ERRORS = {
    "openai_chat": chat.chunk(error={"message": "sda1 is full", "code": 500}),
    "openai_responses": responses.event("error", message="sda1 is full", code="x"),
    "anthropic": messages.event(
        "error", error={"type": "api_error", "message": "sda1 is full"}
    ),
}


@pytest.fixture
def gateway() -> Gateway:
    made = Gateway()
    places = [
        model(name, Target(provider="one", model="there", dialect=name))
        for name in DIALECTS
    ]
    made.runtime = dataclasses.replace(made.runtime, offering=offering(*places))
    return made


def ask(
    gateway: Gateway, client: DialectName, provider: DialectName, **fields: Any
) -> Client:
    connection = gateway.connect()
    asked = {"model": provider, **ASKED[client], **fields}
    if client == "openai_chat" and asked.get("stream"):
        asked["stream_options"] = {"include_usage": True}
    connection.ask("POST", PATHS[client], json.dumps(asked).encode())
    return connection


def asked_stream(
    gateway: Gateway, client: DialectName, provider: DialectName
) -> tuple[Client, FakeSource]:
    connection = ask(gateway, client, provider, stream=True)
    return connection, gateway.one.reply(headers={"content-type": "text/event-stream"})


def parsed(calls: Any) -> Any:
    return [(id_, name, json.loads(said)) for id_, name, said in calls]


JUDGES: dict[tuple[DialectName, bool], Callable[[Any], list[str]]] = {
    ("openai_chat", True): openai_schema.chunk_errors,
    ("openai_chat", False): openai_schema.completion_errors,
    ("openai_responses", True): openai_schema.response_event_errors,
    ("openai_responses", False): openai_schema.response_errors,
    ("anthropic", True): anthropic_schema.event_errors,
    ("anthropic", False): anthropic_schema.message_errors,
}


def bodies(client: DialectName, data: bytes, *, stream: bool) -> list[Any]:
    if not stream:
        return [json.loads(data)]
    reads = {
        "openai_chat": chat.payloads,
        "openai_responses": responses.told,
        "anthropic": messages.events,
    }
    return reads[client](data)


@pytest.mark.parametrize("stream", [False, True])
@EACH_PAIR
def test_the_client_hears_what_was_said(
    gateway: Gateway,
    client: DialectName,
    provider: DialectName,
    stream: bool,  # noqa: FBT001 -- a parameter
) -> None:
    connection = ask(gateway, client, provider, stream=stream)
    body = gateway.one.reply()
    body.push(*(streamed(provider) if stream else [whole(provider)]))
    body.end()
    answer = connection.answer()
    assert (answer.status, answer.whole) == (200, True)
    told = heard(client, answer.body, stream=stream)
    calls = told.pop("calls")
    assert told == {
        "text": SAID,
        "thought": THOUGHT,
        "reason": "tool_calls",
        "usage": (10, 3, 10, 20),
    }
    assert parsed(calls) == parsed(CALLS)
    if stream or "anthropic" not in (client, provider):
        # In a whole message arguments are an object: no spelling is known.
        assert calls == CALLS
    if client != provider:
        judge = JUDGES[client, stream]
        for each in bodies(client, answer.body, stream=stream):
            assert judge(each) == []
    outcome = gateway.outcome
    assert (outcome.ending, outcome.provenance) == ("finished", "reported")
    usage = outcome.usage
    assert usage is not None
    assert (usage.prompt, usage.cached, usage.cache_write) == (10, 3, 2)
    assert (usage.completion, usage.reasoning) == (10, 6)
    (use,) = gateway.journal.uses.values()
    assert use.outcome.usage == usage


@pytest.mark.parametrize("stream", [False, True])
def test_codex_of_the_catalog_calls_two_tools_for_a_chat_client(
    gateway: Gateway, *, stream: bool
) -> None:
    on_offer = offer(load_catalog(), {"one": "azure"}, [], DIALECTS, date(2026, 11, 22))
    gateway.runtime = dataclasses.replace(gateway.runtime, offering=on_offer)
    connection = gateway.connect()
    asked = {"model": "gpt-5.1-codex", "stream": stream, **ASKED["openai_chat"]}
    connection.ask("POST", PATHS["openai_chat"], json.dumps(asked).encode())
    body = gateway.one.reply()
    spoken: DialectName = "openai_responses"
    body.push(*(streamed(spoken) if stream else [whole(spoken)]))
    body.end()
    (sent,) = gateway.one.asked
    assert (sent.path, json.loads(sent.body)["model"]) == ("/responses", asked["model"])
    told = bodies("openai_chat", connection.answer().body, stream=stream)
    calls: dict[int, list[str]] = {}
    for each in told:
        said = each["choices"][0].get("delta") or each["choices"][0].get("message", {})
        for place, call in enumerate(said.get("tool_calls", ())):
            made = calls.setdefault(call.get("index", place), [])
            made += [call["id"], call["function"]["name"]] if "id" in call else []
            made.append(call["function"]["arguments"])
    assert sorted(calls) == [0, 1]
    for index, (id_, name, arguments) in enumerate(CALLS):
        shown, called, *pieces = calls[index]
        assert without_carried(shown)[0] == id_
        assert (called, "".join(pieces)) == (name, arguments)


@pytest.mark.parametrize("how", ["error", "cut", "ended"])
@EACH_PAIR
def test_a_break_is_an_error_and_never_an_end(
    gateway: Gateway, client: DialectName, provider: DialectName, how: str
) -> None:
    connection, body = asked_stream(gateway, client, provider)
    events = streamed(provider)
    body.push(*events[: len(events) // 2])
    assert SAID[:3].encode() in connection.received
    if how == "error":
        body.push(ERRORS[provider])
    body.end(ProviderCut("It broke.") if how == "cut" else None)
    answer = connection.answer()
    assert (answer.status, answer.whole) == (200, True)
    assert b"sda1" not in answer.body
    told = bodies(client, answer.body, stream=True)
    match client:
        case "openai_chat":
            assert answer.body.endswith(chat.DONE)
            assert set(told[-1]["error"]) == {"message", "type", "param", "code"}
            assert not any(
                choice["finish_reason"]
                for each in told[:-1]
                for choice in each["choices"]
            )
        case "openai_responses":
            assert [each["type"] for each in told[-2:]] == ["error", "response.failed"]
            assert told[-1]["response"]["status"] == "failed"
        case "anthropic":
            assert anthropic_schema.error_errors(told[-1]) == []
            assert "message_stop" not in [each["type"] for each in told]
    assert gateway.outcome.ending == "cut"


@EACH_PAIR
def test_a_client_that_leaves_stops_its_provider(
    gateway: Gateway, client: DialectName, provider: DialectName
) -> None:
    connection, body = asked_stream(gateway, client, provider)
    body.push(*streamed(provider)[:5])
    assert not body.aborted
    connection.leave()
    assert body.aborted
    assert gateway.outcome.ending == "client_gone"
    (use,) = gateway.journal.uses.values()
    assert use.outcome.usage is not None


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("client", DIALECTS)
def test_signatures_return_intact_over_three_turns(
    gateway: Gateway,
    client: DialectName,
    stream: bool,  # noqa: FBT001 -- a parameter
) -> None:
    """Claude thinks and calls; the client sends its answer back, twice."""
    asked = ASKED[client]
    member = "input" if client == "openai_responses" else "messages"
    history: list[Any] = list(asked[member])
    sent: list[Any] = []
    for _ in range(3):
        connection = ask(
            gateway, client, "anthropic", stream=stream, **{member: history}
        )
        body = gateway.one.reply()
        body.push(*(streamed("anthropic") if stream else [whole("anthropic")]))
        body.end()
        sent.append(json.loads(gateway.one.asked[-1].body)["messages"])
        history += returned(client, connection.answer().body, stream=stream)
    assert [len(each) for each in sent] == [1, 3, 5]
    for message in sent[-1][1::2]:
        thinking, text, *calls = message["content"]
        assert (thinking["thinking"], thinking["signature"]) == (THOUGHT, SEAL)
        assert text["text"] == SAID
        assert [each["id"] for each in calls] == ["call_a", "call_b"]
        assert [each["input"] for each in calls] == [json.loads(c[2]) for c in CALLS]
    for message in sent[-1][2::2]:
        results = [each["tool_use_id"] for each in message["content"]]
        assert results == ["call_a", "call_b"]


def returned(client: DialectName, data: bytes, *, stream: bool) -> list[Any]:
    """Give an answer as its client sends it back, with the results of its calls."""
    if client == "openai_responses":
        last = responses.told(data)[-1]["response"] if stream else json.loads(data)
        output = last["output"]
        calls = [item for item in output if item["type"] == "function_call"]
        result = {"type": "function_call_output", "output": "rain"}
        return [*output, *({**result, "call_id": c["call_id"]} for c in calls)]
    if client == "anthropic":
        content = joined_content(data) if stream else json.loads(data)["content"]
        results = [
            {"type": "tool_result", "tool_use_id": each["id"], "content": "rain"}
            for each in content
            if each["type"] == "tool_use"
        ]
        return [
            {"role": "assistant", "content": content},
            {"role": "user", "content": results},
        ]
    message = joined_chat(data) if stream else json.loads(data)["choices"][0]["message"]
    # What every client keeps: content, and id, type, name and arguments of calls.
    kept = {key: message[key] for key in ("role", "content", "tool_calls")}
    return [
        kept,
        *(
            {"role": "tool", "tool_call_id": call["id"], "content": "rain"}
            for call in kept["tool_calls"]
        ),
    ]
