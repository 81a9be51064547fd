"""Who sees which page, what a form needs, and how faults look to people."""

import pytest
from support.offices import Desk
from support.visits import said, visitor

from lightweight.web.dashboard.app import CHANGES, SCREENS

OPERATORS = ("/providers", "/settings")
OWNERS = ("/people",)
PLAIN = [path for path in SCREENS if "<" not in path]


@pytest.mark.parametrize("path", PLAIN)
async def test_strangers_see_no_page(desk: Desk, path: str) -> None:
    answer = await desk.ask("GET", f"/dashboard{path}", Host="localhost:8080")
    assert answer.status == 303
    assert answer.headers["location"].startswith("/dashboard/sign-in")
    assert answer.body == b""


@pytest.mark.parametrize(("path", "_act", "_back"), CHANGES)
async def test_strangers_and_other_sites_change_nothing(
    desk: Desk, path: str, _act: object, _back: object
) -> None:
    place = "/dashboard" + path.replace("<", "").replace(">", "")
    stranger = await desk.ask("POST", place, b"", Host="localhost:8080")
    assert stranger.status == 303
    ann = await visitor(desk)
    shown = place.removeprefix("/dashboard")
    assert (await ann.post(shown, {"csrf": "wrong"})).status == 403
    assert (await ann.post(shown, Origin="http://evil.example")).status == 403
    assert (await ann.post(shown, Content_Type="text/plain")).status == 400


@pytest.mark.parametrize("role", ["operator", "owner", "member"])
async def test_each_sees_their_screens(desk: Desk, role: str) -> None:
    acme = await desk.account("acme")
    ann = await visitor(desk, role, acme)  # type: ignore[arg-type]  # one of the three
    for path in PLAIN:
        answer = await ann.get(path)
        closed = (path in OPERATORS and role != "operator") or (
            path in OWNERS and role == "member"
        )
        assert answer.status == (403 if closed else 200), path
        assert answer.headers["cache-control"] == "no-store"
        if answer.headers["content-type"].startswith("text/html"):
            assert "script-src 'self'" in answer.headers["content-security-policy"]


async def test_what_does_not_exist_is_a_page_too(desk: Desk) -> None:
    ann = await visitor(desk)
    for path in ("/nowhere", "/static/nowhere.js", "/keys/key_x/nowhere"):
        answer = await ann.get(path)
        assert answer.status == 404
        assert "Nothing here" in said(answer)
    wrong = await ann.get("/sign-out")
    assert wrong.status == 405


async def test_the_address_without_a_slash_leads_here(desk: Desk) -> None:
    answer = await desk.ask("GET", "/dashboard")
    assert (answer.status, answer.headers["location"]) == (302, "/dashboard/")


async def test_files_need_no_session(desk: Desk) -> None:
    answer = await desk.ask(
        "GET", "/dashboard/static/dashboard.css", accept_encoding="gzip"
    )
    assert answer.headers["content-encoding"] == "gzip"


async def test_a_broken_database_is_told_without_a_traceback(desk: Desk) -> None:
    ann = await visitor(desk)
    desk.office.database._open = False
    answer = await ann.get("/")
    desk.office.database._open = True
    assert answer.status == 503
    assert "The database cannot be asked" in said(answer)
