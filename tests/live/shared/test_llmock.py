"""Providers that nobody here wrote, behind a real daemon: llmock, in a child process.

It speaks chat, Responses, Messages and Gemini's API by its own lights, says what it is
told to say, and breaks when it is told to. Clients of every dialect ask each of them.
"""

import itertools
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twisted.internet.task import deferLater

import pytest
import pytest_twisted
from support import anthropic_schema, openai_schema
from support.daemon import BIN, Child, Gateway, spawn
from support.http import Fetched, fetch

from lightweight.dialects.seals import without_carried
from lightweight.errors import Fault
from lightweight.events import (
    Event,
    Finished,
    TextDelta,
    ToolCallDelta,
    UsageReported,
)
from lightweight.records import DialectName, Request
from lightweight.runtime import DIALECTS

CLIENTS: tuple[DialectName, ...] = (
    "openai_chat",
    "openai_responses",
    "anthropic",
    "ollama",
)
MODELS: dict[str, DialectName] = {
    "chat": "openai_chat",
    "resp": "openai_responses",
    "claude": "anthropic",
    "gem": "gemini",
}
EACH = list(itertools.product(CLIENTS, MODELS))
PATHS = {
    "openai_chat": "/v1/chat/completions",
    "openai_responses": "/v1/responses",
    "anthropic": "/v1/messages",
    "ollama": "/api/chat",
}
CONFIG = """
[timeouts]
idle = "1s"
[providers.openai]
kind = "openai"
base_url = "{url}/v1"
api_key = {{ env = "MOCK_KEY" }}
[providers.anthropic]
kind = "anthropic"
base_url = "{url}/anthropic/v1"
api_key = {{ env = "MOCK_KEY" }}
[providers.google]
kind = "gemini"
base_url = "{url}/gemini/v1beta"
api_key = {{ env = "MOCK_KEY" }}
"""
OFFERED = """
[[models]]
id = "{id}"
context = "128K"
targets = [{{ provider = "{provider}", model = "{model}", dialect = "{dialect}" }}]
"""
PLACES = [
    ("chat", "openai", "gpt-4o", "openai_chat"),
    ("resp", "openai", "gpt-4o", "openai_responses"),
    ("claude", "anthropic", "claude-sonnet-4-5", "anthropic"),
    ("gem", "google", "gemini-2.5-flash", "gemini"),
]
TEXT = "It rains in Ulm, and the sun shines in Bern."
CALLS = [
    {"name": "weather", "arguments": {"city": "Ulm", "when": "now"}},
    {"name": "weather", "arguments": {"city": "Bern"}},
]
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "when": {"type": "string"}},
    "required": ["city"],
}
TOOL = {"name": "weather", "description": "Tells the weather.", "parameters": SCHEMA}
HI: Any = [{"role": "user", "content": "How is the weather?"}]


@dataclass
class Mock:
    """llmock, and the daemon in front of it."""

    url: str
    gateway: Gateway

    async def behave(self, *behaviors: dict[str, Any]) -> None:
        """Say how the next requests fare."""
        await fetch(f"{self.url}/_llmock/reset", method="POST")
        told = await fetch(
            f"{self.url}/_llmock/scenario",
            method="POST",
            body={"behaviors": list(behaviors)},
        )
        assert told.status == 201, told.text

    async def fares_well(self, model: str) -> None:
        """Let a provider answer once, lest it be left alone for its faults."""
        await self.behave({"type": "reply", "text": "Hi"})
        got = await self.ask("openai_chat", model=model)
        assert got.status == 200, got.text

    async def comes_back(self, model: str) -> None:
        """Wait until a provider that told a limit is asked again."""
        from twisted.internet import reactor

        await self.behave({"type": "reply", "text": "Hi"})
        while (await self.ask("openai_chat", model=model)).status == 429:
            await deferLater(reactor, 0.05)

    async def ask(self, client: DialectName, **fields: Any) -> Fetched:
        """Ask for an answer in a client's dialect."""
        asked: dict[str, Any] = {"messages": HI, "stream": False}
        if client == "openai_responses":
            asked = {"input": HI, "stream": False}
        if client == "anthropic":
            asked["max_tokens"] = 1000
        if client == "openai_chat" and fields.get("stream"):
            asked["stream_options"] = {"include_usage": True}
        return await fetch(
            self.gateway.root + PATHS[client],
            method="POST",
            key=self.gateway.key,
            body={**asked, **fields},
        )


