"""Calls whose first provider fails: who answers, who is left alone, what is told."""

import dataclasses

import pytest
from support.gateway import DONE, Gateway, chunk, completion, model, offering

from lightweight.errors import ProviderBusy, ProviderTimeout, ProviderUnreachable
from lightweight.records import Attempted, Target


def test_each_attempt_is_told_of() -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.chat(model="org/path.1")
    gateway.clock.advance(1)
    gateway.one.fail(ProviderTimeout("Too late."))
    body = gateway.two.reply()
    gateway.clock.advance(2)
    body.push(completion())
    body.end()
    assert client.answer().status == 200
    first, second = gateway.outcome.attempts
    assert first == Attempted(
        provider="one",
        model="renamed-there",
        status=None,
        fault="Too late.",
        seconds=1,
    )
    assert (second.provider, second.status, second.fault) == ("two", 200, None)
    assert second.seconds == 2


@pytest.mark.parametrize("stream", [True, False])
def test_garbage_moves_on(*, stream: bool) -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.chat(model="org/path.1", stream=stream)
    failed = gateway.one.reply()
    failed.push(b"<html>\n\n")
    failed.end()
    body = gateway.two.reply()
    body.push(*((chunk(), chunk(None, "stop"), DONE) if stream else (completion(),)))
    body.end()
    assert client.answer().status == 200
    assert gateway.outcome.ending == "finished"


def test_after_our_own_second_attempt_nobody_should_retry() -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.chat(model="org/path.1")
    gateway.one.fail(ProviderUnreachable("No connection."))
    gateway.two.fail(ProviderUnreachable("No connection."))
    assert client.answer().headers["x-should-retry"] == "false"


def test_a_limited_provider_is_left_alone_until_then() -> None:
    gateway = Gateway()
    first, second, third = (gateway.connect() for _ in range(3))
    first.chat()
    gateway.one.fail(ProviderBusy("Wait.", retry_after=7))
    gateway.clock.advance(2.5)
    second.chat()
    answer = second.answer()
    assert (answer.status, answer.headers["retry-after"]) == (429, "5")
    assert gateway.visits[1].outcome is not None
    assert gateway.visits[1].outcome.ending == "refused"
    gateway.clock.advance(4.5)
    third.chat()
    assert len(gateway.one.asked) == 2
    gateway.one.reply().push(completion())
    third.leave()


def test_a_provider_that_fails_again_and_again_is_left_alone() -> None:
    gateway = Gateway()
    for _ in range(5):
        gateway.connect().chat()
        gateway.one.fail(ProviderUnreachable("No connection."))
    client = gateway.connect()
    client.chat()
    assert len(gateway.one.asked) == 5
    answer = client.answer()
    assert (answer.status, answer.json()["error"]["code"]) == (502, "upstream_error")
    assert "Retry in 5 s" in answer.json()["error"]["message"]
    gateway.clock.advance(5)
    probe, other = gateway.connect(), gateway.connect()
    probe.chat()
    other.chat()
    assert other.answer().status == 502
    body = gateway.one.reply()
    body.push(completion())
    body.end()
    assert probe.answer().status == 200
    gateway.connect().chat()
    assert len(gateway.one.asked) == 7
    gateway.one.fail(ProviderUnreachable("No connection."))


def test_a_session_stays_where_its_prompt_cache_is() -> None:
    gateway = Gateway()
    targets = [
        Target(provider=name, model="m", dialect="openai_chat", priority=1)
        for name in ("one", "two")
    ]
    gateway.runtime = dataclasses.replace(
        gateway.runtime, offering=offering(model("shared", *targets))
    )
    asked: list[tuple[int, int]] = []
    for session in "abcdef":
        before = (len(gateway.one.asked), len(gateway.two.asked))
        for _ in range(3):
            client = gateway.connect()
            client.chat(model="shared", prompt_cache_key=session)
            client.leave()
        after = (len(gateway.one.asked), len(gateway.two.asked))
        asked.append((after[0] - before[0], after[1] - before[1]))
    assert set(asked) == {(3, 0), (0, 3)}
