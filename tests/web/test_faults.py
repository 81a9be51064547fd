"""Every Klein app of ours answers alike where something goes wrong."""

import pytest
from support.offices import Desk


@pytest.mark.parametrize("root", ["", "/admin/v1"])
async def test_what_is_not_routed(desk: Desk, root: str) -> None:
    absent = await desk.ask("GET", f"{root}/nothing")
    assert (absent.status, absent.json()["error"]["code"]) == (404, "not_found")
    path = "/healthz" if not root else "/admin/v1/me"
    wrong = await desk.ask("PATCH", path)
    assert (wrong.status, wrong.json()["error"]["code"]) == (405, "method_not_allowed")
    assert "GET" in wrong.headers["allow"]


async def test_a_client_that_leaves_ends_quietly(desk: Desk) -> None:
    client = desk.gateway.connect()
    cookie = {"Cookie": "lw=x", "Host": "localhost"}
    client.ask("GET", "/admin/v1/me", headers=cookie, key=None)
    client.leave()
    assert client.received == b""
    assert [visit.status for visit in desk.gateway.visits] == [499]
