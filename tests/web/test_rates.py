"""Rate headers on every answer, and refusals that memory alone proves."""

from typing import Any

import msgspec
import pytest
from support.gateway import (
    DONE,
    KEY,
    LIMITED_KEY,
    STORED_KEY,
    Client,
    Gateway,
    chunk,
    completion,
)
from support.identities import someone
from support.verdicts import allowed, refused

from lightweight.policy.admission import Tier
from lightweight.policy.pace import Balance, Room, Verdict
from lightweight.records import Account, ApiKey, Identity, Limits
from lightweight.web import rates
from lightweight.web.rates import span

CHAT = "/v1/chat/completions"
MINUTE = {
    "x-ratelimit-limit-requests": "60",
    "x-ratelimit-remaining-requests": "59",
    "x-ratelimit-reset-requests": "1m0s",
}


def limited(verdict: Verdict, **limits: Any) -> Gateway:
    gateway = Gateway()
    gateway.tiers["pro"] = Tier(limits=Limits(**(limits or {"rpm": 60})))
    gateway.limits.verdict = verdict
    return gateway


def told(client: Client) -> dict[str, str]:
    headers = client.answer(head_only=True).headers
    return {name: v for name, v in headers.items() if name.startswith("x-ratelimit")}


def asked(gateway: Gateway, *, wanted: int = 1, **more: Any) -> Client:
    client = gateway.connect()
    client.chat(**more)
    assert len(gateway.limits.asked) == wanted
    return client


def announced(gateway: Gateway, key: str = KEY) -> Client:
    """Send a head only: whatever is answered came before the body."""
    client = gateway.connect()
    client.ask("POST", CHAT, headers={"Content-Length": "500"}, key=key)
    return client


# -- headers -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [
        (0, "0s"),
        (12, "12ms"),
        (999, "999ms"),
        (1000, "1s"),
        (1001, "2s"),
        (59_999, "1m0s"),
        (360_000, "6m0s"),
        (3_661_000, "1h1m1s"),
    ],
)
def test_spans_are_openais(milliseconds: int, said: str) -> None:
    assert span(milliseconds) == said


@pytest.mark.parametrize("stream", [True, False])
def test_a_model_call_has_them(*, stream: bool) -> None:
    tokens = Room(limit=1000, remaining=10, reset_ms=12)
    gateway = limited(msgspec.structs.replace(allowed(), tokens=tokens))
    client = asked(gateway, stream=stream)
    body = gateway.one.reply()
    body.push(*([chunk(), chunk(None, "stop"), DONE] if stream else [completion()]))
    body.end()
    assert client.answer().whole
    assert told(client) == {
        **MINUTE,
        "x-ratelimit-limit-tokens": "1000",
        "x-ratelimit-remaining-tokens": "10",
        "x-ratelimit-reset-tokens": "12ms",
    }


def test_they_age_with_the_answer() -> None:
    gateway = limited(allowed())
    client = asked(gateway)
    gateway.clock.advance(20)
    body = gateway.one.reply()
    body.push(completion())
    body.end()
    assert told(client)["x-ratelimit-reset-requests"] == "40s"
    gateway.clock.advance(40)
    client = gateway.connect()
    client.ask("GET", "/v1/models")
    assert told(client) == {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "60",
        "x-ratelimit-reset-requests": "0s",
    }


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/models", None),
        ("GET", "/v1/models/same", None),
        ("GET", "/v1/models/none", None),
        ("GET", "/v1/usage", None),
        ("GET", "/v1/usage?start=x", None),
        ("POST", CHAT, b"{}"),
        ("POST", CHAT, b'{"model": "none", "messages": [{"role": "user"}]}'),
    ],
)
def test_what_is_not_admitted_looks_once(
    method: str, path: str, body: bytes | None
) -> None:
    gateway = limited(allowed())
    for _ in range(2):
        client = gateway.connect()
        client.ask(method, path, body)
        assert told(client) == MINUTE
    assert gateway.limits.asked == []
    assert len(gateway.limits.looked) == (2 if "usage" in path else 1)
    assert gateway.limits.looked[0].tokens == 0


def test_nothing_is_said_where_nothing_is_limited() -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.ask("GET", "/v1/models")
    assert told(client) == {}
    assert gateway.limits.looked == []


def test_limits_out_of_reach_do_not_hide_the_models() -> None:
    gateway = limited(allowed())
    gateway.limits.unavailable = True
    client = gateway.connect()
    client.ask("GET", "/v1/models")
    assert client.answer().status == 200
    assert told(client) == {}


def test_a_stranger_and_an_overload() -> None:
    gateway = limited(allowed())
    asked(gateway)
    gateway.overloaded = "Busy."
    assert told(announced(gateway)) == MINUTE
    client = gateway.connect()
    client.ask("GET", "/v1/models", key="lw-unknown")
    assert told(client) == {}


def test_a_page_may_read_them() -> None:
    gateway = limited(allowed())
    client = gateway.connect()
    client.ask("GET", "/v1/models", headers={"Origin": "https://app.example"})
    exposed = client.answer().headers["access-control-expose-headers"].split(", ")
    assert set(told(client)) <= set(exposed)
    assert {"retry-after", "retry-after-ms"} <= set(exposed)


# -- refusals before the body ------------------------------------------------------


