"""No name of a field of one dialect reaches a client or a provider of another.

Providers say all that they can say here, and things that nobody knows besides; clients
ask for all that they can ask. Every name that comes out on the other side must be one
of that side's own document.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support import chat, gemini, messages, ollama, responses
from support.rich_requests import ASKED, ODD
from support.vendor_keys import foreign_keys

from lightweight.dialects import crossing
from lightweight.errors import ProviderFault
from lightweight.records import Call, DialectName, Request, Target
from lightweight.runtime import DIALECTS

CLIENTS: tuple[DialectName, ...] = (
    "openai_chat",
    "openai_responses",
    "anthropic",
    "ollama",
    "ollama_generate",
)
PROVIDERS: tuple[DialectName, ...] = (
    "openai_chat",
    "openai_responses",
    "anthropic",
    "gemini",
    "ollama",
)
PAIRS = [
    (client, provider)
    for client in CLIENTS
    for provider in PROVIDERS
    if client != provider and (client, provider) != ("ollama_generate", "ollama")
]
EACH_PAIR = pytest.mark.parametrize(("client", "provider"), PAIRS)
# -- what providers say ------------------------------------------------------------

CHAT_USAGE = {
    "prompt_tokens": 10,
    "completion_tokens": 9,
    "total_tokens": 19,
    "prompt_tokens_details": {"cached_tokens": 3, "audio_tokens": 0, **ODD},
    "completion_tokens_details": {"reasoning_tokens": 4, **ODD},
    **ODD,
}
CHAT_CALLS = [
    {
        "index": index,
        "id": f"call_{index}",
        "type": "function",
        "function": {"name": "weather", "arguments": '{"city":"Ulm"}'},
        **ODD,
    }
    for index in range(2)
]
CHAT_SAID: dict[str, Any] = {
    "role": "assistant",
    "content": "Hi",
    "reasoning_content": "Hm.",
    "annotations": [{"type": "url_citation", **ODD}],
    **ODD,
}
CHAT_BESIDE = {"logprobs": {"content": [{"token": "Hi", "top_logprobs": []}]}, **ODD}


def chat_stream() -> bytes:
    deltas = [CHAT_SAID, {"tool_calls": CHAT_CALLS}, {"refusal": "No."}]
    return b"".join(
        [
            *(
                chat.chunk(
                    {"index": 0, "delta": delta, "finish_reason": None, **CHAT_BESIDE},
                    system_fingerprint="fp_1",
                    service_tier="default",
                    **ODD,
                )
                for delta in deltas
            ),
            chat.chunk({**chat.ending("tool_calls"), **ODD}),
            chat.chunk(usage=CHAT_USAGE, **ODD),
            chat.DONE,
        ]
    )


def chat_whole() -> bytes:
    choice = chat.answer("tool_calls", **CHAT_SAID, tool_calls=CHAT_CALLS)
    return chat.completion(
        {**choice, **CHAT_BESIDE}, usage=CHAT_USAGE, system_fingerprint="fp_1", **ODD
    )


ITEMS: list[dict[str, Any]] = [
    responses.thoughts("Hm.", encrypted_content="SEAL", **ODD),
    responses.message({**responses.text("Hi"), **ODD}),
    responses.message({"type": "refusal", "refusal": "No.", **ODD}, id_="msg_2"),
    responses.function_call('{"city":"Ulm"}', name="weather", **ODD),
    responses.function_call("{}", name="weather", call_id="call_2", id="fc_2"),
    {"type": "web_search_call", "id": "ws_1", "status": "completed", **ODD},
]


def responses_stream() -> bytes:
    said = responses.created() + responses.event("response.x_new", **ODD)
    for index, item in enumerate(ITEMS):
        said += responses.added(item, index) + responses.done(item, index)
    return said + responses.completed(*ITEMS, **ODD)


def responses_whole() -> bytes:
    usage = {**responses.USAGE, **ODD}
    return json.dumps(responses.response("completed", *ITEMS, usage=usage)).encode()


BLOCKS: list[dict[str, Any]] = [
    {"type": "thinking", "thinking": "Hm.", "signature": "SIG", **ODD},
    {"type": "redacted_thinking", "data": "SECRET", **ODD},
    {"type": "text", "text": "Hi", "citations": [{"type": "x", **ODD}], **ODD},
    {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}, **ODD},
    {"type": "tool_use", "id": "toolu_2", "name": "weather", "input": {"city": "B"}},
    {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {}},
]
CLAUDES_USAGE = {
    **messages.USAGE,
    "cache_creation": {"ephemeral_5m_input_tokens": 2, **ODD},
    "output_tokens_details": {"thinking_tokens": 3},
    "service_tier": "standard",
    **ODD,
}


def anthropic_stream() -> bytes:
    return b"".join(
        [
            messages.start(usage=CLAUDES_USAGE, **ODD),
            messages.PING,
            messages.thinking(0, "Hm.", "SIG"),
            messages.block(1, BLOCKS[1]),
            messages.text(2, "Hi"),
            messages.tool_use(3, "toolu_1", "weather", '{"city":', '"Ulm"}'),
            messages.tool_use(4, "toolu_2", "weather", "{}"),
            messages.block(5, BLOCKS[5]),
            messages.event("x_new", **ODD),
            messages.end("tool_use", **CLAUDES_USAGE),
        ]
    )


def anthropic_whole() -> bytes:
    return messages.whole(
        *BLOCKS, stop_reason="tool_use", usage=CLAUDES_USAGE, stop_details=None, **ODD
    )


GOOGLES_USAGE = {
    "promptTokenCount": 10,
    "cachedContentTokenCount": 3,
    "candidatesTokenCount": 5,
    "thoughtsTokenCount": 4,
    "totalTokenCount": 19,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 10}],
    **ODD,
}
PARTS: list[dict[str, Any]] = [
    {"text": "Hm.", "thought": True, **ODD},
    {"text": "Hi", "thoughtSignature": "U0lH"},
    {**gemini.called("weather", "U0lH", city="Ulm"), **ODD},
    gemini.called("weather", city="Bern"),
    {"executableCode": {"language": "PYTHON", "code": "1"}},
]


def gemini_stream() -> bytes:
    bodies = [gemini.response(part, **ODD) for part in PARTS]
    last = gemini.response(finish="STOP", usageMetadata=GOOGLES_USAGE)
    last["candidates"][0] |= {"safetyRatings": [], "groundingMetadata": {}, **ODD}
    return gemini.stream(*bodies, last)


def gemini_whole() -> bytes:
    body = gemini.response(*PARTS, finish="STOP", usageMetadata=GOOGLES_USAGE, **ODD)
    return json.dumps(body).encode()


OLLAMAS_SAID: dict[str, Any] = {
    "thinking": "Hm.",
    "tool_calls": [
        {"function": {"index": 0, "name": "weather", "arguments": {"city": "Ulm"}}},
        {"function": {"name": "weather", "arguments": {}, **ODD}, **ODD},
    ],
    **ODD,
}


def ollama_stream() -> bytes:
    said = ollama.line("Hi", message=OLLAMAS_SAID, logprobs=[{"token": "Hi"}], **ODD)
    return said + ollama.last(context=[1, 2], **ODD)


def ollama_whole() -> bytes:
    return ollama.last(message=OLLAMAS_SAID, **ODD)


SAID: dict[DialectName, tuple[Callable[[], bytes], Callable[[], bytes]]] = {
    "openai_chat": (chat_whole, chat_stream),
    "openai_responses": (responses_whole, responses_stream),
    "anthropic": (anthropic_whole, anthropic_stream),
    "gemini": (gemini_whole, gemini_stream),
    "ollama": (ollama_whole, ollama_stream),
}

ERRORS: dict[DialectName, bytes] = {
    "openai_chat": chat.chunk(error={"message": "m", "code": 500, **ODD}, **ODD),
    "openai_responses": responses.event("error", message="m", code="x", **ODD),
    "anthropic": messages.event(
        "error", error={"type": "overloaded_error", "message": "m", **ODD}, **ODD
    ),
    "gemini": gemini.event({"error": {"code": 503, "status": "X", "details": [ODD]}}),
    "ollama": json.dumps({"error": "m", **ODD}).encode() + b"\n",
}
"""An error in a stream that began."""

REFUSED: dict[DialectName, dict[str, Any]] = {
    "openai_chat": {"error": {"message": "m", "type": "t", "code": "c", **ODD}, **ODD},
    "openai_responses": {"error": {"message": "m", "innererror": ODD}},
    "anthropic": {
        "type": "error",
        "error": {"type": "invalid_request_error", "message": "m", **ODD},
        "request_id": "req_up",
    },
    "gemini": {"error": {"code": 400, "message": "m", "status": "X", "details": [ODD]}},
    "ollama": {"error": "m", **ODD},
}
"""An error in the place of an answer."""


CHOICES = {"tool_choice", "parallel_tool_calls"}
"""What Ollama's API has nothing like and refuses."""

