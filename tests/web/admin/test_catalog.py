from dataclasses import replace

import msgspec
from support.offices import Desk
from support.scripted import ScriptedProvider

from lightweight.config.schema import Timeouts
from lightweight.policy.admission import Tier
from lightweight.upstream.http import HttpProvider


async def test_operators_see_what_is_not_offered_and_why(desk: Desk) -> None:
    runtime = desk.gateway.runtime
    reasons = {"absent": "The model 'absent' is known, but nobody serves it."}
    told_of = msgspec.structs.replace(runtime.offering, reasons=reasons)
    desk.gateway.runtime = replace(runtime, offering=told_of)
    told = await desk.asked("GET", "/admin/v1/models", token=await desk.token())
    models = {model["id"]: model for model in told["data"]}
    assert set(models) == {"renamed", "same", "org/path.1", "absent"}
    assert not models["absent"]["offered"]
    assert models["absent"]["why_not"] == reasons["absent"]
    [target] = models["renamed"]["targets"]
    assert (target["provider"], target["dialect"]) == ("one", "openai_chat")
    assert target["price"]["output"] == "10.00"


async def test_members_see_what_they_may_use(desk: Desk) -> None:
    desk.gateway.tiers["pro"] = Tier(models=frozenset({"same"}))
    token = await desk.token("member", await desk.account("acme"))
    told = await desk.asked("GET", "/admin/v1/models", token=token)
    assert [model["id"] for model in told["data"]] == ["same"]


async def test_how_providers_fare(desk: Desk) -> None:
    breaker = desk.gateway.standings["one"].breaker
    for _ in range(5):
        breaker.failed(breaker.enter(0.0), 0.0)
    told = await desk.asked("GET", "/admin/v1/providers", token=await desk.token())
    one, two = told["data"]
    assert (one["name"], one["state"], one["wait_s"]) == ("one", "open", 5.0)
    assert one["models"] == ["org/path.1", "renamed", "same"]
    assert (two["state"], two["models"]) == ("closed", ["org/path.1"])


async def test_a_provider_is_tested(desk: Desk) -> None:
    from twisted.internet import reactor

    scripted = await ScriptedProvider().start()
    provider = HttpProvider(
        reactor,
        name="one",
        base_url=scripted.base_url,
        credential={},
        timeouts=Timeouts(),
        instance="instance-1",
        wall=lambda: 0.0,
    )
    runtime = desk.gateway.runtime
    desk.gateway.runtime = replace(runtime, providers={"one": provider})
    token = await desk.token()
    scripted.reply(body=b"{}")
    well = await desk.asked("POST", "/admin/v1/providers/one/test", token=token)
    assert (well["ok"], well["fault"]) == (True, None)
    scripted.reply(status=500, body=b"{}")
    ill = await desk.asked("POST", "/admin/v1/providers/one/test", token=token)
    assert not ill["ok"]
    assert ill["fault"].startswith("Provider 'one' ")
    assert "127.0.0.1" not in ill["fault"]
    await provider.close()
    await scripted.stop()
