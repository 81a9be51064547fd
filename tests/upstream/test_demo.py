"""The demo: honest, OpenAI-shaped, steered like the real thing."""

import json
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

import msgspec
from support.sink import CHAT, STREAMED_CHAT, RecordingSink, outgoing

from lightweight.upstream.demo import GAP_SECONDS, TEXT, DemoProvider, DemoReply

NOW = 1_764_000_000.7


def ask(clock: Clock, body: bytes = CHAT, path: str = "/chat/completions") -> DemoReply:
    sending = DemoProvider("demo", clock, wall=lambda: NOW).send(
        msgspec.structs.replace(outgoing(body), path=path), "req-1"
    )
    replies: list[DemoReply] = []
    Deferred.fromCoroutine(sending).addCallback(replies.append)
    return replies[0]


def stream(body: bytes = STREAMED_CHAT) -> list[Any]:
    clock, sink = Clock(), RecordingSink()
    ask(clock, body).body.deliver(sink)
    while clock.getDelayedCalls():
        clock.advance(GAP_SECONDS)
    assert sink.ends == [None]
    *events, last, nothing = sink.data.split(b"\n\n")
    assert (last, nothing) == (b"data: [DONE]", b"")
    return [json.loads(event.removeprefix(b"data: ")) for event in events]


def test_the_whole_answer_says_what_it_is_and_what_to_do() -> None:
    clock, sink = Clock(), RecordingSink()
    ask(clock).body.deliver(sink)
    assert sink.ends == [None]
    answer = json.loads(sink.data)
    assert answer["object"] == "chat.completion"
    assert (answer["id"], answer["model"]) == ("chatcmpl-req-1", "demo")
    assert answer["created"] == int(NOW)
    assert answer["choices"][0]["message"]["content"] == TEXT
    assert answer["choices"][0]["finish_reason"] == "stop"
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert min(usage.values()) > 0
    for needed in ("demo of Lightweight", "OPENAI_API_KEY", "[providers.openai]"):
        assert needed in TEXT


def test_the_stream_says_the_same() -> None:
    *chunks, usage = stream()
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert deltas[0] == {"role": "assistant", "content": ""}
    assert "".join(delta.get("content", "") for delta in deltas) == TEXT
    reasons = [chunk["choices"][0]["finish_reason"] for chunk in chunks]
    assert reasons == [None] * (len(chunks) - 1) + ["stop"]
    assert all(chunk["usage"] is None for chunk in chunks)
    assert usage["choices"] == []
    assert usage["usage"]["completion_tokens"] == len(chunks) - 2


def test_usage_comes_only_where_it_was_asked_for() -> None:
    chunks = stream(CHAT[:-1] + b',"stream":true}')
    assert all("usage" not in chunk for chunk in chunks)


def test_the_stream_comes_piece_by_piece() -> None:
    clock, sink = Clock(), RecordingSink()
    ask(clock, STREAMED_CHAT).body.deliver(sink)
    assert len(sink.pieces) == 1
    clock.advance(GAP_SECONDS)
    assert len(sink.pieces) == 2


def test_what_was_asked_is_never_echoed() -> None:
    canary = b'{"model":"demo","messages":[{"role":"user","content":"c4n4ry"}]}'
    clock, sink = Clock(), RecordingSink()
    ask(clock, canary).body.deliver(sink)
    assert b"c4n4ry" not in sink.data


def test_what_it_cannot_do_is_an_openai_error() -> None:
    for body, path, status in (
        (CHAT, "/embeddings", 404),
        (b"nonsense", "/chat/completions", 400),
        (b'{"stream":"yes"}', "/chat/completions", 400),
    ):
        clock, sink = Clock(), RecordingSink()
        reply = ask(clock, body, path)
        reply.body.deliver(sink)
        assert reply.status == status
        assert set(json.loads(sink.data)["error"]) == {
            "message",
            "type",
            "param",
            "code",
        }


def test_an_aborted_stream_leaves_nothing_behind() -> None:
    clock, sink = Clock(), RecordingSink()
    reply = ask(clock, STREAMED_CHAT)
    reply.body.deliver(sink)
    assert clock.getDelayedCalls()
    reply.body.abort()
    reply.body.resume()
    assert clock.getDelayedCalls() == []
