"""What an account may use: who sees it, who changes it, and what is written of that."""

import pytest
from msgspec.structs import replace
from support.offices import Desk
from support.people import trail
from support.visits import Visitor, said, visitor

from lightweight.policy.admission import limits_of_account
from lightweight.records import Account, Limits
from lightweight.store.accounts import find_account, set_limits
from lightweight.web.dashboard import accounts
from lightweight.web.dashboard.figures import NOTHING


async def opened(desk: Desk) -> tuple[Visitor, Account]:
    return await visitor(desk), await desk.account("acme")


async def kept(desk: Desk, account: Account) -> Limits:
    found = await desk.office.database.read(lambda c: find_account(c, account.id))
    return found.limits


async def test_an_operator_finds_every_account_page_by_page(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "PAGE", 2)
    boss = await visitor(desk)
    for name in ("one", "two", "three"):
        await desk.account(name)
    first = (await boss.get("/accounts")).body.decode()
    assert ">two<" not in first or ">one<" not in first
    older = first.split('href="/dashboard/accounts?')[1].split('"')[0]
    second = (await boss.get(f"/accounts?{older.replace('&amp;', '&')}")).body.decode()
    for name in ("one", "two", "three"):
        assert (f">{name}<" in first) != (f">{name}<" in second)
    assert "Older" not in second


async def test_a_member_reads_the_own_account_and_changes_nothing(desk: Desk) -> None:
    acme = await desk.account("acme")
    ann = await visitor(desk, "member", acme)
    for path in ("/accounts", f"/accounts/{acme.id}", "/accounts/acme"):
        answer = await ann.get(path)
        assert "What counts now" in said(answer)
        # The two of every page.
        assert answer.body.count(b'method="post"') == 2
    for deed in ("tier", "limits", "top-up", "clear-quota"):
        form = {"tier": "pro", "rpm": "9", "tokens": "5"}
        answer = await ann.post(f"/accounts/{acme.id}/{deed}", form)
        assert answer.status == 403
    assert await kept(desk, acme) == Limits()


async def test_limits_are_set_and_cleared_and_written_down(desk: Desk) -> None:
    boss, acme = await opened(desk)
    form = {"rpm": "9", "quota_usd": "", "quota_micro_usd": "12.5", "tpm": ""}
    answer = await boss.post(f"/accounts/{acme.id}/limits", form)
    assert "count within two seconds" in said(answer)
    assert await kept(desk, acme) == Limits(rpm=9, quota_micro_usd=12_500_000)
    assert 'name="quota_micro_usd" value="12.50"' in answer.body.decode()
    again = await boss.post(f"/accounts/{acme.id}/limits", {"rpm": "9"})
    assert (again.status, "Nothing was changed" in said(again)) == (400, True)
    # What the form does not have stays.
    await boss.post(f"/accounts/{acme.id}/limits", {"rpm": ""})
    assert await kept(desk, acme) == Limits(quota_micro_usd=12_500_000)
    entries = await desk.office.database.read(trail)
    who = f"ann ({boss.person.id})"
    assert entries[-2:] == [(who, "account.limits", acme.id)] * 2


async def test_what_counts_is_the_own_limit_over_the_tiers(desk: Desk) -> None:
    boss, acme = await opened(desk)
    tiers = desk.office.current().tiers
    counts = limits_of_account(replace(acme, limits=Limits(rpm=9)), tiers)
    assert counts.rpm == 9
    await desk.office.database.run(
        lambda c: set_limits(c, acme.id, {"rpm": 9}, now=1.0, who="test")
    )
    text = await boss.text(f"/accounts/{acme.id}")
    assert "Requests a minute" in text
    tier = tiers[acme.tier].limits.rpm
    shown = NOTHING if tier is None else str(tier)
    assert f"Requests a minute {shown} 9 9" in text
    assert f"Tokens a minute {NOTHING} {NOTHING} no limit" in text


async def test_a_tier_is_changed_to_one_there_is(desk: Desk) -> None:
    boss, acme = await opened(desk)
    for tier in desk.office.current().tiers:
        answer = await boss.post(f"/accounts/{acme.id}/tier", {"tier": tier})
        assert f"is on the tier {tier}" in said(answer)
    wrong = await boss.post(f"/accounts/{acme.id}/tier", {"tier": "gold"})
    assert (wrong.status, "no such tier" in said(wrong)) == (400, True)


async def test_prepaid_quota_is_added_and_its_history_shown(desk: Desk) -> None:
    boss, acme = await opened(desk)
    path = f"/accounts/{acme.id}"
    await boss.post(f"{path}/top-up", {"tokens": "1000", "usd": ""})
    answer = await boss.post(f"{path}/top-up", {"tokens": "500", "usd": "20"})
    assert "Added to the prepaid quota" in said(answer)
    prepaid = Limits(quota_tokens=1500, quota_micro_usd=20_000_000, prepaid=True)
    assert await kept(desk, acme) == prepaid
    assert f"500 $20.00 ann ({boss.person.id})" in said(answer)
    assert "Tokens, prepaid" in said(answer)
    nothing = await boss.post(f"{path}/top-up", {"tokens": "", "usd": ""})
    assert (nothing.status, "say how many" in said(nothing)) == (409, True)
    # A member sees how much, and not who.
    ann = await visitor(desk, "member", acme, name="eve")
    text = await ann.text(path)
    assert "1,000" in text
    assert boss.person.id not in text
    cleared = await boss.post(f"{path}/clear-quota")
    assert "no quota of its own" in said(cleared)
    assert await kept(desk, acme) == Limits()


async def test_a_monthly_quota_is_cleared_before_a_prepaid_one(desk: Desk) -> None:
    boss, acme = await opened(desk)
    path = f"/accounts/{acme.id}"
    monthly = await boss.post(f"{path}/limits", {"quota_tokens": "1000"})
    assert "Clear its monthly quota" in said(monthly)
    assert f'action="/dashboard{path}/top-up"' not in monthly.body.decode()
    assert (await boss.post(f"{path}/top-up", {"tokens": "5"})).status == 409
    cleared = await boss.post(f"{path}/clear-quota")
    assert f'action="/dashboard{path}/top-up"' in cleared.body.decode()


async def test_an_account_that_is_not_there(desk: Desk) -> None:
    boss, _ = await opened(desk)
    assert (await boss.get("/accounts/acct_none")).status == 404
    assert (await boss.post("/accounts/acct_none/top-up")).status == 404
