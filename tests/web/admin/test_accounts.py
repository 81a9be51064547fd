from support.offices import Desk
from support.people import trail

from lightweight.store.accounts import find_account


async def test_accounts_are_made_changed_and_topped_up(desk: Desk) -> None:
    token = await desk.token()
    draft = {"name": "acme", "tier": "pro", "limits": {"rpm": 5}}
    made = await desk.asked("POST", "/admin/v1/accounts", draft, token=token)
    assert (made["name"], made["limits"]["rpm"]) == ("acme", 5)
    changes = {"disabled": True, "limits": {"rpm": None}}
    await desk.asked("PATCH", "/admin/v1/accounts/acme", changes, token=token)
    topped = await desk.asked(
        "POST", "/admin/v1/accounts/acme/top-up", {"usd": "2.50"}, token=token
    )
    assert topped["limits"]["prepaid"]
    kept = await desk.office.database.read(lambda c: find_account(c, "acme"))
    assert (kept.disabled, kept.limits.rpm) == (True, None)
    assert kept.limits.quota_micro_usd == 2_500_000
    whats = [what for _, what, _ in await desk.office.database.read(trail)]
    assert whats[1:] == [
        "account.create",
        "account.limits",
        "account.disable",
        "account.top_up",
    ]


async def test_a_change_is_made_whole_or_not_at_all(desk: Desk) -> None:
    token = await desk.token()
    await desk.account("acme")
    changes = {"disabled": True, "limits": {"rpm": 0}}
    answer = await desk.ask("PATCH", "/admin/v1/accounts/acme", changes, token=token)
    assert answer.status == 409
    kept = await desk.office.database.read(lambda c: find_account(c, "acme"))
    assert not kept.disabled


async def test_pages_lead_to_each_other(desk: Desk) -> None:
    token = await desk.token()
    for number in range(5):
        await desk.account(f"a{number}")
    seen: list[str] = []
    after = ""
    while True:
        page = await desk.asked(
            "GET", f"/admin/v1/accounts?limit=2{after}", token=token
        )
        assert page["object"] == "list"
        seen += [each["name"] for each in page["data"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert sorted(seen) == ["a0", "a1", "a2", "a3", "a4"]
    assert len(seen) == 5


async def test_who_i_am(desk: Desk) -> None:
    me = await desk.asked("GET", "/admin/v1/me", token=await desk.token())
    assert me == {"role": "operator", "account": None, "person": None}