MODELS = {"gemini": "gemini-3-flash-preview", "anthropic": "claude-sonnet-4-6"}


def call_of(client: DialectName, *, stream: bool, choosing: bool = True) -> Call:
    """Make a call that asks for all, or for all but a choice among the tools."""
    body = {"model": "m", "stream": stream, **ASKED[client]}
    if not choosing:
        body = {key: body[key] for key in body.keys() - CHOICES}
    if not stream:
        body.pop("stream_options", None)
    return DIALECTS[client].parse_request(
        Request(
            id="r1",
            method="POST",
            path="/",
            headers={},
            body=json.dumps(body).encode(),
            arrived=0.0,
        )
    )


def target(provider: DialectName) -> Target:
    model = MODELS.get(provider, "gpt-5.2")
    return Target(provider="p", model=model, dialect=provider)


def told(data: bytes) -> Iterator[Any]:
    """Give each JSON text of an answer, whole, of events or of lines."""
    for line in data.decode().splitlines():
        body = line.removeprefix("data: ")
        if body and body != "[DONE]" and not line.startswith("event: "):
            yield json.loads(body)


@pytest.mark.parametrize("stream", [False, True])
@EACH_PAIR
def test_an_answer_has_the_clients_names(
    client: DialectName,
    provider: DialectName,
    stream: bool,  # noqa: FBT001 -- a parameter
) -> None:
    call = call_of(client, stream=stream)
    way = crossing.passage(DIALECTS, call, target(provider))
    written = way.feed(SAID[provider][stream]())
    bodies = list(told(written + way.finish()))
    assert bodies
    assert way.usage is not None
    assert foreign_keys(client, "answers", bodies) == set()


