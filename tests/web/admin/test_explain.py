"""What is told of a call is what happens to one."""

from dataclasses import replace
from typing import Any

import msgspec
from support.gateway import EPOCH, model, offering
from support.offices import Desk

from lightweight.catalog.left_out import LeftOut
from lightweight.policy.admission import Tier
from lightweight.policy.pace import Refusal, Room, Verdict
from lightweight.records import Limits, Target
from lightweight.store.accounts import set_disabled
from lightweight.store.api_keys import revoke_key


async def asked(desk: Desk, **question: object) -> Any:
    given = {"model": "org/path.1", "account": "acme", **question}
    return await desk.asked(
        "POST", "/admin/v1/explain", given, token=await desk.token()
    )


def ill(desk: Desk, provider: str) -> None:
    breaker = desk.gateway.standings[provider].breaker
    for _ in range(5):
        breaker.failed(breaker.enter(0.0), 0.0)


async def test_targets_stand_in_their_order(desk: Desk) -> None:
    await desk.account("acme")
    told = await asked(desk)
    assert (told["allowed"], told["why_not"]) == (True, None)
    places = [(p["provider"], p["priority"], p["tried"]) for p in told["places"]]
    assert places == [("one", 1, True), ("two", 2, True)]
    assert told["subjects"] == []


async def test_a_provider_that_is_left_alone_is_not_tried(desk: Desk) -> None:
    await desk.account("acme")
    ill(desk, "one")
    desk.gateway.standings["two"].resting.rest("renamed-there", 7.0, 0.0)
    told = await asked(desk)
    one, two = told["places"]
    assert (one["tried"], two["tried"], told["allowed"]) == (False, False, False)
    assert "left alone for 5 s" in one["why_not"]
    assert "limits this model for 7 s" in two["why_not"]
    assert "'places' says why" in told["why_not"]


async def test_a_worse_dialect_of_the_same_place_is_not_tried(desk: Desk) -> None:
    await desk.account("acme")
    chat = Target(provider="one", model="m", dialect="openai_chat")
    own = Target(provider="one", model="m", dialect="openai_responses")
    runtime = desk.gateway.runtime
    desk.gateway.runtime = replace(runtime, offering=offering(model("x", chat, own)))
    told = await asked(desk, model="x", dialect="openai_responses")
    places = [(place["dialect"], place["tried"]) for place in told["places"]]
    assert places == [("openai_responses", True), ("openai_chat", False)]
    assert "own dialect" in told["places"][1]["why_not"]


async def test_targets_that_do_not_count_are_told_of(desk: Desk) -> None:
    await desk.account("acme")
    why = "No provider is configured for it: add [providers.acme]."
    absent = LeftOut(provider="acme", model="m", dialect="anthropic", why=why)
    runtime = desk.gateway.runtime
    left_out = {"same": (absent,), "gone": (absent,)}
    told_of = msgspec.structs.replace(
        runtime.offering,
        left_out=left_out,
        names={**runtime.offering.names, "gone": "gone"},
        reasons={"gone": "The model 'gone' is known."},
    )
    desk.gateway.runtime = replace(runtime, offering=told_of)
    told = await asked(desk, model="same")
    places = [(place["provider"], place["why_not"]) for place in told["places"]]
    assert places == [("one", None), ("acme", why)]
    assert told["allowed"]
    gone = await asked(desk, model="gone")
    assert (gone["model"], gone["allowed"]) == ("gone", False)
    assert [place["why_not"] for place in gone["places"]] == [why]


async def test_one_session_always_draws_the_same(desk: Desk) -> None:
    await desk.account("acme")
    equals = [
        Target(provider=name, model=f"m{n}", dialect="openai_chat", priority=1)
        for n in range(9)
        for name in ("one", "two")
    ]
    runtime = desk.gateway.runtime
    desk.gateway.runtime = replace(runtime, offering=offering(model("x", *equals)))
    first = await asked(desk, model="x", session="s")
    assert (await asked(desk, model="x", session="s"))["places"] == first["places"]
    assert (await asked(desk, model="x", session="t"))["places"] != first["places"]


async def test_limits_and_where_they_stand(desk: Desk) -> None:
    acme = await desk.account("acme")
    key = await desk.key(acme, limits=Limits(tpm=10))
    desk.gateway.tiers["pro"] = Tier(limits=Limits(rpm=60))
    desk.gateway.limits.verdict = Verdict(
        requests=Room(limit=60, remaining=0, reset_ms=1500),
        refused=Refusal(subject="", limit="requests", allowed=60, retry_after_ms=1500),
    )
    told = await asked(desk, key=key.id, account=None)
    kinds = [(each["kind"], each["id"]) for each in told["subjects"]]
    assert kinds == [("account", acme.id), ("key", key.id)]
    assert told["subjects"][1]["limits"]["tpm"] == 10
    room = {"limit": 60, "remaining": 0, "reset_s": 1.5}
    assert told["standing"]["requests"] == room
    assert not told["allowed"]
    assert told["why_not"].startswith("Rate limit reached")
    assert desk.gateway.limits.asked == []  # nothing was taken


async def test_what_is_not_allowed_or_not_there(desk: Desk) -> None:
    acme = await desk.account("acme")
    key = await desk.key(acme, models=frozenset({"same"}))
    denied = await asked(desk, key=key.id)
    assert "This key may not use" in denied["why_not"]
    assert denied["model"] == "org/path.1"
    unknown = await asked(desk, model="nobody")
    assert (unknown["model"], unknown["places"]) == (None, [])
    assert "does not exist" in unknown["why_not"]


async def test_what_is_dead(desk: Desk) -> None:
    acme = await desk.account("acme")
    key = await desk.key(acme)
    await desk.office.database.run(
        lambda c: revoke_key(c, key.id, now=EPOCH, who="cli")
    )
    assert (await asked(desk, key=key.id))["why_not"] == "The key is revoked."
    await desk.office.database.run(
        lambda c: set_disabled(c, acme.id, disabled=True, now=EPOCH, who="cli")
    )
    assert (await asked(desk))["why_not"] == "The account is disabled."
