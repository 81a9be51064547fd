"""Every dialect before every other: what a provider says is what the client hears.

The provider's bytes are made by its dialect's writer and read again by the client's
reader, so each of them is tried against all the others.
"""

import itertools
import json
from typing import Any

import pytest

from lightweight.dialects import crossing
from lightweight.dialects.seals import without_carried
from lightweight.errors import Fault, ProviderCut, ProviderFault, ProviderTimeout
from lightweight.events import (
    Event,
    Finished,
    ReasoningDelta,
    Started,
    TextDelta,
    ToolCallDelta,
    Unknown,
    UsageReported,
)
from lightweight.records import Call, DialectName, Request, Target, Usage
from lightweight.runtime import DIALECTS

SPEAKING: tuple[DialectName, ...] = ("openai_chat", "openai_responses", "anthropic")
PAIRS = list(itertools.product(SPEAKING, SPEAKING))
PATHS = {
    "openai_chat": "/v1/chat/completions",
    "openai_responses": "/v1/responses",
    "anthropic": "/v1/messages",
}
TOOL: dict[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}}
SAID: list[Event] = [
    Started(id="x1", created=1_790_000_000, model="up"),
    ReasoningDelta(text="Where "),
    ReasoningDelta(text="is it?"),
    TextDelta(text="Let me "),
    TextDelta(text="look."),
    ToolCallDelta(call=0, arguments="", id="call_a", name="weather"),
    ToolCallDelta(call=0, arguments='{"city":'),
    ToolCallDelta(call=0, arguments='"Ulm"}'),
    ToolCallDelta(call=1, arguments='{"city":"Bern"}', id="call_b", name="weather"),
    Finished(reason="tool_calls"),
    UsageReported(usage=Usage(fresh=7, cached=3, answer=11, reasoning=0)),
]


def fields_of(dialect: DialectName) -> dict[str, Any]:
    if dialect == "anthropic":
        tools = [{"name": "weather", "input_schema": TOOL}]
        return {
            "max_tokens": 100,
            "messages": [{"role": "user", "content": "hi"}],
            "tools": tools,
        }
    if dialect == "openai_responses":
        tools = [{"type": "function", "name": "weather", "parameters": TOOL}]
        return {"input": "hi", "tools": tools}
    function = {"name": "weather", "parameters": TOOL}
    return {
        "messages": [{"role": "user", "content": "hi"}],
        "tools": [{"type": "function", "function": function}],
        "stream_options": {"include_usage": True},
    }


def call_of(dialect: DialectName, *, stream: bool) -> Call:
    body = {"model": "m", "stream": stream, **fields_of(dialect)}
    if not stream:
        body.pop("stream_options", None)
    return DIALECTS[dialect].parse_request(
        Request(
            id="r1",
            method="POST",
            path=PATHS[dialect],
            headers={},
            body=json.dumps(body).encode(),
            arrived=0.0,
        )
    )


def told(dialect: DialectName, events: list[Event], *, stream: bool) -> bytes:
    """Give a provider's bytes."""
    writer = DIALECTS[dialect].writer(call_of(dialect, stream=stream))
    return b"".join([*map(writer.write, events), writer.finish()])


def crossed(
    client: DialectName, provider: DialectName, data: bytes, *, stream: bool
) -> bytes:
    call = call_of(client, stream=stream)
    way = crossing.passage(
        DIALECTS, call, Target(provider="p", model="up", dialect=provider)
    )
    written = way.feed(data)
    written += way.finish()
    assert way.usage is not None
    assert (way.usage.prompt, way.usage.completion) == (10, 11)
    return written


def heard(dialect: DialectName, data: bytes, *, stream: bool) -> list[Event]:
    reader = DIALECTS[dialect].reader(call_of(dialect, stream=stream))
    return [*reader.feed(data), *reader.finish()]


