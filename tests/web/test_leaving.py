"""A client that left: its provider is stopped, or read to its end for its usage."""

from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

import pytest
from conftest import LoggedFailures
from support.gateway import DONE, Client, Gateway, chunk, completion, usage_chunk
from support.verdicts import allowed

from lightweight.config.schema import Config, ProviderConfig
from lightweight.errors import Overloaded, ProviderUnreachable
from lightweight.policy.admission import Tier
from lightweight.records import Limits, Usage
from lightweight.web.leaving import outlived

REPORTED = Usage(fresh=7, answer=2)
STREAM: Mapping[str, Any] = {"stream": True}


def draining() -> tuple[Gateway, Client]:
    one = ProviderConfig(kind="openai", on_disconnect="drain", drain_limit=5)
    gateway = Gateway(Config(providers={"one": one}))
    gateway.tiers["pro"] = Tier(limits=Limits(concurrency=1))
    gateway.limits.verdict = allowed()
    return gateway, gateway.connect()


def check(gateway: Gateway, usage: Usage | None) -> None:
    """See that the call is over, was told of once, and used so much."""
    told = gateway.outcome
    assert told.ending == "client_gone"
    assert told.usage == usage
    assert [use.outcome for use in gateway.journal.uses.values()] == [told]
    assert len(gateway.limits.settled) == 1
    assert gateway.limits.open == set()
    assert gateway.live.count == 0
    assert gateway.clock.getDelayedCalls() == []


def test_a_whole_answer_is_read_to_its_end() -> None:
    gateway, client = draining()
    client.chat()
    client.leave()
    assert gateway.live.count == 1
    assert gateway.limits.open, "its place is kept: the provider still works on it"
    assert gateway.visits == []
    body = gateway.one.reply()
    body.push(completion())
    body.end()
    check(gateway, REPORTED)
    assert (gateway.outcome.status, gateway.outcome.provenance) == (499, "reported")


def test_a_stream_is_read_to_its_end() -> None:
    gateway, client = draining()
    client.chat(**STREAM)
    body = gateway.one.reply()
    body.push(chunk())
    client.stall()
    assert body.paused
    client.leave()
    assert not body.paused
    assert not body.aborted
    body.push(chunk(), chunk(None, "stop"), usage_chunk(), DONE)
    body.end()
    check(gateway, REPORTED)
    assert gateway.outcome.status == 200


def test_it_is_read_for_so_long_and_no_longer() -> None:
    gateway, client = draining()
    client.chat(**STREAM)
    body = gateway.one.reply()
    body.push(chunk())
    client.leave()
    gateway.clock.advance(4.9)
    assert not body.aborted
    gateway.clock.advance(0.2)
    assert body.aborted
    check(gateway, Usage(fresh=22, answer=1))


def test_a_reply_is_waited_for_so_long() -> None:
    gateway, client = draining()
    client.chat()
    client.leave()
    gateway.clock.advance(5)
    assert gateway.one.cancelled == 1
    check(gateway, Usage(fresh=18))


def test_no_further_provider_is_asked_for_nobody() -> None:
    gateway, client = draining()
    client.chat(model="org/path.1")
    client.leave()
    gateway.one.fail(ProviderUnreachable("Gone."))
    assert gateway.two.asked == []
    check(gateway, None)


def test_a_fault_costs_nothing() -> None:
    gateway, client = draining()
    client.chat()
    client.leave()
    gateway.one.fail(ProviderUnreachable("Gone."))
    check(gateway, None)


def test_a_drain_of_the_daemon_ends_it() -> None:
    gateway, client = draining()
    client.chat(**STREAM)
    body = gateway.one.reply()
    body.push(chunk())
    client.leave()
    gateway.live.end_all(Overloaded("The server is stopping."))
    assert body.aborted
    check(gateway, Usage(fresh=22, answer=1))


def test_other_providers_are_stopped() -> None:
    gateway, client = draining()
    client.chat(model="org/path.1")
    gateway.one.fail(ProviderUnreachable("Gone."))
    body = gateway.two.reply()
    client.leave()
    assert body.aborted


def test_before_a_provider_is_asked_there_is_nothing_to_read() -> None:
    gateway, client = draining()
    gateway.limits.hold()
    client.chat()
    client.leave()
    assert gateway.limits.cancelled == 1
    assert gateway.live.count == 0


def test_a_bug_at_its_end_is_logged(
    logged_failures: LoggedFailures, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway, client = draining()
    client.chat()
    client.leave()
    monkeypatch.setattr(gateway.journal, "finish", lambda _: 1 // 0)
    body = gateway.one.reply()
    body.push(completion())
    body.end()
    assert len(logged_failures.flush(ZeroDivisionError)) == 1
    assert gateway.live.count == 0


# -- by itself ---------------------------------------------------------------------


def test_what_the_call_raises_is_raised() -> None:
    call: Deferred[None] = Deferred()
    waiting = Deferred.fromCoroutine(outlived(call, Clock(), lambda: 0))
    raised: list[Failure] = []
    waiting.addErrback(raised.append)
    call.errback(ZeroDivisionError())
    assert [failure.type for failure in raised] == [ZeroDivisionError]


def test_a_bug_after_the_client_left_is_logged(
    logged_failures: LoggedFailures,
) -> None:
    call: Deferred[None] = Deferred()
    clock = Clock()
    waiting = Deferred.fromCoroutine(outlived(call, clock, lambda: 9))
    waiting.addErrback(lambda failure: failure.trap(CancelledError))
    waiting.cancel()
    assert waiting.called
    call.errback(ZeroDivisionError())
    assert len(logged_failures.flush(ZeroDivisionError)) == 1
    assert clock.getDelayedCalls() == []


@pytest.mark.parametrize("seconds", [0.0, 3.0])
def test_cancelling_stops_it_now_or_later(seconds: float) -> None:
    call: Deferred[None] = Deferred()
    clock = Clock()
    waiting = Deferred.fromCoroutine(outlived(call, clock, lambda: seconds))
    waiting.addErrback(lambda failure: failure.trap(CancelledError))
    waiting.cancel()
    assert call.called is (seconds == 0)
    clock.advance(seconds)
    assert call.called
