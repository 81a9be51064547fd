"""The way between provider and client: pressure, silence, ends."""

from typing import Any

import pytest
from conftest import LoggedFailures
from support.gateway import DONE, Client, Gateway, chunk, completion

from lightweight.config.schema import Config
from lightweight.dialects.dialect import Passage
from lightweight.dialects.openai_chat import OpenAIChat
from lightweight.dialects.sse import COMMENT
from lightweight.errors import ProviderCut
from lightweight.records import Call, Target, Usage
from lightweight.web.keepalive import SECONDS
from lightweight.web.relay import (
    LINGER_SECONDS,
    STARTUP_BYTES,
    STARTUP_EVENTS,
)

STREAM: dict[str, Any] = {"stream": True, "model": "same"}


def streaming(gateway: Gateway) -> Client:
    client = gateway.connect()
    client.chat(**STREAM)
    return client


# -- pressure ----------------------------------------------------------------------


def test_a_slow_client_pauses_the_provider() -> None:
    gateway = Gateway()
    client = streaming(gateway)
    body = gateway.one.reply()
    body.push(chunk("one"))
    client.stall()
    assert body.paused
    body.push(chunk("two"))
    assert b"two" not in client.received
    client.read_on()
    assert not body.paused
    assert b"two" in client.received


def test_nothing_steers_the_provider_after_the_end() -> None:
    gateway = Gateway()
    client = streaming(gateway)
    body = gateway.one.reply()
    body.push(chunk(None, "stop"))
    client.stall()
    body.resume()
    body.push(DONE)
    assert client.answer().whole
    pauses = body.pauses
    client.stall()
    assert body.pauses == pauses


def test_a_provider_that_flows_at_once_is_carried_too() -> None:
    gateway = Gateway()
    client = gateway.connect()
    body = gateway.one.reply()
    body.push(chunk(), chunk(None, "stop"), DONE)
    body.end()
    client.chat(**STREAM)
    assert client.answer().body == chunk() + chunk(None, "stop") + DONE


# -- the first events --------------------------------------------------------------

ROLE = chunk(choices=[{"index": 0, "delta": {"role": "assistant", "content": ""}}])
DIED = b'data: {"error": {"message": "overloaded"}}\n\n'


def test_events_that_say_nothing_wait_for_the_first_that_does() -> None:
    gateway = Gateway()
    client = streaming(gateway)
    body = gateway.one.reply()
    body.push(b": hello\n\n", ROLE)
    assert client.received == b""
    body.push(chunk())
    assert client.answer().body == b": hello\n\n" + ROLE + chunk()


def test_an_error_behind_the_first_harmless_event_moves_on() -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.chat(model="org/path.1", stream=True)
    failed = gateway.one.reply()
    failed.push(ROLE, DIED)
    assert failed.aborted
    assert client.received == b""
    body = gateway.two.reply()
    body.push(ROLE, chunk(), chunk(None, "stop"), DONE)
    body.end()
    assert b"error" not in client.answer().body
    assert client.answer().body.count(b'"role"') == 1
    told = gateway.outcome
    assert [each.provider for each in told.attempts] == ["one", "two"]
    assert told.ending == "finished"
    assert (told.usage, told.provenance) == (Usage(fresh=22, answer=1), "counted")


