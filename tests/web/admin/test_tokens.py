from support.offices import Desk


async def test_a_token_makes_another_and_ends_it(desk: Desk) -> None:
    token = await desk.token()
    acme = await desk.account("acme")
    draft = {"name": "ci", "role": "owner", "account": "acme"}
    made = await desk.asked("POST", "/admin/v1/tokens", draft, token=token)
    me = await desk.asked("GET", "/admin/v1/me", token=made["token"])
    assert (me["role"], me["account"]["id"]) == ("owner", acme.id)
    listed = await desk.asked("GET", "/admin/v1/tokens", token=token)
    assert made["details"] in listed["data"]
    assert made["token"] not in str(listed)
    path = f"/admin/v1/tokens/{made['details']['id']}"
    ended = await desk.asked("POST", f"{path}/revoke", token=token)
    assert ended["revoked_at"] is not None
    assert await desk.asked("GET", path, token=token) == ended
    assert (await desk.ask("GET", "/admin/v1/me", token=made["token"])).status == 401


async def test_a_token_that_expires(desk: Desk) -> None:
    draft = {"name": "ci", "expires_at": "2026-11-22T10:31:00Z"}
    made = await desk.asked("POST", "/admin/v1/tokens", draft, token=await desk.token())
    secret = made["token"]
    assert (await desk.ask("GET", "/admin/v1/me", token=secret)).status == 200
    desk.gateway.clock.advance(60)
    assert (await desk.ask("GET", "/admin/v1/me", token=secret)).status == 401
