"""Anthropic's clients through the whole gateway, in memory."""

import json

from support.claude import ask, claude_gateway, error_of
from support.gateway import DONE, chunk, completion, usage_chunk
from support.messages import end, events, start, text, whole

from lightweight.dialects.anthropic_writer import PING
from lightweight.web.keepalive import SECONDS

SPOKEN = start() + text(0, "Hi") + end()


def test_a_stream_of_claude_passes() -> None:
    gateway = claude_gateway()
    client = ask(gateway, "/v1/messages?beta=true", stream=True)
    assert gateway.one.asked[0].path == "/messages?beta=true"
    body = gateway.one.reply(headers={"request-id": "req_theirs"})
    body.push(SPOKEN)
    answer = client.answer()
    assert answer.body == SPOKEN.replace(b'"model": "up"', b'"model": "claude"')
    assert answer.headers["content-type"] == "text/event-stream"
    assert answer.headers["x-upstream-request-id"] == "req_theirs"
    assert answer.headers["request-id"] == answer.headers["x-request-id"]
    assert answer.whole
    outcome = gateway.outcome
    assert (outcome.ending, outcome.dialect) == ("finished", "anthropic")
    assert outcome.usage is not None
    assert (outcome.usage.prompt, outcome.usage.completion) == (10, 9)


def test_a_whole_message_of_claude_passes() -> None:
    gateway = claude_gateway()
    client = ask(gateway, headers={"anthropic-version": "2026-10-21"})
    (sent,) = gateway.one.asked
    assert sent.headers["anthropic-version"] == "2026-10-21"
    body = gateway.one.reply()
    body.push(whole({"type": "text", "text": "Hi"}))
    body.end()
    assert client.answer().json()["model"] == "claude"


def test_a_stream_of_a_chat_provider_crosses() -> None:
    gateway = claude_gateway()
    client = ask(gateway, model="gpt", stream=True)
    (sent,) = gateway.two.asked
    assert sent.path == "/chat/completions"
    assert json.loads(sent.body)["messages"] == [{"role": "user", "content": "Hi"}]
    body = gateway.two.reply()
    body.push(chunk(), chunk(None, "stop"), usage_chunk(), DONE)
    told = events(client.answer().body)
    assert told[0]["message"]["model"] == "gpt"
    assert told[2]["delta"] == {"type": "text_delta", "text": "Hi"}
    assert told[-2]["usage"]["input_tokens"] == 7
    assert told[-1] == {"type": "message_stop"}
    assert gateway.outcome.ending == "finished"


def test_a_whole_answer_of_a_chat_provider_crosses() -> None:
    gateway = claude_gateway()
    client = ask(gateway, model="gpt")
    body = gateway.two.reply()
    body.push(completion())
    body.end()
    message = client.answer().json()
    assert message["content"][0]["text"] == "Hi"
    assert message["stop_reason"] == "end_turn"


def test_chat_clients_over_claude() -> None:
    gateway = claude_gateway()
    client = gateway.connect()
    client.chat(model="claude", stream=True)
    (sent,) = gateway.one.asked
    assert sent.path == "/messages"
    assert sent.headers["anthropic-version"] == "2023-06-01"
    gateway.one.reply().push(SPOKEN)
    assert b'"content":"Hi"' in client.answer().body
    assert client.answer().body.endswith(DONE)
    client = gateway.connect()
    client.chat(model="claude")
    body = gateway.one.reply()
    body.push(whole({"type": "text", "text": "Hi"}))
    body.end()
    answer = client.answer().json()
    assert answer["choices"][0]["message"]["content"] == "Hi"
    assert answer["usage"]["prompt_tokens"] == 10


def test_a_silent_stream_gets_pings() -> None:
    gateway = claude_gateway()
    client = ask(gateway, stream=True)
    gateway.clock.advance(SECONDS)
    assert client.answer().body == PING
    gateway.one.reply().push(start() + text(0, "Hi"))
    gateway.clock.advance(SECONDS)
    assert client.answer().body.endswith(PING)


def test_what_a_provider_refuses_is_told_in_claudes_words() -> None:
    gateway = claude_gateway()
    client = ask(gateway)
    body = gateway.one.reply(429, {"retry-after": "7"})
    body.end()
    assert error_of(client.answer()) == (429, "rate_limit_error")
    assert client.answer().headers["retry-after"] == "7"


def test_a_stream_that_breaks_ends_with_an_error_event() -> None:
    gateway = claude_gateway()
    client = ask(gateway, stream=True)
    body = gateway.one.reply()
    body.push(start() + text(0, "Hi"))
    body.end()
    answer = client.answer()
    told = events(answer.body)
    assert told[-1]["error"]["type"] == "api_error"
    assert told[-1]["request_id"] == answer.headers["request-id"]
    assert b"message_stop" not in answer.body
    assert gateway.outcome.ending == "cut"


def test_a_probe_of_the_front_needs_no_key() -> None:
    client = claude_gateway().connect()
    client.ask("HEAD", "/", key=None)
    assert client.answer(head_only=True).status == 200
