"""The models on offer, and what they are to one's account."""

from dataclasses import replace

from msgspec.structs import replace as changed
from support.offices import Desk
from support.visits import visitor

from lightweight.policy.admission import Tier


async def test_what_is_offered(desk: Desk) -> None:
    text = await (await visitor(desk)).text("/models")
    assert "renamed other-name available acme 128K $1.00 $10.00 one" in text
    assert "org/path.1 preview" in text


async def test_why_the_rest_is_not_is_for_operators(desk: Desk) -> None:
    runtime = desk.gateway.runtime
    offering = changed(runtime.offering, reasons={"gone": "It was retired."})
    desk.gateway.runtime = replace(runtime, offering=offering)
    acme = await desk.account("acme")
    assert "It was retired." in await (await visitor(desk)).text("/models")
    bob = await visitor(desk, "member", acme, name="bob")
    assert "It was retired." not in await bob.text("/models")


async def test_a_model_out_of_the_tier_says_so(desk: Desk) -> None:
    desk.gateway.tiers["pro"] = Tier(models=frozenset({"other-name"}))
    acme = await desk.account("acme")
    text = await (await visitor(desk, "member", acme)).text("/models")
    assert "renamed other-name available" in text
    assert "same not in your tier" in text


async def test_no_model_says_what_to_do(desk: Desk) -> None:
    runtime = desk.gateway.runtime
    offering = changed(runtime.offering, models={})
    desk.gateway.runtime = replace(runtime, offering=offering)
    assert "No model on offer" in await (await visitor(desk)).text("/models")