def test_a_rate_that_is_used_up_refuses_before_the_body_until_it_is_not() -> None:
    gateway = limited(refused("requests", 1500))
    assert asked(gateway).answer().status == 429
    gateway.clock.advance(0.7)
    early = announced(gateway).answer()
    assert early.status == 429
    assert early.headers["retry-after"] == "1"
    assert early.headers["retry-after-ms"] == "800"
    assert early.json()["error"]["type"] == "requests"
    assert gateway.visits[-1].account_id == "acc_acme"
    assert len(gateway.limits.asked) == 1
    # Who waits as told is asked for.
    gateway.clock.advance(0.8)
    gateway.limits.verdict = allowed()
    assert announced(gateway).received == b""
    asked(gateway, wanted=2)


def test_another_key_of_the_account_meets_its_own_memory() -> None:
    gateway = limited(refused("requests", 1500))
    asked(gateway)
    for key in (LIMITED_KEY, STORED_KEY):
        assert announced(gateway, key).received == b""


@pytest.mark.parametrize(
    ("verdict", "limits"),
    [
        (refused("tokens", 9000), {"tpm": 60}),
        (refused("concurrency"), {"concurrency": 60}),
        (refused("requests", 900), {"rpm": 60, "concurrency": 1}),
        (
            msgspec.structs.replace(
                refused("requests", 30_000),
                tokens=Room(limit=2000, remaining=5, reset_ms=30_000),
            ),
            {"rpm": 60, "tpm": 2000},
        ),
        (
            msgspec.structs.replace(
                refused("requests", 30_000),
                quota_tokens=Balance(limit=9, used=1, reserved=0, resets_at_ms=None),
            ),
            {"rpm": 60, "quota_tokens": 9},
        ),
        (msgspec.structs.replace(refused("requests"), local=True), {"rpm": 60}),
        (refused("quota_tokens", None, left=3), {"quota_tokens": 60}),
        (refused("quota_usd", None), {"quota_micro_usd": 60}),
    ],
)
def test_what_memory_cannot_prove_is_asked_again(
    verdict: Verdict, limits: dict[str, int]
) -> None:
    gateway = limited(verdict, **limits)
    asked(gateway)
    assert announced(gateway).received == b""
    asked(gateway, wanted=2)


def test_a_quota_that_is_used_up_refuses_for_a_second() -> None:
    gateway = limited(refused("quota_tokens", None), quota_tokens=60)
    asked(gateway)
    early = announced(gateway).answer()
    assert (early.status, early.json()["error"]["code"]) == (403, "insufficient_quota")
    assert early.headers["x-should-retry"] == "false"
    assert "retry-after" not in early.headers
    gateway.clock.advance(rates.QUOTA_MS / 1000)
    assert announced(gateway).received == b""


def test_other_limits_than_those_that_refused_are_asked() -> None:
    gateway = limited(refused("requests", 30_000))
    asked(gateway)
    gateway.tiers["pro"] = Tier(limits=Limits(rpm=61))
    assert announced(gateway).received == b""


def test_only_model_calls_are_refused_so() -> None:
    gateway = limited(refused("requests", 30_000))
    asked(gateway)
    client = gateway.connect()
    client.ask("GET", "/v1/models", headers={"Content-Length": "2"})
    client.send(b"{}")
    assert client.answer().status == 200


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "REMEMBERED", 1)
    gateway = limited(refused("requests", 30_000))
    asked(gateway)
    assert announced(gateway).received != b""
    asked(gateway, wanted=2, key=STORED_KEY)
    assert announced(gateway).received == b""


def test_a_tier_that_is_gone_is_limited_all_the_same() -> None:
    gateway = limited(allowed())
    gateway.keys.held[KEY] = someone(tier="gone")
    asked(gateway)
    assert gateway.limits.asked[0].subjects[0].limits == Limits(rpm=60)


# -- what is counted ---------------------------------------------------------------


def test_each_decision_is_counted_also_one_from_memory() -> None:
    gateway = limited(allowed())
    asked(gateway)
    gateway.limits.verdict = refused("requests", 30_000)
    asked(gateway, wanted=2)
    assert announced(gateway).answer().status == 429
    assert gateway.rates.decisions == {"admitted": 1, "requests": 2}

    gateway.limits.unavailable = True
    gateway.clock.advance(31)
    asked(gateway, wanted=3)
    assert gateway.rates.decisions["unavailable"] == 1


def test_whose_limits_count_follows_tier_account_and_key() -> None:
    tiers = {"pro": Tier(limits=Limits(rpm=1))}
    gateway = Gateway()
    told = rates.Rates(gateway.limits, gateway.clock, tiers=lambda: tiers)

    def counted(account: Account, key: ApiKey) -> list[int | None]:
        subjects = told.subjects(Identity(account, key))
        return [each.limits.rpm for each in subjects]

    plain, special = someone(), someone(own=Limits(tpm=5), keys=Limits(rpm=7))
    assert counted(plain.account, plain.key) == [1]
    assert counted(plain.account, plain.key) == [1]
    assert counted(plain.account, special.key) == [1, 7]
    tiers["pro"] = Tier(limits=Limits(rpm=2))
    assert counted(plain.account, special.key) == [2, 7]
    tiers["pro"] = Tier()
    assert counted(special.account, special.key) == [None, 7]
    assert counted(plain.account, plain.key) == []
    assert counted(special.account, plain.key) == [None]
    del tiers["pro"]
    assert counted(special.account, plain.key) == [None]