@EACH_PAIR
def test_an_error_in_a_stream_has_the_clients_names(
    client: DialectName, provider: DialectName
) -> None:
    call = call_of(client, stream=True)
    way = crossing.passage(DIALECTS, call, target(provider))
    whole = SAID[provider][1]()
    written = b""
    with pytest.raises(ProviderFault) as caught:
        written = way.feed(whole[: whole.index(b"\n", len(whole) // 3)] + b"\n\n")
        way.feed(ERRORS[provider])
        way.finish()
    bodies = list(told(written + way.broken(caught.value)))
    assert foreign_keys(client, "answers", bodies) == set()
    assert "error" in json.dumps(bodies[-2:])


@EACH_PAIR
@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 529])
def test_a_refusal_has_the_clients_names(
    client: DialectName, provider: DialectName, status: int
) -> None:
    fault = DIALECTS[provider].read_error(
        status, {"retry-after": "3"}, json.dumps(REFUSED[provider]).encode()
    )
    answer = DIALECTS[client].render_error(fault)
    assert foreign_keys(client, "answers", json.loads(answer.body)) == set()


@pytest.mark.parametrize("stream", [False, True])
@EACH_PAIR
def test_a_request_has_the_providers_names(
    client: DialectName,
    provider: DialectName,
    stream: bool,  # noqa: FBT001 -- a parameter
) -> None:
    call = call_of(client, stream=stream, choosing=provider != "ollama")
    sent = crossing.write_request(DIALECTS, call, target(provider))
    assert foreign_keys(provider, "requests", json.loads(sent.body)) == set()
