"""The pages before sign-in."""

from urllib.parse import urlencode

import pytest
from support.answered import Answered
from support.offices import PASSWORD, Desk
from support.visits import FORM, said, visitor

from lightweight.store.invites import create_invite
from lightweight.store.people import make_password_link
from lightweight.web.dashboard.door import next_page

HERE = {"Host": "localhost:8080", "Origin": "http://localhost:8080"}


async def send(desk: Desk, path: str, form: dict[str, str], **headers: str) -> Answered:
    return await desk.ask(
        "POST",
        f"/dashboard{path}",
        urlencode(form).encode(),
        **{"Content_Type": FORM, **HERE, **headers},
    )


async def show(desk: Desk, path: str, **headers: str) -> Answered:
    return await desk.ask("GET", f"/dashboard{path}", **{**HERE, **headers})


async def invited(desk: Desk, secret: str = "s3cret") -> None:
    await desk.office.database.run(
        lambda c: create_invite(
            c,
            invite_id="invite_1",
            secret=secret,
            pepper=desk.office.pepper,
            role="owner",
            account_name="newcomers",
            tier="pro",
            now=desk.office.wall(),
            who="test",
        )
    )


async def test_sign_in_and_on_to_where_one_wanted(desk: Desk) -> None:
    await desk.person("ann", "operator")
    asked = await show(desk, "/usage?group=day")
    assert asked.status == 303
    assert asked.headers["location"] == (
        "/dashboard/sign-in?next=%2Fdashboard%2Fusage%3Fgroup%3Dday"
    )
    form = {"name": "ann", "password": PASSWORD, "next": "/dashboard/usage?group=day"}
    answer = await send(desk, "/sign-in", form)
    assert answer.status == 303
    assert answer.headers["location"] == "/dashboard/usage?group=day"
    assert answer.headers["set-cookie"].startswith("lw=")
    assert "HttpOnly" in answer.headers["set-cookie"]


async def test_a_wrong_password_keeps_the_name_only(desk: Desk) -> None:
    await desk.person("ann", "operator")
    answer = await send(desk, "/sign-in", {"name": "ann", "password": "guess-guess"})
    assert answer.status == 401
    assert "do not belong together" in said(answer)
    assert b'value="ann"' in answer.body
    assert b"guess-guess" not in answer.body
    assert "set-cookie" not in answer.headers


async def test_a_form_from_elsewhere_signs_nobody_in(desk: Desk) -> None:
    await desk.person("ann", "operator")
    form = {"name": "ann", "password": PASSWORD}
    answer = await send(desk, "/sign-in", form, Origin="http://evil.example")
    assert answer.status == 403
    assert "set-cookie" not in answer.headers


async def test_without_tls_the_page_says_why_it_cannot_work(desk: Desk) -> None:
    answer = await show(desk, "/sign-in", Host="ai.example.org")
    assert "Signing in needs TLS here" in said(answer)
    assert b"disabled>Sign in" in answer.body


async def test_an_invite_makes_a_person_once(desk: Desk) -> None:
    await invited(desk)
    page = await show(desk, "/join?invite=s3cret")
    assert "Welcome, newcomers" in said(page)
    form = {"token": "s3cret", "name": "bob", "password": "short"}
    again = await send(desk, "/join", form)
    assert again.status == 400
    assert b'value="bob"' in again.body
    done = await send(desk, "/join", {**form, "password": PASSWORD})
    assert (done.status, done.headers["location"]) == (303, "/dashboard/")
    used = await show(desk, "/join?invite=s3cret")
    assert used.status == 404
    assert "Nothing here" in said(used)
    assert (await send(desk, "/join", form)).status == 404


async def test_a_link_chooses_a_password(desk: Desk) -> None:
    person = await desk.person("ann", "operator")
    await desk.office.database.run(
        lambda c: make_password_link(
            c,
            person.id,
            secret="l1nk",
            pepper=desk.office.pepper,
            now=desk.office.wall(),
            who="test",
        )
    )
    assert "For ann" in said(await show(desk, "/password?link=l1nk"))
    short = await send(desk, "/password", {"token": "l1nk", "password": "short"})
    assert short.status == 400
    new = {"token": "l1nk", "password": "another good one"}
    assert (await send(desk, "/password", new)).status == 303
    assert (await show(desk, "/password?link=l1nk")).status == 404
    form = {"name": "ann", "password": "another good one"}
    assert (await send(desk, "/sign-in", form)).status == 303


async def test_who_is_out_is_sent_to_the_door(desk: Desk) -> None:
    ann = await visitor(desk)
    answer = await ann.post("/sign-out")
    assert answer.headers["location"] == "/dashboard/sign-in"
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert (await ann.get("/keys")).status == 303
    assert (await ann.post("/keys")).headers["location"] == "/dashboard/sign-in"


@pytest.mark.parametrize(
    ("said_", "next_"),
    [
        ("/dashboard/keys?x=1", "/dashboard/keys?x=1"),
        ("", "/dashboard/"),
        ("https://evil.example/", "/dashboard/"),
        ("//evil.example/dashboard/", "/dashboard/"),
        ("/dashboard/\\evil.example", "/dashboard/"),
        ("/dashboard/\r\nSet-Cookie: a=b", "/dashboard/"),
    ],
)
def test_a_browser_is_sent_to_our_own_screens_only(said_: str, next_: str) -> None:
    assert next_page(said_) == next_
