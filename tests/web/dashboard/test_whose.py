"""Whose things are whose: every page and form is walked with what belongs to others."""

import re

import pytest
from support.offices import Desk
from support.visits import said, visitor

from lightweight.records import Role
from lightweight.web.dashboard.app import CHANGES, SCREENS

NOUNS = {
    "request_id": "requests",
    "key_id": "keys",
    "account_id": "accounts",
    "invite_id": "invites",
    "person_id": "people",
    "name": "providers",
}

ASKING = ("account", "key", "group", "model", "person", "invite")
"""Parameters of an address that could name what is another's."""


def place(path: str, ids: dict[str, str]) -> str:
    return re.sub(r"<(\w+)>", lambda found: ids[NOUNS[found[1]]], path)


@pytest.mark.parametrize("role", ["member", "owner"])
async def test_no_page_shows_what_is_anothers(desk: Desk, role: Role) -> None:
    ours = await desk.account("ours")
    ids = await desk.stocked("theirs")
    ann = await visitor(desk, role, ours)
    secret = ("theirs", "eve", *(ids[noun] for noun in ids if noun != "providers"))
    for path in SCREENS:
        plain = place(path, ids)
        for value in (ids["accounts"], ids["keys"], "theirs"):
            query = "&".join(f"{name}={value}" for name in ASKING)
            answer = await ann.get(f"{plain}?{query}")
            # What was asked for may be said again, in the field that it was put into.
            told = re.findall(r"\w+", answer.body.decode())
            found = {each for each in secret if each != value and each in told}
            assert found == set(), f"{path} {value}"
        if "<" in path and "<name>" not in path:
            assert (await ann.get(plain)).status == 404, path


@pytest.mark.parametrize("role", ["member", "owner"])
async def test_no_form_changes_what_is_anothers(desk: Desk, role: Role) -> None:
    ours = await desk.account("ours")
    ids = await desk.stocked("theirs")
    ann = await visitor(desk, role, ours)
    for path, _, _ in CHANGES:
        if "<" not in path or "<name>" in path:
            continue
        answer = await ann.post(place(path, ids))
        assert answer.status in (403, 404), path
        if role == "owner":
            assert answer.status == 404, path
    await ann.post("/keys", {"name": "x", "account": ids["accounts"]})
    token = await desk.token()
    theirs = await desk.asked(
        "GET", f"/admin/v1/keys?account={ids['accounts']}", token=token
    )
    assert [key["id"] for key in theirs["data"]] == [ids["keys"]]
    assert theirs["data"][0]["revoked_at"] is None


async def test_the_same_pages_work_for_an_operator(desk: Desk) -> None:
    """Else the walks above would prove only that their addresses are wrong."""
    ids = await desk.stocked("theirs")
    root = await visitor(desk, "operator")
    for path in ("/requests/<request_id>", "/keys", "/people"):
        answer = await root.get(place(path, ids))
        assert answer.status == 200, path
        assert "theirs" in said(answer), path
