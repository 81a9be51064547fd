"""What would happen to a call."""

from support.offices import Desk
from support.visits import said, visitor

from lightweight.policy.admission import Tier
from lightweight.policy.pace import Balance, Refusal, Room, Verdict
from lightweight.records import Limits


async def test_a_call_that_would_pass(desk: Desk) -> None:
    acme = await desk.account("acme")
    key = await desk.key(acme)
    ann = await visitor(desk, "member", acme)
    desk.gateway.tiers["pro"] = Tier(limits=Limits(rpm=60))
    desk.gateway.limits.verdict = Verdict(
        requests=Room(limit=60, remaining=59, reset_ms=1000)
    )
    text = await ann.text(f"/explain?key={key.id}&model=org/path.1")
    assert "It would pass: one is asked first." in text
    assert "Requests a minute 60 59" in text
    assert "one renamed-there tried Asked first." in text
    assert "two renamed-there tried Asked if those before it fail." in text


async def test_a_call_that_would_not(desk: Desk) -> None:
    acme = await desk.account("acme")
    key = await desk.key(acme)
    ann = await visitor(desk, "member", acme)
    limits = Limits(quota_tokens=10, quota_micro_usd=10)
    desk.gateway.tiers["pro"] = Tier(limits=limits)
    balance = Balance(limit=10, used=10, reserved=0, resets_at_ms=None)
    desk.gateway.limits.verdict = Verdict(
        refused=Refusal(
            subject="", limit="quota_tokens", allowed=10, retry_after_ms=None
        ),
        quota_tokens=balance,
        quota_usd=balance,
    )
    text = await ann.text(f"/explain?key={key.id}&model=same")
    assert "quota" in text
    assert "It would pass" not in text
    assert "Tokens in all 10 0" in text
    assert "Dollars in all $0.00001 $0.00" in text


async def test_another_accounts_key_is_not_explained(desk: Desk) -> None:
    acme, other = await desk.account("acme"), await desk.account("other")
    key = await desk.key(other)
    ann = await visitor(desk, "member", acme)
    answer = await ann.get(f"/explain?key={key.id}&model=same")
    assert answer.status == 404


async def test_without_a_key_the_page_says_what_it_takes(desk: Desk) -> None:
    ann = await visitor(desk, "member", await desk.account("acme"))
    assert "It takes a key and a model on offer" in said(await ann.get("/explain"))
