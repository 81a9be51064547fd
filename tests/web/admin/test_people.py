from support.gateway import EPOCH, PEPPER
from support.offices import Desk

from lightweight.store.invites import invite_of_secret
from lightweight.store.people import find_person, person_of_link


async def test_an_owner_invites_to_the_own_account(desk: Desk) -> None:
    acme = await desk.account("acme")
    token = await desk.token("owner", acme)
    made = await desk.asked(
        "POST", "/admin/v1/invites", {"note": "Ann", "life_s": 60}, token=token
    )
    address, _, secret = made["url"].partition("?invite=")
    assert address == "http://gateway.example/dashboard/join"
    found = await desk.office.database.read(
        lambda c: invite_of_secret(c, secret, pepper=PEPPER, now=EPOCH)
    )
    assert (found.account_id, found.role) == (acme.id, "member")
    assert (found.note, found.expires_at) == ("Ann", EPOCH + 60)
    listed = await desk.asked("GET", "/admin/v1/invites", token=token)
    assert listed["data"] == [made["details"]]
    assert secret not in str(listed)


async def test_nobody_gives_what_they_do_not_have(desk: Desk) -> None:
    acme = await desk.account("acme")
    eve = await desk.person("eve", "member", acme)
    token = await desk.token("owner", acme)
    for method, path, body in (
        ("POST", "invites", {"role": "operator"}),
        ("POST", "invites", {"role": "operator", "account": acme.id}),
        ("POST", "invites", {"new_account": "new", "tier": "pro"}),
        ("PATCH", f"people/{eve.id}", {"role": "operator"}),
    ):
        answer = await desk.ask(method, f"/admin/v1/{path}", body, token=token)
        assert answer.status == 403, path
    kept = await desk.office.database.read(lambda c: find_person(c, eve.id))
    assert kept == eve


async def test_an_operator_invites_to_a_new_account(desk: Desk) -> None:
    draft = {"role": "owner", "new_account": "new", "tier": "pro"}
    made = await desk.asked(
        "POST", "/admin/v1/invites", draft, token=await desk.token()
    )
    assert made["details"]["account_name"] == "new"
    assert made["details"]["state"] == "open"


async def test_an_invite_is_revoked(desk: Desk) -> None:
    token = await desk.token()
    made = await desk.asked(
        "POST", "/admin/v1/invites", {"role": "operator"}, token=token
    )
    ended = await desk.asked(
        "POST", f"/admin/v1/invites/{made['details']['id']}/revoke", token=token
    )
    assert ended["state"] == "revoked"


async def test_a_password_link_by_an_owner(desk: Desk) -> None:
    acme = await desk.account("acme")
    eve = await desk.person("eve", "member", acme)
    token = await desk.token("owner", acme)
    made = await desk.asked(
        "POST", f"/admin/v1/people/{eve.id}/reset-password", token=token
    )
    address, _, secret = made["url"].partition("?link=")
    assert address == "http://gateway.example/dashboard/password"
    found = await desk.office.database.read(
        lambda c: person_of_link(c, secret, pepper=PEPPER, now=EPOCH)
    )
    assert found == eve


async def test_somebody_is_disabled(desk: Desk) -> None:
    acme = await desk.account("acme")
    eve = await desk.person("eve", "member", acme)
    token = await desk.token("owner", acme)
    path = f"/admin/v1/people/{eve.id}"
    changed = await desk.asked("PATCH", path, {"disabled": True}, token=token)
    assert changed["disabled"]
    assert await desk.asked("GET", path, token=token) == changed
    answer = await desk.ask("POST", f"{path}/reset-password", token=token)
    assert answer.status == 409
