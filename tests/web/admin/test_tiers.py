from support.offices import Desk

from lightweight.policy.admission import Tier
from lightweight.records import Limits


async def test_tiers_are_shown_to_everybody(desk: Desk) -> None:
    desk.gateway.tiers.update(
        beta=Tier(limits=Limits(rpm=60), models=frozenset({"b", "a"}))
    )
    token = await desk.token("member", await desk.account("acme"))
    told = await desk.asked("GET", "/admin/v1/tiers", token=token)
    assert [tier["name"] for tier in told["data"]] == ["beta", "pro"]
    beta = told["data"][0]
    assert (beta["limits"]["rpm"], beta["limits"]["tpm"]) == (60, None)
    assert beta["models"] == ["a", "b"]


async def test_no_account_gets_a_tier_that_is_not_there(desk: Desk) -> None:
    token = await desk.token()
    await desk.account("acme")
    for method, path, body in (
        ("POST", "accounts", {"name": "new", "tier": "gold"}),
        ("PATCH", "accounts/acme", {"tier": "gold"}),
        ("POST", "invites", {"new_account": "new", "tier": "gold"}),
    ):
        answer = await desk.ask(method, f"/admin/v1/{path}", body, token=token)
        assert (answer.status, answer.json()["error"]["param"]) == (400, "tier")
