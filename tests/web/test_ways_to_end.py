"""Each way a call can end: one use or none, one settlement, the right tokens."""

from collections.abc import Callable
from typing import Any

import pytest
from conftest import LoggedFailures
from msgspec import Struct
from support.gateway import DONE, EPOCH, Client, Gateway, chunk, completion, usage_chunk
from support.verdicts import allowed, refused

from lightweight.dialects.openai_chat import OpenAIChat
from lightweight.errors import (
    BadRequest,
    Overloaded,
    ProviderBusy,
    ProviderCut,
    ProviderUnreachable,
)
from lightweight.policy.admission import Tier
from lightweight.records import Ending, Limits, Provenance, Usage
from lightweight.web.metered import FULL

STREAM: dict[str, Any] = {"stream": True}
PROMPT = 22
"""Tokens of the streamed request by its bytes; the other one has 18."""
REPORTED = Usage(fresh=7, answer=2)
COST = 7 + 2 * 10


class Way(Struct, frozen=True, kw_only=True):
    """How a call goes, and what must come of it."""

    go: Callable[[Gateway, Client], None]
    ending: Ending
    usage: Usage | None = None
    provenance: Provenance | None = None
    cost: int = 0
    dispatched: bool = True
    """Whether a provider was asked, so that there is a use."""
    settled: bool = True
    """Whether something was taken of the limits, so that it is settled."""
    status: int = 200


def stream(*events: bytes) -> Callable[[Gateway, Client], None]:
    def go(gateway: Gateway, client: Client) -> None:
        client.chat(**STREAM)
        gateway.one.reply().push(*events)

    return go


def whole(gateway: Gateway, client: Client) -> None:
    client.chat()
    body = gateway.one.reply()
    body.push(completion())
    body.end()


def silent_about_usage(gateway: Gateway, client: Client) -> None:
    client.chat()
    body = gateway.one.reply()
    body.push(completion(usage=None))
    body.end()


def cut(gateway: Gateway, client: Client) -> None:
    client.chat(**STREAM)
    body = gateway.one.reply()
    body.push(chunk("x" * 38), chunk())
    body.end(ProviderCut("Broken."))


def cut_after_usage(gateway: Gateway, client: Client) -> None:
    client.chat(**STREAM)
    body = gateway.one.reply()
    body.push(chunk(), usage_chunk())
    body.end(ProviderCut("Broken."))


def ended_by_us(gateway: Gateway, client: Client) -> None:
    stream(chunk())(gateway, client)
    gateway.live.end_all(Overloaded("The server is stopping."))


def unreachable(gateway: Gateway, client: Client) -> None:
    client.chat()
    gateway.one.fail(ProviderUnreachable("Gone."))


def busy(gateway: Gateway, client: Client) -> None:
    client.chat()
    gateway.one.fail(ProviderBusy("Busy.", retry_after=3))


def cut_before_the_first_byte(gateway: Gateway, client: Client) -> None:
    client.chat(**STREAM)
    gateway.one.reply().end(ProviderCut("Broken."))


def failed_after_a_comment(gateway: Gateway, client: Client) -> None:
    client.chat(**STREAM)
    gateway.clock.advance(15)
    gateway.one.fail(ProviderUnreachable("Gone."))


def the_second_answers(gateway: Gateway, client: Client) -> None:
    client.chat(model="org/path.1")
    gateway.one.fail(ProviderUnreachable("Gone."))
    body = gateway.two.reply()
    body.push(completion())
    body.end()


def left_before_the_reply(gateway: Gateway, client: Client) -> None:
    client.chat(**STREAM)
    client.leave()


def left_before_the_first_byte(gateway: Gateway, client: Client) -> None:
    client.chat(**STREAM)
    gateway.one.reply()
    client.leave()


def left_in_the_middle(gateway: Gateway, client: Client) -> None:
    client.chat(**STREAM)
    gateway.one.reply().push(chunk(), chunk(), chunk())
    client.leave()


def left_after_usage(gateway: Gateway, client: Client) -> None:
    client.chat(**STREAM)
    gateway.one.reply().push(chunk(), usage_chunk())
    client.leave()


def left_while_limits_were_asked(gateway: Gateway, client: Client) -> None:
    gateway.limits.hold()
    client.chat()
    client.leave()
    assert gateway.limits.cancelled == 1


def ended_while_limits_were_asked(gateway: Gateway, client: Client) -> None:
    gateway.limits.hold()
    client.chat()
    gateway.live.end_all(Overloaded("The server is stopping."))
    assert gateway.limits.cancelled == 1