@pytest.mark.parametrize(
    ("event", "count"),
    [(ROLE, STARTUP_EVENTS), (b":%b\n\n" % (b"x" * 10_000), STARTUP_BYTES // 10_000)],
)
def test_they_do_not_wait_for_ever(event: bytes, count: int) -> None:
    gateway = Gateway()
    client = streaming(gateway)
    body = gateway.one.reply()
    body.push(*[event] * (count - 1))
    assert client.received == b""
    body.push(event, event)
    assert client.answer().body[: count * len(event)] == event * count
    body.push(DIED)
    assert client.answer().whole
    assert gateway.outcome.ending == "cut"


def test_a_comment_of_ours_is_no_byte_of_the_answer() -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.chat(model="org/path.1", stream=True)
    failed = gateway.one.reply()
    gateway.clock.advance(SECONDS)
    failed.push(ROLE)
    failed.end(ProviderCut("The answer broke off."))
    body = gateway.two.reply()
    body.push(chunk(), chunk(None, "stop"), DONE)
    body.end()
    assert client.answer().body.startswith(COMMENT + b"data: ")
    assert b"error" not in client.answer().body
    assert gateway.outcome.ending == "finished"


# -- silence -----------------------------------------------------------------------


def test_silence_before_the_first_byte_is_broken_by_a_comment() -> None:
    gateway = Gateway()
    client = streaming(gateway)
    gateway.clock.advance(SECONDS - 1)
    assert client.received == b""
    gateway.clock.advance(1)
    assert (client.answer().status, client.answer().body) == (200, COMMENT)
    body = gateway.one.reply()
    gateway.clock.advance(SECONDS)
    assert client.answer().body == COMMENT * 2
    gateway.clock.advance(SECONDS - 1)
    body.push(chunk())
    gateway.clock.advance(SECONDS - 1)
    assert client.answer().body == COMMENT * 2 + chunk()
    body.push(chunk(None, "stop"), DONE)
    body.end()
    told = gateway.outcome
    assert told.first_byte_s == 3 * SECONDS - 1
    assert told.duration_s == 4 * SECONDS - 2
    # The connection's own idle timer is all that is left.
    assert len(gateway.clock.getDelayedCalls()) == 1


def test_a_provider_that_fails_after_a_comment_ends_the_stream_with_an_event() -> None:
    """The provider never answered, so nothing but a comment went out."""
    gateway = Gateway()
    client = streaming(gateway)
    gateway.clock.advance(SECONDS)
    gateway.one.fail(ProviderCut("The answer broke off."))
    answer = client.answer()
    assert (answer.status, answer.whole) == (200, True)
    assert answer.body.startswith(COMMENT)
    assert b"The answer broke off." in answer.body
    assert answer.body.endswith(DONE)
    told = gateway.outcome
    assert (told.ending, told.status, told.provider) == ("failed", 200, "one")


def test_a_fault_after_a_comment_is_an_event() -> None:
    gateway = Gateway()
    client = streaming(gateway)
    body = gateway.one.reply()
    gateway.clock.advance(SECONDS)
    body.end(ProviderCut("The answer broke off."))
    answer = client.answer()
    assert answer.status == 200
    assert b"The answer broke off." in answer.body
    assert answer.body.endswith(DONE)
    told = gateway.outcome
    assert (told.ending, told.status, told.first_byte_s) == ("failed", 200, None)


def test_a_whole_answer_gets_no_comments() -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.chat(model="same")
    body = gateway.one.reply()
    gateway.clock.advance(SECONDS * 2)
    body.push(completion())
    body.end()
    assert client.answer().body == completion()


def test_a_full_buffer_gets_no_comments() -> None:
    gateway = Gateway()
    client = streaming(gateway)
    gateway.one.reply().push(chunk())
    client.stall()
    gateway.clock.advance(SECONDS * 2)
    assert COMMENT not in client.received


class Untouched(OpenAIChat):
    """A dialect that passes bytes on as they come, half events too."""

    def passage(self, call: Call, target: Target) -> Passage:
        passage = super().passage(call, target)
        passage.feed = lambda data: data  # type: ignore[method-assign]  # see above
        passage.deltas = 1
        return passage


def test_half_an_event_is_not_torn() -> None:
    gateway = Gateway()
    gateway.runtime = gateway.made(Config(), Untouched())
    client = streaming(gateway)
    event = chunk("whole")
    body = gateway.one.reply()
    body.push(event[:20])
    gateway.clock.advance(SECONDS)
    body.push(event[20:-1], event[-1:])
    assert client.answer().body == event
    gateway.clock.advance(SECONDS)
    assert client.answer().body == event + COMMENT


# -- ends --------------------------------------------------------------------------


def test_the_client_is_done_when_the_answer_is_complete() -> None:
    gateway = Gateway()
    client = streaming(gateway)
    body = gateway.one.reply()
    body.push(chunk(None, "stop") + DONE)
    assert client.answer().whole
    assert gateway.outcome.ending == "finished"
    assert not body.aborted
    body.push(b"more than the answer")
    gateway.clock.advance(LINGER_SECONDS / 2)
    assert not body.aborted, "its connection may serve again"
    body.end()
    gateway.clock.advance(LINGER_SECONDS)
    assert not body.aborted
    assert b"more than" not in client.received


def test_a_provider_that_does_not_end_is_stopped() -> None:
    gateway = Gateway()
    client = streaming(gateway)
    body = gateway.one.reply()
    body.push(chunk(None, "stop") + DONE)
    gateway.clock.advance(LINGER_SECONDS)
    assert body.aborted
    assert client.answer().whole


def test_a_missing_done_is_added_where_the_answer_is_whole() -> None:
    gateway = Gateway()
    client = streaming(gateway)
    body = gateway.one.reply()
    body.push(chunk(), chunk(None, "stop"))
    assert not client.answer().whole
    body.end()
    assert client.answer().body == chunk() + chunk(None, "stop") + DONE
    assert gateway.outcome.ending == "finished"


@pytest.mark.parametrize("stream", [True, False])
def test_what_cannot_be_recorded_is_not_called_done(
    *, stream: bool, logged_failures: LoggedFailures
) -> None:
    gateway = Gateway()
    gateway.journal.broken = True
    client = gateway.connect()
    client.chat(model="same", stream=stream)
    body = gateway.one.reply()
    body.push(*([chunk(), chunk(None, "stop"), DONE] if stream else [completion()]))
    body.end()
    answer = client.answer()
    assert b"server_error" in answer.body
    assert answer.status == (200 if stream else 500)
    assert len(logged_failures.flush(ZeroDivisionError)) == 1
    assert gateway.live.count == 0


class Broken(OpenAIChat):
    """A dialect with a bug."""

    def passage(self, call: Call, target: Target) -> Passage:
        passage = super().passage(call, target)
        feed = passage.feed

        def stumble(data: bytes) -> bytes:
            if data == b"bug":
                raise ZeroDivisionError
            return feed(data)

        passage.feed = stumble  # type: ignore[method-assign]  # see above
        return passage


@pytest.mark.parametrize("stream", [True, False])
def test_a_bug_on_the_way_is_the_calls_own(
    *, stream: bool, logged_failures: LoggedFailures
) -> None:
    gateway = Gateway()
    gateway.runtime = gateway.made(Config(), Broken())
    client = gateway.connect()
    client.chat(model="same", stream=stream)
    body = gateway.one.reply()
    body.push(*([chunk(), b"bug", chunk()] if stream else [b"bug"]))
    answer = client.answer()
    assert b"server_error" in answer.body
    assert answer.status == (200 if stream else 500)
    assert answer.body.count(b"delta") == stream
    assert body.aborted
    assert len(logged_failures.flush(ZeroDivisionError)) == 1
    assert gateway.live.count == 0


def test_nothing_is_retried_after_the_first_byte() -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.chat(model="org/path.1", stream=True)
    body = gateway.one.reply()
    body.push(chunk())
    body.end(ProviderCut("The answer broke off."))
    assert client.answer().whole
    assert gateway.two.asked == []
