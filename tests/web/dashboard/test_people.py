"""People and invites: who may do what to whom."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from support.answered import Answered
from support.gateway import EPOCH
from support.offices import Desk
from support.visits import said, visitor

from lightweight.store.invites import invites_page
from lightweight.store.people import find_person


def link(answer: Answered) -> str:
    found = re.search(r'id="new-link"[^>]* value="([^"]+)"', answer.body.decode())
    assert found is not None, said(answer)
    return found[1]


async def test_an_operator_invites_to_a_new_account(desk: Desk) -> None:
    boss = await visitor(desk)
    form = {"account_name": "new", "tier": "pro", "role": "owner", "days": "3"}
    form["note"] = "ann@acme.org"
    answer = await boss.post("/invites", form)
    url = urlsplit(link(answer))
    assert (url.netloc, url.path) == ("localhost:8080", "/dashboard/join")
    (invite,) = await desk.office.database.read(invites_page)
    assert (invite.role, invite.account_name, invite.tier) == ("owner", "new", "pro")
    assert invite.note == "ann@acme.org"
    assert invite.expires_at == EPOCH + 3 * 86_400
    # The secret was on this page alone.
    (secret,) = parse_qs(url.query)["invite"]
    assert secret not in (await boss.get("/people")).body.decode()


async def test_an_owner_invites_to_the_own_account_only(desk: Desk) -> None:
    acme, other = await desk.account("acme"), await desk.account("other")
    ann = await visitor(desk, "owner", acme)
    assert link(await ann.post("/invites", {"account": acme.id, "role": "member"}))
    for form, status in (
        ({"account": other.id, "role": "member"}, 404),
        ({"account": acme.id, "role": "operator"}, 403),
        ({"account_name": "new", "tier": "pro", "role": "owner"}, 403),
        ({"account": acme.id, "role": "king"}, 400),
    ):
        answer = await ann.post("/invites", form)
        assert answer.status == status, form
    assert len(await desk.office.database.read(invites_page)) == 1


async def test_a_member_invites_nobody(desk: Desk) -> None:
    ann = await visitor(desk, "member", await desk.account("acme"))
    for path in ("/invites", "/people/x/link", "/people/x/disable"):
        assert (await ann.post(path, {"role": "member"})).status == 403


async def test_an_invite_is_ended(desk: Desk) -> None:
    boss = await visitor(desk)
    await boss.post("/invites", {"account_name": "a", "tier": "pro", "role": "owner"})
    (invite,) = await desk.office.database.read(invites_page)
    answer = await boss.post(f"/invites/{invite.id}/revoke")
    assert "No open invites" in said(answer)


async def test_a_password_link_of_ones_own_people(desk: Desk) -> None:
    acme, other = await desk.account("acme"), await desk.account("other")
    bob = await desk.person("bob", "member", acme)
    boss_of_acme = await desk.person("chief", "operator", acme)
    eve = await desk.person("eve", "member", other)
    ann = await visitor(desk, "owner", acme)
    assert "/dashboard/password?link=" in link(await ann.post(f"/people/{bob.id}/link"))
    # Whoever had an operator's link would be one.
    for somebody in (boss_of_acme, eve):
        assert (await ann.post(f"/people/{somebody.id}/link")).status == 404
    text = await ann.text("/people")
    assert "bob" in text
    assert "chief" not in text
    assert "eve" not in text


@pytest.mark.parametrize("verb", ["disable", "enable"])
async def test_somebody_is_let_in_no_more_and_again(desk: Desk, verb: str) -> None:
    acme = await desk.account("acme")
    bob = await visitor(desk, "member", acme, name="bob")
    boss = await visitor(desk)
    answer = await boss.post(f"/people/{bob.person.id}/disable")
    assert "bob cannot sign in any more" in said(answer)
    assert (await bob.get("/")).status == 303
    await boss.post(f"/people/{bob.person.id}/{verb}")
    found = await desk.office.database.read(lambda c: find_person(c, "bob"))
    assert found.disabled == (verb == "disable")


async def test_nobody_locks_themselves_out(desk: Desk) -> None:
    boss = await visitor(desk)
    answer = await boss.post(f"/people/{boss.person.id}/disable")
    assert answer.status == 400
    assert "You cannot disable yourself" in said(answer)