def limits_out_of_reach(gateway: Gateway, client: Client) -> None:
    gateway.limits.unavailable = True
    client.chat()


def journal_full(gateway: Gateway, client: Client) -> None:
    gateway.journal.why_full = "No room."
    client.chat()
    assert client.answer().json()["error"]["message"] == FULL
    assert client.answer().headers["retry-after"] == "1"


def nobody_may_be_asked(gateway: Gateway, client: Client) -> None:
    breaker = gateway.standings["one"].breaker
    for _ in range(5):
        breaker.failed(breaker.enter(0), 0)
    client.chat()


def no_such_model(gateway: Gateway, client: Client) -> None:
    client.chat(model="none")


class Inexpressible(OpenAIChat):
    def write_request(self, *_: object) -> Any:
        raise BadRequest("That cannot be said there.")


def inexpressible(gateway: Gateway, client: Client) -> None:
    gateway.runtime = gateway.made(gateway.runtime.config, Inexpressible())
    client.chat()


CUT = Usage(fresh=PROMPT, answer=11)  # 40 and 4 bytes of JSON strings
WAYS: dict[str, Way] = {
    "whole": Way(
        go=whole, ending="finished", usage=REPORTED, provenance="reported", cost=COST
    ),
    "streamed": Way(
        go=stream(chunk(), chunk(None, "stop"), usage_chunk(), DONE),
        ending="finished",
        usage=REPORTED,
        provenance="reported",
        cost=COST,
    ),
    "streamed without usage": Way(
        go=stream(chunk(), chunk(), chunk(None, "stop"), DONE),
        ending="finished",
        usage=Usage(fresh=PROMPT, answer=2),
        provenance="counted",
        cost=PROMPT + 20,
    ),
    "whole without usage": Way(
        go=silent_about_usage,
        ending="finished",
        usage=Usage(fresh=18, answer=1),
        provenance="counted",
        cost=18 + 10,
    ),
    "cut": Way(
        go=cut, ending="cut", usage=CUT, provenance="counted", cost=PROMPT + 110
    ),
    "cut after usage": Way(
        go=cut_after_usage,
        ending="cut",
        usage=REPORTED,
        provenance="reported",
        cost=COST,
    ),
    "ended by us": Way(
        go=ended_by_us,
        ending="cut",
        usage=Usage(fresh=PROMPT, answer=1),
        provenance="counted",
        cost=PROMPT + 10,
    ),
    "unreachable": Way(go=unreachable, ending="failed", status=502),
    "busy": Way(go=busy, ending="failed", status=429),
    "cut before the first byte": Way(
        go=cut_before_the_first_byte, ending="failed", status=502
    ),
    "failed after a comment": Way(go=failed_after_a_comment, ending="failed"),
    "the second answers": Way(
        go=the_second_answers,
        ending="finished",
        usage=REPORTED,
        provenance="reported",
    ),
    "left before the reply": Way(
        go=left_before_the_reply,
        ending="client_gone",
        usage=Usage(fresh=PROMPT),
        provenance="estimated",
        cost=PROMPT,
        status=499,
    ),
    "left before the first byte": Way(
        go=left_before_the_first_byte,
        ending="client_gone",
        usage=Usage(fresh=PROMPT),
        provenance="estimated",
        cost=PROMPT,
        status=499,
    ),
    "left in the middle": Way(
        go=left_in_the_middle,
        ending="client_gone",
        usage=Usage(fresh=PROMPT, answer=3),
        provenance="counted",
        cost=PROMPT + 30,
    ),
    "left after usage": Way(
        go=left_after_usage,
        ending="client_gone",
        usage=REPORTED,
        provenance="reported",
        cost=COST,
    ),
    "left while limits were asked": Way(
        go=left_while_limits_were_asked,
        ending="client_gone",
        dispatched=False,
        settled=False,
        status=499,
    ),
    "ended while limits were asked": Way(
        go=ended_while_limits_were_asked,
        ending="refused",
        dispatched=False,
        settled=False,
        status=503,
    ),
    "limits out of reach": Way(
        go=limits_out_of_reach,
        ending="refused",
        dispatched=False,
        settled=False,
        status=503,
    ),
    "journal full": Way(
        go=journal_full, ending="refused", dispatched=False, status=503
    ),
    "nobody may be asked": Way(
        go=nobody_may_be_asked, ending="refused", dispatched=False, status=502
    ),
    "no such model": Way(
        go=no_such_model,
        ending="refused",
        dispatched=False,
        settled=False,
        status=404,
    ),
    "inexpressible": Way(
        go=inexpressible, ending="refused", dispatched=False, status=400
    ),
}


