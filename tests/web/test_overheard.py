"""What is kept of a call, of which keys, on both lanes."""

import pytest
from msgspec.structs import replace
from support.gateway import DONE, EPOCH, KEY, Gateway, chunk, completion, identity

from lightweight.errors import ProviderUnreachable
from lightweight.records import Identity, Kept
from lightweight.web import overheard

JSON = {"content-type": "application/json"}


def marked(days: int | None = 7) -> Gateway:
    """Make a gateway that keeps the prompts of the known key."""
    gateway = Gateway()
    known = identity()
    key = replace(known.key, keep_prompts_days=days)
    gateway.keys.held[KEY] = Identity(known.account, key)
    return gateway


def the_one(gateway: Gateway) -> Kept:
    (kept,) = gateway.kept
    return kept


def test_nothing_is_kept_unless_the_key_is_marked() -> None:
    gateway = marked(None)
    client = gateway.connect()
    client.chat()
    body = gateway.one.reply(headers=JSON)
    body.push(completion())
    body.end()
    assert client.answer().status == 200
    assert gateway.kept == []


def test_a_whole_answer_is_kept_as_it_was_sent() -> None:
    gateway = marked()
    client = gateway.connect()
    client.chat()
    body = gateway.one.reply(headers=JSON)
    body.push(completion())
    body.end()
    kept = the_one(gateway)
    answer = client.answer()
    assert kept.answer.encode() == answer.body
    assert kept.answer_bytes == len(answer.body)
    assert '"content": "Hi"' in kept.prompt
    assert kept.prompt_bytes == len(kept.prompt)
    assert kept.request_id == answer.headers["x-request-id"]
    assert (kept.key_id, kept.at) == ("key_acme", EPOCH)
    # The key itself was in no body.
    assert KEY not in kept.prompt + kept.answer


def test_a_stream_is_kept_when_it_ended() -> None:
    gateway = marked()
    client = gateway.connect()
    client.chat(model="same", stream=True)
    body = gateway.one.reply()
    body.push(chunk("Hello"))
    assert gateway.kept == []
    body.push(chunk(None, "stop"), DONE)
    body.end()
    kept = the_one(gateway)
    assert kept.answer.encode() == client.answer().body


def test_so_much_is_taken_along_and_the_size_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(overheard, "TAKEN", 10)
    gateway = marked()
    client = gateway.connect()
    client.chat(model="same", stream=True)
    body = gateway.one.reply()
    body.push(chunk("Hello"), chunk(None, "stop"), DONE)
    body.end()
    kept = the_one(gateway)
    assert len(kept.prompt) == len(kept.answer) == 10
    assert kept.answer_bytes == len(client.answer().body) > 10
    assert kept.prompt_bytes > 10


def test_what_no_provider_was_asked_is_not_kept() -> None:
    gateway = marked()
    gateway.connect().chat(model="nobody-has-it")
    gateway.connect().send(b"POST /v1/chat/completions HTTP/1.1\r\n\r\n")
    assert gateway.kept == []


def test_a_failed_call_is_kept_with_the_error_that_was_told() -> None:
    gateway = marked()
    client = gateway.connect()
    client.chat()
    gateway.one.fail(ProviderUnreachable("It is away."))
    assert the_one(gateway).answer.encode() == client.answer().body


def test_what_is_no_text_is_only_counted() -> None:
    gateway = marked()
    client = gateway.connect()
    asked = b'{"model": "same", "input": "Hi", "voice": "alloy"}'
    client.ask("POST", "/v1/audio/speech", asked, JSON)
    body = gateway.one.reply(headers={"content-type": "audio/mpeg"})
    body.push(b"\xff\xfb sound")
    body.end()
    kept = the_one(gateway)
    assert (kept.answer, kept.answer_bytes) == ("", 8)
    assert "alloy" in kept.prompt
