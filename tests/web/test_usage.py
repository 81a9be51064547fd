"""GET /v1/usage: the caller's bill and what is left."""

from datetime import date
from typing import Any

import msgspec
import pytest
from support.answered import Answered
from support.gateway import Gateway
from support.verdicts import DECEMBER_MS, refused

from lightweight.policy.admission import Tier
from lightweight.policy.pace import Balance, Room, Verdict
from lightweight.records import DayUse, Limits, Usage

TODAY = date(2026, 11, 22)
VERDICT = Verdict(
    requests=Room(limit=250, remaining=249, reset_ms=60_000),
    quota_tokens=Balance(
        limit=1_000_000, used=4600, reserved=0, resets_at_ms=DECEMBER_MS
    ),
)


def row(model: str = "a", day: date = TODAY, **more: Any) -> DayUse:
    return DayUse(
        day=day,
        key_id=more.get("key_id", "key_1"),
        model=model,
        succeeded=more.get("succeeded", 1),
        failed=more.get("failed", 0),
        usage=more.get("usage", Usage()),
        micro_usd=more.get("micro_usd", 0),
        unpriced=more.get("unpriced", 0),
    )


def gateway(*rows: DayUse, verdict: Verdict = VERDICT) -> Gateway:
    made = Gateway()
    made.tiers["pro"] = Tier(limits=Limits(rpm=250, quota_tokens=1_000_000))
    made.limits.verdict = verdict
    made.ledger.rows = [("acc_acme", each) for each in rows]
    made.ledger.rows.append(("acc_other", row(succeeded=999)))
    return made


def get(made: Gateway, query: str = "") -> Answered:
    client = made.connect()
    client.ask("GET", f"/v1/usage{query}")
    return client.answer()


def test_the_whole_shape() -> None:
    made = gateway(
        row(
            "gpt-5.1-codex",
            succeeded=40,
            usage=Usage(fresh=900, cached=200, answer=2400, reasoning=900),
            micro_usd=120_000,
        ),
        row("b", failed=1, usage=Usage(fresh=100, answer=100), micro_usd=3456),
    )
    assert get(made).json() == {
        "object": "usage",
        "account": "acme",
        "tier": "pro",
        "period": {"start": "2026-11-01T00:00:00Z", "end": "2026-12-01T00:00:00Z"},
        "tokens": {
            "prompt": 1200,
            "completion": 3400,
            "cached": 200,
            "reasoning": 900,
            "total": 4600,
        },
        "requests": {"succeeded": 41, "failed": 1},
        "cost_usd": "0.123456",
        "quota": {
            "limit": 1_000_000,
            "used": 4600,
            "reserved": 0,
            "remaining": 995_400,
            "resets_at": "2026-12-01T00:00:00Z",
        },
        "rate_limit": {"requests_per_minute": 250, "remaining": 249},
        "by_model": [
            {
                "model": "b",
                "requests": 1,
                "prompt": 100,
                "completion": 100,
                "cost_usd": "0.003456",
            },
            {
                "model": "gpt-5.1-codex",
                "requests": 40,
                "prompt": 1100,
                "completion": 3300,
                "cost_usd": "0.12",
            },
        ],
        "by_day": [{"date": "2026-11-22", "requests": 41, "total": 4600}],
    }


def test_nothing_used_and_nothing_limited() -> None:
    made = gateway(verdict=Verdict())
    made.tiers["pro"] = Tier()
    told = get(made).json()
    assert told["tokens"]["total"] == 0
    assert told["cost_usd"] == "0.00"
    assert (told["quota"], told["rate_limit"]) == (None, None)
    assert (told["by_model"], told["by_day"]) == ([], [])
    assert "quota_usd" not in told
    assert made.limits.looked == []


def test_money_and_what_is_prepaid() -> None:
    left = Balance(limit=10_000_000, used=1, reserved=250_000, resets_at_ms=None)
    told = get(gateway(verdict=Verdict(quota_usd=left))).json()
    assert told["quota"] is None
    assert told["quota_usd"] == {
        "limit": "10.00",
        "used": "0.000001",
        "reserved": "0.25",
        "remaining": "9.749999",
        "resets_at": None,
    }


def test_calls_without_a_price_are_told_of() -> None:
    told = get(gateway(row("a", micro_usd=5), row("b", unpriced=3))).json()
    assert (told["cost_usd"], told["unpriced_requests"]) == ("0.000005", 3)
    assert "unpriced_requests" not in told["by_model"][0]
    assert told["by_model"][1]["unpriced_requests"] == 3


@pytest.mark.parametrize("group", ["model", "day", "key"])
def test_one_part_alone(group: str) -> None:
    made = gateway(row(key_id="key_2"), row(key_id="key_1"))
    told = get(made, f"?group_by={group}").json()
    assert [name for name in told if name.startswith("by_")] == [f"by_{group}"]
    if group == "key":
        assert [part["key"] for part in told["by_key"]] == ["key_1", "key_2"]


@pytest.mark.parametrize(
    ("query", "days", "period"),
    [
        ("", [1, 22, 30], ("2026-11-01", "2026-12-01")),
        ("?start=2026-11-22", [22, 30], ("2026-11-22", "2026-12-01")),
        ("?end=2026-11-22", [1], ("2026-11-01", "2026-11-22")),
        ("?start=2026-11-02&end=2026-11-23", [22], ("2026-11-02", "2026-11-23")),
        (
            "?start=2026-11-30T00:00:00Z&end=2026-12-01T00:00:00Z",
            [30],
            ("2026-11-30", "2026-12-01"),
        ),
    ],
)
def test_a_period(query: str, days: list[int], period: tuple[str, str]) -> None:
    made = gateway(*(row(day=date(2026, 11, day)) for day in (1, 22, 30)))
    told = get(made, query).json()
    assert [int(each["date"][-2:]) for each in told["by_day"]] == days
    start, end = period
    assert told["period"] == {
        "start": f"{start}T00:00:00Z",
        "end": f"{end}T00:00:00Z",
    }


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("?start=yesterday", "start"),
        ("?start=", "start"),
        ("?end=2026-02-30", "end"),
        ("?start=2026-11-22&end=2026-11-22", "end"),
        ("?start=2027-01-01", "start"),
        ("?end=2020-01-01", "end"),
        ("?start=2020-01-01", "start"),
        ("?group_by=account", "group_by"),
        ("?group_by=", "group_by"),
    ],
)
def test_a_bad_parameter_is_named(query: str, param: str) -> None:
    answer = get(gateway(), query)
    assert answer.status == 400
    error = answer.json()["error"]
    assert (error["param"], error["type"]) == (param, "invalid_request_error")
    assert param in error["message"]


def test_it_works_over_quota_and_over_the_rate() -> None:
    for limit in ("quota_tokens", "requests"):
        verdict = refused(limit)
        assert get(gateway(verdict=verdict)).status == 200


def test_it_is_not_a_guess() -> None:
    made = gateway()
    made.limits.unavailable = True
    assert get(made).status == 503
    made = gateway()
    made.ledger.unusable = True
    answer = get(made)
    assert (answer.status, answer.json()["error"]["code"]) == (503, "overloaded")
    assert "locked" not in answer.json()["error"]["message"]


def test_what_is_left_is_asked_each_time() -> None:
    made = gateway()
    get(made)
    made.limits.verdict = msgspec.structs.replace(
        VERDICT, requests=Room(limit=250, remaining=3, reset_ms=1)
    )
    assert get(made).json()["rate_limit"]["remaining"] == 3