def sense_of(events: list[Event]) -> dict[str, Any]:
    """Give what events say, however they are cut."""
    calls: dict[int, list[str]] = {}
    for event in events:
        if isinstance(event, ToolCallDelta):
            # Chat's ids bear the thoughts that another dialect seals.
            call_id, _ = without_carried(event.id or "")
            start = [call_id, event.name or "", ""]
            calls.setdefault(event.call, start)[2] += event.arguments
    usage = [event.usage for event in events if isinstance(event, UsageReported)]
    return {
        "text": "".join(e.text for e in events if isinstance(e, TextDelta)),
        "thought": "".join(e.text for e in events if isinstance(e, ReasoningDelta)),
        "calls": calls,
        "reasons": [e.reason for e in events if isinstance(e, Finished)],
        "usage": (usage[-1].prompt, usage[-1].cached, usage[-1].completion),
        "unknown": [e.raw for e in events if isinstance(e, Unknown)],
    }


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(("client", "provider"), PAIRS)
def test_an_answer_means_the_same(
    client: DialectName,
    provider: DialectName,
    stream: bool,  # noqa: FBT001 -- a parameter
) -> None:
    data = told(provider, SAID, stream=stream)
    written = crossed(client, provider, data, stream=stream)
    sense = sense_of(heard(client, written, stream=stream))
    assert sense == sense_of(SAID) | {"unknown": sense["unknown"]}


@pytest.mark.parametrize(("client", "provider"), PAIRS)
def test_a_cut_stream_is_never_whole(
    client: DialectName, provider: DialectName
) -> None:
    data = told(provider, SAID, stream=True)
    for cut in range(1, len(data) - 20, 37):
        way = crossing.passage(
            DIALECTS,
            call_of(client, stream=True),
            Target(provider="p", model="up", dialect=provider),
        )
        written = way.feed(data[:cut])
        if way.complete:
            continue
        with pytest.raises(ProviderFault):
            way.finish()
        written += way.broken(ProviderCut("cut"))
        with pytest.raises((ProviderFault, Fault)):
            heard(client, written, stream=True)


@pytest.mark.parametrize(("client", "provider"), PAIRS)
def test_an_error_in_the_stream_reaches_the_client_as_one(
    client: DialectName, provider: DialectName
) -> None:
    writer = DIALECTS[provider].writer(call_of(provider, stream=True))
    said = b"".join(map(writer.write, SAID[:5]))
    said += writer.broken(ProviderTimeout("It took too long."))
    way = crossing.passage(
        DIALECTS,
        call_of(client, stream=True),
        Target(provider="p", model="up", dialect=provider),
    )
    written = b""
    with pytest.raises(ProviderFault) as caught:
        written += way.feed(said)
        written += way.finish()
    with pytest.raises(Fault):
        heard(client, written + way.broken(caught.value), stream=True)


@pytest.mark.parametrize(("client", "provider"), PAIRS)
def test_a_request_means_the_same(client: DialectName, provider: DialectName) -> None:
    call = call_of(client, stream=True)
    target = Target(provider="p", model="up", dialect=provider)
    outgoing = crossing.write_request(DIALECTS, call, target)
    there = DIALECTS[provider].parse_request(
        Request(
            id="r2",
            method="POST",
            path=PATHS[provider],
            headers={},
            body=outgoing.body,
            arrived=0.0,
        )
    )
    assert (there.model, there.stream) == ("up", True)
    before = DIALECTS[client].read_prompt(call)
    after = DIALECTS[provider].read_prompt(there)
    assert after.turns == before.turns
    assert [tool.name for tool in after.tools] == ["weather"]
    (schema,) = [tool.parameters for tool in after.tools]
    assert json.loads(bytes(schema or b"")) == TOOL


@pytest.mark.parametrize("client", SPEAKING)
def test_an_odd_provider_is_mended_for_every_client(client: DialectName) -> None:
    stopped: list[Event] = [
        Finished(reason="stop") if isinstance(event, Finished) else event
        for event in SAID
    ]
    data = told("openai_chat", stopped, stream=True)
    way = crossing.passage(
        DIALECTS,
        call_of(client, stream=True),
        Target(
            provider="p",
            model="up",
            dialect="openai_chat",
            quirks=frozenset({"stop_after_tools"}),
        ),
    )
    written = way.feed(data)
    written += way.finish()
    sense = sense_of(heard(client, written, stream=True))
    assert sense["reasons"] == ["tool_calls"]