async def started(directory: Path) -> tuple[Child, str]:
    child = spawn(
        [BIN / "llmock", "serve", "-p", "0", "--stream-chunk-delay-ms", "8"],
        cwd=directory,
        environ={"NO_COLOR": "1"},
    )
    try:
        found = await child.line(r"running on (http://127\.0\.0\.1:\d+)")
    except BaseException:
        await child.stop()
        raise
    return child, found[1]


@pytest_twisted.async_yield_fixture(scope="module")  # type: ignore[untyped-decorator]  # has no types
async def standing_mock(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Mock]:
    """A daemon before llmock; both are stopped after the module's tests."""
    directory = tmp_path_factory.mktemp("llmock")
    child, url = await started(directory)
    offered = [
        OFFERED.format(id=id_, provider=provider, model=model, dialect=dialect)
        for id_, provider, model, dialect in PLACES
    ]
    try:
        gateway = await Gateway.start(
            directory,
            CONFIG.format(url=url) + "".join(offered),
            environ={"MOCK_KEY": "sk-mock-1"},
        )
        yield Mock(url, gateway)
        assert await gateway.stop() == 0
    finally:
        await child.stop()


@pytest.fixture
def mock(standing_mock: Mock) -> Mock:
    """Both, without the lines of other tests."""
    standing_mock.gateway.child.lines.clear()
    return standing_mock


def tools_of(client: DialectName) -> dict[str, Any]:
    if client == "anthropic":
        return {"tools": [{"name": "weather", "input_schema": SCHEMA}]}
    if client == "openai_responses":
        return {"tools": [{"type": "function", **TOOL}]}
    return {"tools": [{"type": "function", "function": TOOL}]}


def read(client: DialectName, got: Fetched, *, stream: bool) -> list[Event]:
    """Read an answer; raise the Fault that it tells of."""
    assert got.status == 200, got.text
    call = DIALECTS[client].parse_request(
        Request(
            id="r1",
            method="POST",
            path=PATHS[client],
            headers={},
            body=json.dumps(
                {"model": "m", "stream": stream, "messages": HI, "max_tokens": 1}
                if client != "openai_responses"
                else {"model": "m", "stream": stream, "input": HI}
            ).encode(),
            arrived=0.0,
        )
    )
    reader = DIALECTS[client].reader(call)
    return [*reader.feed(got.body), *reader.finish()]


def judge(client: DialectName, got: Fetched, *, stream: bool) -> None:
    """Judge what was written by the gateway by the vendor's document."""
    told = [
        json.loads(line.removeprefix("data: "))
        for line in got.text.splitlines()
        if line.startswith(("data: {", "{"))
    ]
    errors: list[str] = []
    for each in told:
        match client, stream:
            case "openai_chat", True:
                errors += openai_schema.chunk_errors(each)
            case "openai_chat", False:
                errors += openai_schema.completion_errors(each)
            case "openai_responses", True:
                errors += openai_schema.response_event_errors(each)
            case "openai_responses", False:
                errors += openai_schema.response_errors(each)
            case "anthropic", True:
                errors += anthropic_schema.event_errors(each)
            case "anthropic", False:
                errors += anthropic_schema.message_errors(each)
    assert told
    assert errors == []


def sense_of(events: list[Event]) -> tuple[str, list[tuple[str, Any]], str]:
    text = "".join(each.text for each in events if isinstance(each, TextDelta))
    calls: dict[int, tuple[str, str]] = {}
    ids: set[str] = set()
    for each in events:
        if isinstance(each, ToolCallDelta):
            name, arguments = calls.get(each.call, (each.name or "", ""))
            calls[each.call] = name, arguments + each.arguments
            ids |= {without_carried(each.id)[0]} if each.id else set()
    assert len(ids) == len(calls)
    (reason,) = [each.reason for each in events if isinstance(each, Finished)]
    assert any(isinstance(each, UsageReported) for each in events)
    return text, [(name, json.loads(said)) for name, said in calls.values()], reason


