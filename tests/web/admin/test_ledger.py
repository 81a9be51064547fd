from support.offices import Desk
from support.uses import NOON, use

from lightweight.policy.admission import Tier
from lightweight.policy.pace import Balance, Room, Verdict
from lightweight.records import Account, ApiKey, Limits
from lightweight.store.ledger import record


async def with_uses(desk: Desk, count: int = 1) -> tuple[Account, ApiKey]:
    acme = await desk.account("acme")
    key = await desk.key(acme)
    uses = [
        use(f"req_{n}", at=NOON + n, account_id=acme.id, key_id=key.id)
        for n in range(count)
    ]
    await desk.office.database.run(lambda c: record(c, uses))
    return acme, key


async def test_usage_is_that_of_the_public_api(desk: Desk) -> None:
    acme, key = await with_uses(desk)
    desk.gateway.tiers["pro"] = Tier(limits=Limits(rpm=60))
    desk.gateway.limits.verdict = Verdict(
        requests=Room(limit=60, remaining=59, reset_ms=5),
        quota_tokens=Balance(limit=100, used=42, reserved=0, resets_at_ms=None),
    )
    token = await desk.token("member", acme)
    path = f"/admin/v1/accounts/{acme.id}/usage?group_by=key"
    told = await desk.asked("GET", path, token=token)
    assert (told["account"], told["tokens"]["total"]) == ("acme", 42)
    assert told["cost_usd"] == "0.00012"
    assert told["quota"]["remaining"] == 58
    assert told["rate_limit"] == {"requests_per_minute": 60, "remaining": 59}
    assert [part["key"] for part in told["by_key"]] == [key.id]
    assert "by_model" not in told


async def test_the_request_log_in_pages(desk: Desk) -> None:
    acme, _ = await with_uses(desk, 5)
    token = await desk.token("member", acme)
    first = await desk.asked("GET", "/admin/v1/requests?limit=3", token=token)
    assert [each["id"] for each in first["data"]] == ["req_4", "req_3", "req_2"]
    rest = await desk.asked(
        "GET", f"/admin/v1/requests?limit=3&after={first['next']}", token=token
    )
    assert [each["id"] for each in rest["data"]] == ["req_1", "req_0"]
    assert rest["next"] is None


async def test_one_request_by_its_id(desk: Desk) -> None:
    await with_uses(desk)
    told = await desk.asked("GET", "/admin/v1/requests/req_0", token=await desk.token())
    assert told["attempts"] == [
        {
            "provider": "openai",
            "model": "gpt-up",
            "status": 200,
            "fault": None,
            "seconds": 1.5,
        }
    ]


async def test_the_audit_log_in_pages(desk: Desk) -> None:
    token = await desk.token()
    for name in ("a", "b"):
        draft = {"name": name, "tier": "pro"}
        await desk.asked("POST", "/admin/v1/accounts", draft, token=token)
    first = await desk.asked("GET", "/admin/v1/audit?limit=2", token=token)
    assert [each["what"] for each in first["data"]] == ["account.create"] * 2
    assert first["data"][0]["who"].startswith("token test (token_")
    assert first["data"][0]["details"]["name"] == "b"
    rest = await desk.asked(
        "GET", f"/admin/v1/audit?limit=2&after={first['next']}", token=token
    )
    assert [each["what"] for each in rest["data"]] == ["admin_token.create"]
    subject = first["data"][1]["subject"]
    about = await desk.asked("GET", f"/admin/v1/audit?subject={subject}", token=token)
    assert [each["subject"] for each in about["data"]] == [subject]
