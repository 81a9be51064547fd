"""The overview: figures of 30 days, quotas, and what to do first."""

from support.gateway import EPOCH
from support.offices import Desk
from support.uses import DAY, use
from support.visits import recorded, visitor

from lightweight.policy.admission import Tier
from lightweight.policy.pace import Balance, Verdict
from lightweight.records import Limits


async def test_a_new_server_says_what_to_do_first(desk: Desk) -> None:
    text = await (await visitor(desk)).text("/")
    for title in ("Connect a provider", "Test it", "Make a key", "Send a request"):
        assert title in text
    assert "No requests yet" in text
    assert "curl http://localhost:8080/v1/chat/completions" in text


async def test_a_member_is_not_told_to_configure(desk: Desk) -> None:
    acme = await desk.account("acme")
    ann = await visitor(desk, "member", acme)
    text = await ann.text("/")
    assert "0 of 2 done" in text
    assert "Connect a provider" not in text
    await desk.key(acme)
    assert "1 of 2 done" in await ann.text("/")


async def test_the_figures_are_of_30_days_and_of_ones_own(desk: Desk) -> None:
    acme = await desk.account("acme")
    await recorded(
        desk,
        *(
            use(f"u{n}", at=EPOCH - n * DAY, account_id=acme.id, first_byte_s=n / 10)
            for n in range(1, 5)
        ),
        use("bad", at=EPOCH, account_id=acme.id, ending="failed", usage=None),
        use("old", at=EPOCH - 31 * DAY, account_id=acme.id),
        use("other", at=EPOCH, account_id="acct_other"),
    )
    ann = await visitor(desk, "member", acme)
    text = await ann.text("/")
    assert "Requests 5 4 answered" in text
    assert "Errors 20.0 % 1 failed" in text
    # Of all six that were measured, the failed and the old one too.
    assert "First byte 300 ms 500 ms at p95" in text
    assert "Get to the first answer" not in text
    operator = await visitor(desk, name="boss")
    assert "Requests 6 5 answered" in await operator.text("/")


async def test_what_is_left_of_a_quota(desk: Desk) -> None:
    acme = await desk.account("acme")
    desk.gateway.tiers["pro"] = Tier(limits=Limits(quota_tokens=100))
    desk.gateway.limits.verdict = Verdict(
        quota_tokens=Balance(
            limit=100, used=100, reserved=0, resets_at_ms=int(EPOCH * 1000)
        )
    )
    ann = await visitor(desk, "member", acme)
    text = await ann.text("/")
    assert "100 of 100 used, resets 2026-11-22" in text
    assert "The quota is used up" in text
    desk.gateway.limits.unavailable = True
    assert "No quota" in await ann.text("/")


async def test_operators_see_the_use_of_all_accounts_as_of_now(desk: Desk) -> None:
    boss = await visitor(desk)
    await recorded(desk, use("old", at=EPOCH - 5 * DAY), use("new", at=EPOCH))
    assert "Requests 2 2 answered" in await boss.text("/")
    await recorded(desk, use("older", at=EPOCH - 5 * DAY), use("newer", at=EPOCH))
    assert "Requests 4 4 answered" in await boss.text("/")
    assert "gpt 2 0" in await boss.text("/usage?start=2026-11-22")