def limited_gateway() -> Gateway:
    gateway = Gateway()
    gateway.tiers["pro"] = Tier(limits=Limits(rpm=60, quota_tokens=10_000))
    gateway.limits.verdict = allowed()
    return gateway


def check(gateway: Gateway, way: Way) -> None:
    told = gateway.outcome
    assert (told.ending, told.status) == (way.ending, way.status)
    assert (told.usage, told.provenance) == (way.usage, way.provenance)
    uses = list(gateway.journal.uses.values())
    assert len(gateway.journal.started) == len(uses) == way.dispatched
    if way.dispatched:
        (use,) = uses
        assert use.outcome == told
        priced = told.provider == "one" or way.usage is None
        assert use.micro_usd == (way.cost if priced else None)
        assert use.at == EPOCH
    assert gateway.limits.open == set()
    assert len(gateway.limits.settled) == way.settled
    for settled in gateway.limits.settled:
        assert settled.tokens == (way.usage.total if way.usage else 0)
        assert settled.micro_usd == way.cost
        assert settled.refund is not way.dispatched
    assert gateway.live.count == 0
    assert len(gateway.visits) == 1


@pytest.mark.parametrize("name", WAYS)
def test_every_way_to_end(name: str) -> None:
    gateway, way = limited_gateway(), WAYS[name]
    way.go(gateway, gateway.connect())
    check(gateway, way)


@pytest.mark.parametrize("name", [name for name in WAYS if "limits" not in name])
def test_every_way_without_limits_has_the_same_use(name: str) -> None:
    gateway, way = limited_gateway(), WAYS[name]
    gateway.tiers["pro"] = Tier()
    way.go(gateway, gateway.connect())
    assert gateway.limits.asked == gateway.limits.looked == []
    uses = list(gateway.journal.uses.values())
    assert len(uses) == way.dispatched
    assert all(use.outcome.usage == way.usage for use in uses)


@pytest.mark.parametrize("streamed", [True, False])
def test_a_bug_is_settled_too(
    *, streamed: bool, logged_failures: LoggedFailures
) -> None:
    class Broken(OpenAIChat):
        def passage(self, *_: object) -> Any:
            raise ZeroDivisionError

    gateway = limited_gateway()
    gateway.runtime = gateway.made(gateway.runtime.config, Broken())
    client = gateway.connect()
    client.chat(stream=streamed)
    gateway.one.reply()
    assert len(logged_failures.flush(ZeroDivisionError)) == 1
    check(gateway, Way(go=whole, ending="failed", status=500))


@pytest.mark.parametrize("limit", ["requests", "tokens", "concurrency"])
def test_a_rate_refuses_with_429(limit: Any) -> None:
    gateway = limited_gateway()
    gateway.limits.verdict = refused(limit, 1200)
    client = gateway.connect()
    client.chat()
    answer = client.answer()
    error = answer.json()["error"]
    assert (error["type"], error["code"]) == (limit, "rate_limit_exceeded")
    assert answer.headers["retry-after"] == "2"
    assert answer.headers["retry-after-ms"] == "1200"
    assert answer.headers["x-should-retry"] == "true"
    check(
        gateway,
        Way(go=whole, ending="refused", dispatched=False, settled=False, status=429),
    )


def test_what_can_never_pass_is_not_to_be_tried_again() -> None:
    gateway = limited_gateway()
    gateway.limits.verdict = refused("tokens", None, amount=10)
    client = gateway.connect()
    client.chat()
    answer = client.answer()
    assert answer.status == 429
    assert answer.headers["x-should-retry"] == "false"
    assert "retry-after" not in answer.headers


@pytest.mark.parametrize("limit", ["quota_tokens", "quota_usd"])
def test_a_quota_refuses_with_403(limit: Any) -> None:
    gateway = limited_gateway()
    gateway.limits.verdict = refused(limit, None, left=3)
    client = gateway.connect()
    client.chat()
    answer = client.answer()
    error = answer.json()["error"]
    assert (error["type"], error["code"]) == ("insufficient_quota",) * 2
    assert "resets at 2026-12-01" in error["message"]
    assert answer.headers["x-should-retry"] == "false"
    check(
        gateway,
        Way(go=whole, ending="refused", dispatched=False, settled=False, status=403),
    )