@pytest.mark.async_limit(110)
async def test_what_it_says_is_what_every_client_hears(mock: Mock) -> None:
    for (client, model), stream in itertools.product(EACH, (False, True)):
        reply = {"type": "reply", "text": TEXT, "tool_calls": CALLS}
        await mock.behave(reply)
        got = await mock.ask(client, model=model, stream=stream, **tools_of(client))
        text, calls, reason = sense_of(read(client, got, stream=stream))
        said = [(each["name"], each["arguments"]) for each in CALLS]
        # Ollama ends an answer with calls like any other.
        ended = {"tool_calls", "stop" if client == "ollama" else "tool_calls"}
        assert text == TEXT, (client, model, stream)
        assert calls == said, (client, model, stream)
        assert reason in ended, (client, model, stream)
        if MODELS[model] != client:
            judge(client, got, stream=stream)


async def test_a_loop_of_tools_ends_with_words(mock: Mock) -> None:
    """Of its own accord it calls a tool that is offered, and answers its result."""
    for model in MODELS:
        await mock.behave({"type": "delay", "seconds": 0})
        got = await mock.ask("openai_chat", model=model, **tools_of("openai_chat"))
        message = got.json()["choices"][0]["message"]
        (call,) = message["tool_calls"]
        assert "city" in json.loads(call["function"]["arguments"])
        result = {"role": "tool", "tool_call_id": call["id"], "content": "rain"}
        got = await mock.ask(
            "openai_chat",
            model=model,
            messages=[*HI, message, result],
            **tools_of("openai_chat"),
        )
        choice = got.json()["choices"][0]
        assert choice["finish_reason"] == "stop", (model, choice)
        assert choice["message"]["content"]


@pytest.mark.async_limit(110)
async def test_a_stream_that_breaks_is_an_error_for_every_client(mock: Mock) -> None:
    faults = ("disconnect", "truncate", "malformed", "stall")
    for (client, model), kind in itertools.product(EACH, faults):
        if kind == "stall" and client != "openai_chat":
            continue  # each takes as long as the daemon's clock
        fault = {"type": "stream_fault", "kind": kind, "after_chunks": 6}
        if kind == "stall":
            fault["stall_seconds"] = 20
        await mock.behave({"type": "reply", "text": TEXT}, fault)
        got = await mock.ask(client, model=model, stream=True)
        with pytest.raises(Fault):
            read(client, got, stream=True)
        assert b'"error"' in got.body, (client, model, kind)
        await mock.fares_well(model)
    endings = [line["ending"] for line in mock.gateway.access()]
    assert set(endings) == {"cut", "finished"}


@pytest.mark.async_limit(110)
async def test_what_it_refuses_with_is_told_in_the_clients_words(mock: Mock) -> None:
    statuses = {400: 400, 401: 502, 404: 502, 500: 502}
    for (client, model), status in itertools.product(EACH, statuses):
        await mock.behave({"type": "fail", "status": status, "message": "no"})
        got = await mock.ask(client, model=model)
        assert got.status == statuses[status], (client, model, status, got.text)
        told = got.json()
        if client == "anthropic":
            assert anthropic_schema.error_errors(told) == []
        elif client == "ollama":
            assert isinstance(told["error"], str)
        else:
            assert openai_schema.error_errors(told) == []
        await mock.fares_well(model)


async def test_a_limit_is_one_with_the_time_to_come_back(mock: Mock) -> None:
    for client, model in zip(CLIENTS, MODELS, strict=True):
        await mock.behave({"type": "fail", "status": 429, "retry_after": 2})
        got = await mock.ask(client, model=model)
        assert got.status == 429, (client, model, got.text)
        assert got.headers["retry-after"] == "2"
    for model in MODELS:
        await mock.comes_back(model)
