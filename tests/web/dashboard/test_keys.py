"""Keys made, rotated and revoked, and whose."""

import re

import pytest
from support.answered import Answered
from support.gateway import EPOCH, PEPPER
from support.offices import Desk
from support.people import trail
from support.visits import said, visitor

from lightweight.store.api_keys import find_key, key_page
from lightweight.store.keys import digest, plausible
from lightweight.store.schema import keys
from lightweight.web.dashboard.keys import number


def made(answer: Answered) -> str:
    found = re.search(r'id="new-key"[^>]* value="([^"]+)"', answer.body.decode())
    assert found is not None, said(answer)
    return found[1]


async def test_a_key_is_made_as_the_form_says(desk: Desk) -> None:
    acme = await desk.account("acme")
    ann = await visitor(desk, "member", acme)
    form = {
        "name": " laptop ",
        "expires": "30",
        "rpm": "5",
        "quota_usd": "12.50",
        "models": ["same", "renamed"],
    }
    answer = await ann.post("/keys", form)
    assert answer.status == 200
    secret = made(answer)
    assert plausible(secret)
    (key,) = await desk.office.database.read(key_page)
    assert (key.account_id, key.name) == (acme.id, "laptop")
    assert key.expires_at == EPOCH + 30 * 86_400
    assert (key.limits.rpm, key.limits.quota_micro_usd) == (5, 12_500_000)
    assert key.models == frozenset({"same", "renamed"})
    stored = await desk.office.database.read(
        lambda c: c.execute(keys.select()).one().digest
    )
    assert stored == digest(PEPPER, secret)
    assert secret not in (await ann.get("/keys")).body.decode()
    entries = await desk.office.database.read(trail)
    assert entries[-1] == (f"ann ({ann.person.id})", "key.create", key.id)


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ({"rpm": "-1"}, "give a whole number"),
        ({"rpm": "0"}, "A limit is a whole number from 1"),
        ({"quota_usd": "1.2345678"}, "to a millionth"),
        ({"quota_usd": "1e5"}, "a number such as 20"),
        ({"models": "gone"}, "not on offer any more"),
        ({"name": "x" * 101}, "at most 100"),
    ],
)
async def test_a_mistake_comes_back_with_the_reason(
    desk: Desk, form: dict[str, str], reason: str
) -> None:
    ann = await visitor(desk, "member", await desk.account("acme"))
    answer = await ann.post("/keys", form)
    assert answer.status in (400, 409)
    assert reason in said(answer)
    assert "New key" in said(answer)


async def test_a_key_of_another_account_cannot_be_had(desk: Desk) -> None:
    acme, other = await desk.account("acme"), await desk.account("other")
    theirs = await desk.key(other)
    ann = await visitor(desk, "owner", acme)
    for path, form in (
        ("/keys", {"account": other.id}),
        (f"/keys/{theirs.id}/rotate", {}),
        (f"/keys/{theirs.id}/revoke", {}),
    ):
        assert (await ann.post(path, form)).status == 404
    key = await desk.office.database.read(lambda c: find_key(c, theirs.id))
    assert key.revoked_at is None
    assert theirs.id not in (await ann.get("/keys")).body.decode()


async def test_an_operator_without_an_account_chooses_one(desk: Desk) -> None:
    acme = await desk.account("acme")
    boss = await visitor(desk)
    assert "A key belongs to an account" in said(await boss.post("/keys"))
    assert made(await boss.post("/keys", {"account": acme.id}))


async def test_a_rotated_key_works_on_for_its_grace(desk: Desk) -> None:
    acme = await desk.account("acme")
    old = await desk.key(acme)
    ann = await visitor(desk, "member", acme)
    answer = await ann.post(f"/keys/{old.id}/rotate", {"grace": "3600"})
    assert made(answer)
    assert f"The key that follows {old.id}" in said(answer)
    key = await desk.office.database.read(lambda c: find_key(c, old.id))
    assert key.revoked_at == EPOCH + 3600
    assert "replaced, ends soon" in said(answer)
    again = await ann.post(f"/keys/{old.id}/rotate", {"grace": "99999999"})
    assert "for 30 days at most" in said(again)


async def test_a_key_is_revoked(desk: Desk) -> None:
    acme = await desk.account("acme")
    key = await desk.key(acme)
    ann = await visitor(desk, "member", acme)
    answer = await ann.post(f"/keys/{key.id}/revoke")
    assert "The key ci is revoked" in said(answer)
    found = await desk.office.database.read(lambda c: find_key(c, key.id))
    assert found.revoked_at == EPOCH


async def test_an_expired_key_says_so(desk: Desk) -> None:
    acme = await desk.account("acme")
    await desk.key(acme, expires_at=EPOCH - 1)
    text = await (await visitor(desk, "member", acme)).text("/keys")
    assert "expired" in text


def test_numbers_of_a_form() -> None:
    assert number("", "x") is None
    assert number("12", "x") == 12
    for wrong in ("1.5", "\N{ARABIC-INDIC DIGIT ONE}", "9" * 17):
        with pytest.raises(Exception, match="whole number"):
            number(wrong, "x")


async def test_an_operator_has_prompts_kept_and_everybody_is_told(desk: Desk) -> None:
    acme = await desk.account("acme")
    key = await desk.key(acme)
    boss, ann = await visitor(desk), await visitor(desk, "owner", acme, name="ann2")
    path = f"/keys/{key.id}/prompts"
    assert (await ann.post(path, {"days": "7"})).status == 403
    assert "prompts kept" not in await ann.text("/keys")
    assert "not stored" in await ann.text("/requests")
    told = said(await boss.post(path, {"days": "7"}))
    assert "Prompts and answers of ci are kept for 7 days" in told
    assert "prompts kept 7 days" in await ann.text("/keys")
    assert "Prompts and answers are kept of ci (7 days)" in await ann.text("/requests")
    assert (await boss.post(path, {"days": "31"})).status == 409
    off = said(await boss.post(path, {"days": ""}))
    assert "are not kept; what was is deleted" in off
    entries = await desk.office.database.read(trail)
    who = f"ann ({boss.person.id})"
    assert entries[-2:] == [(who, "key.keep_prompts", key.id)] * 2
