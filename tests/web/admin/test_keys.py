from support.gateway import EPOCH, PEPPER
from support.offices import Desk
from support.uses import use

from lightweight.store.api_keys import find_key
from lightweight.store.keyring import changes_since
from lightweight.store.keys import digest
from lightweight.store.ledger import record


async def test_a_key_that_is_made_is_a_key(desk: Desk) -> None:
    acme = await desk.account("acme")
    token = await desk.token("member", acme)
    draft = {"name": "ci", "models": ["same"], "expires_at": "2030-01-01T00:00:00Z"}
    made = await desk.asked("POST", "/admin/v1/keys", draft, token=token)
    changes = await desk.office.database.read(lambda c: changes_since(c, 0))
    [(kept, key)] = changes.keys
    assert kept == digest(PEPPER, made["key"])
    assert (key.id, key.account_id, key.name) == (made["details"]["id"], acme.id, "ci")
    assert (key.models, key.expires_at) == (frozenset({"same"}), 1_893_456_000)
    shown = await desk.asked("GET", f"/admin/v1/keys/{key.id}", token=token)
    assert shown == made["details"]
    assert "key" not in shown


async def test_rotate_and_revoke(desk: Desk) -> None:
    acme = await desk.account("acme")
    token = await desk.token("member", acme)
    old = (await desk.key(acme)).id
    new = await desk.asked(
        "POST", f"/admin/v1/keys/{old}/rotate", {"grace_s": 60}, token=token
    )
    assert new["details"]["state"] == "active"
    kept = await desk.office.database.read(lambda c: find_key(c, old))
    assert kept.revoked_at == EPOCH + 60
    rotated = await desk.asked("GET", f"/admin/v1/keys/{old}", token=token)
    assert rotated["state"] == "rotated"
    ended = await desk.asked("POST", f"/admin/v1/keys/{old}/revoke", token=token)
    assert ended["state"] == "revoked"
    answer = await desk.ask("POST", f"/admin/v1/keys/{old}/rotate", token=token)
    assert answer.status == 409


async def test_a_grace_has_bounds(desk: Desk) -> None:
    acme = await desk.account("acme")
    token = await desk.token("member", acme)
    key = (await desk.key(acme)).id
    for grace in (-1, 1e9):
        answer = await desk.ask(
            "POST", f"/admin/v1/keys/{key}/rotate", {"grace_s": grace}, token=token
        )
        assert (answer.status, answer.json()["error"]["param"]) == (400, "grace_s")


async def test_lists_tell_when_keys_were_used(desk: Desk) -> None:
    acme = await desk.account("acme")
    used, fresh = await desk.key(acme), await desk.key(acme)
    await desk.office.database.run(
        lambda c: record(c, [use("req_1", account_id=acme.id, key_id=used.id)])
    )
    token = await desk.token("member", acme)
    listed = await desk.asked("GET", "/admin/v1/keys", token=token)
    at = {key["id"]: key["last_used_at"] for key in listed["data"]}
    assert at == {used.id: "2026-11-01T12:00:00Z", fresh.id: None}


async def test_limits_of_a_key(desk: Desk) -> None:
    acme = await desk.account("acme")
    key = await desk.key(acme)
    token = await desk.token("member", acme)
    changes = {"limits": {"rpm": 7, "quota_usd": "1"}}
    changed = await desk.asked(
        "PATCH", f"/admin/v1/keys/{key.id}", changes, token=token
    )
    assert (changed["limits"]["rpm"], changed["limits"]["quota_usd"]) == (7, "1.00")


async def test_only_an_operator_has_prompts_kept(desk: Desk) -> None:
    acme = await desk.account("acme")
    key = await desk.key(acme)
    path, changes = f"/admin/v1/keys/{key.id}", {"keep_prompts_days": 7}
    owner = await desk.token("owner", acme)
    refused = await desk.ask(
        "PATCH", path, {**changes, "limits": {"rpm": 1}}, token=owner
    )
    assert refused.status == 403
    found = await desk.asked("GET", path, token=owner)
    assert (found["keep_prompts_days"], found["limits"]["rpm"]) == (None, None)
    boss = await desk.token()
    assert (await desk.asked("PATCH", path, changes, token=boss))[
        "keep_prompts_days"
    ] == 7
    assert (await desk.asked("PATCH", path, {"limits": {"rpm": 1}}, token=boss))[
        "keep_prompts_days"
    ] == 7
    nothing = {"keep_prompts_days": None}
    off = await desk.asked("PATCH", path, nothing, token=boss)
    assert off["keep_prompts_days"] is None


async def test_an_operator_says_whose_key(desk: Desk) -> None:
    await desk.account("acme")
    token = await desk.token()
    answer = await desk.ask("POST", "/admin/v1/keys", {}, token=token)
    assert answer.json()["error"]["param"] == "account"
    assert await desk.asked("POST", "/admin/v1/keys", {"account": "acme"}, token=token)
