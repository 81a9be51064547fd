"""The order of targets: priority, weight, session; and what names a session."""

from collections import Counter
from typing import Any

import pytest
from msgspec.structs import replace
from support.chat import call

from lightweight.policy.route import (
    SHOWN,
    Standing,
    arranged,
    fitting,
    session_of,
    staying,
)
from lightweight.records import Target


def at(provider: str, **fields: Any) -> Target:
    return Target(provider=provider, model="m", dialect="openai_chat", **fields)


def order(targets: list[Target], seed: str) -> str:
    return "".join(target.provider for target in arranged(targets, seed))


def test_a_provider_of_two_dialects_is_asked_in_the_clients() -> None:
    chat, other = at("a"), at("b")
    responses = replace(chat, dialect="openai_responses")
    targets = [chat, responses, other, other]
    assert fitting(targets, "openai_responses") == [responses, other, other]
    assert fitting(targets, "openai_chat") == [chat, other, other]
    assert fitting(targets, "anthropic") == [chat, other, other]
    assert fitting([responses], "openai_chat") == [responses]


def test_without_priorities_the_first_one_goes_first() -> None:
    targets = [at("a"), at("b"), at("c")]
    assert {order(targets, f"s{n}") for n in range(50)} == {"abc"}


def test_priority_goes_before_place() -> None:
    targets = [at("a", priority=9), at("b"), at("c", priority=1)]
    assert {order(targets, f"s{n}") for n in range(50)} == {"cba"}


def test_equals_share_by_weight() -> None:
    targets = [at("a", priority=1, weight=3), at("b", priority=1), at("c", priority=2)]
    orders = Counter(order(targets, f"seed {n}") for n in range(4000))
    assert set(orders) == {"abc", "bac"}
    assert orders["abc"] / 4000 == pytest.approx(0.75, abs=0.03)


def test_a_session_keeps_its_place_and_loses_it_alone() -> None:
    targets = [at(name, priority=1) for name in "abcd"]
    without = [target for target in targets if target.provider != "c"]
    for n in range(200):
        before = order(targets, f"s{n}")
        assert before == order(targets[::-1], f"s{n}")
        assert order(without, f"s{n}") == before.replace("c", "")


@pytest.mark.parametrize(
    ("fields", "headers", "session"),
    [
        ({}, {}, None),
        ({"user": "u"}, {}, "u"),
        ({"user": "u", "prompt_cache_key": "p"}, {}, "p"),
        ({"safety_identifier": "s", "prompt_cache_key": None}, {}, "s"),
        ({"user": "u"}, {"session_id": "h"}, "h"),
        ({"user": "u"}, {"x-session-id": ""}, "u"),
        ({"prompt_cache_key": ["no", "text"]}, {}, None),
        ({"metadata": {"user_id": "user_a_session_b", "x": 1}}, {}, "user_a_session_b"),
        ({"metadata": {"user_id": "m"}, "user": "u"}, {}, "u"),
        ({"metadata": {"user_id": 7}}, {}, None),
        ({"metadata": "odd"}, {}, None),
    ],
)
def test_what_names_a_session(
    fields: dict[str, Any], headers: dict[str, str], session: str | None
) -> None:
    assert session_of(call(**fields), headers) == session


def test_a_standing_waits_for_whatever_lasts_longer() -> None:
    standing = Standing()
    assert standing.wait("m", 0) == 0
    standing.resting.rest("m", 2, 0)
    assert (standing.wait("m", 0), standing.wait("n", 0)) == (2, 0)
    for _ in range(5):
        standing.breaker.failed(standing.breaker.enter(0), 0)
    assert standing.wait("m", 0) == standing.breaker.wait(0) > 2


def test_the_health_of_a_provider_is_told() -> None:
    standing = Standing()
    for _ in range(5):
        standing.breaker.failed(standing.breaker.enter(0), 0)
    for number in range(2 * SHOWN):
        standing.resting.rest(f"m{number}", number + 10, 0)

    health = standing.health(1)

    assert (health.state, health.wait) == ("open", 4)
    assert len(health.resting) == SHOWN
    assert next(iter(health.resting.items())) == ("m9", 18)


def stayed(sealed_by: Any, targets: list[Target], *, left_alone: str = "") -> str:
    def free(target: Target) -> bool:
        return target.provider not in left_alone

    return "".join(t.provider for t in staying(targets, sealed_by, free))


CHAT, GOOGLE, CLAUDE = at("a"), at("g", quirks={"thought_signatures"}), at("c")
CLAUDE = replace(CLAUDE, dialect="anthropic")
RESPONSES = [
    replace(at(name), dialect="openai_responses", model=model)
    for name, model in ("xm", "xn", "ym")
]


def test_a_conversation_stays_with_those_who_read_its_seals() -> None:
    everyone = [CHAT, GOOGLE, CLAUDE, replace(CLAUDE, provider="d")]
    assert stayed(None, everyone) == "agcd"
    assert stayed("anthropic", everyone) == "cd"
    assert stayed("gemini", everyone) == "g"
    assert stayed("gemini", [replace(CHAT, dialect="gemini"), CHAT]) == "a"


def test_where_nobody_reads_them_everybody_may_be_asked() -> None:
    assert stayed("openai_responses", [CHAT, CLAUDE]) == "ac"


def test_a_seal_that_is_bound_to_an_account_stays_there() -> None:
    assert stayed("openai_responses", [CHAT, *RESPONSES]) == "xx"
    assert stayed("openai_responses", [CHAT, *RESPONSES], left_alone="x") == "y"
    assert stayed("openai_responses", RESPONSES, left_alone="xy") == "xx"
