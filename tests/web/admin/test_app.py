"""Who may use the admin API at all, and what is asked and answered badly."""

from support.offices import Desk


async def test_a_token_opens_the_api(desk: Desk) -> None:
    acme = await desk.account("acme")
    token = await desk.token("owner", acme)
    me = await desk.asked("GET", "/admin/v1/me", token=token)
    assert (me["role"], me["account"]["id"], me["person"]) == ("owner", acme.id, None)
