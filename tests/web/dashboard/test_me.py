"""One's own sign-in: the password, the theme, the way out."""

from support.offices import PASSWORD, Desk
from support.visits import Visitor, said, visitor

from lightweight.store.people import NO_PASSWORD
from lightweight.store.schema import people


async def test_a_new_password_ends_all_other_sessions(desk: Desk) -> None:
    ann = await visitor(desk)
    form = {"old": PASSWORD, "new": "another good one"}
    answer = await ann.post("/me/password", form)
    assert answer.status == 303
    assert (await ann.get("/")).status == 303
    secret = answer.headers["set-cookie"].partition(";")[0].partition("=")[2]
    again = Visitor(desk, ann.person, secret)
    assert "The password is changed" in await again.text("/me?changed=1")


async def test_a_wrong_one_changes_nothing(desk: Desk) -> None:
    ann = await visitor(desk)
    wrong = {"old": "not the password", "new": "another good one"}
    answer = await ann.post("/me/password", wrong)
    assert answer.status == 400
    assert "The current password is wrong." in said(answer)
    short = await ann.post("/me/password", {"old": PASSWORD, "new": "short"})
    assert short.status == 400
    assert (await ann.get("/")).status == 200


async def test_who_has_a_password_may_change_it(desk: Desk) -> None:
    page = await (await visitor(desk)).get("/me")
    assert "Change your password" in said(page)
    assert page.body.count(b'type="password"') == 2


async def test_who_has_none_is_told_so(desk: Desk) -> None:
    ann = await visitor(desk)
    none = people.update().values(password=NO_PASSWORD)
    await desk.office.database.run(lambda c: c.execute(none).rowcount)
    answer = await ann.post("/me/password", {"old": "", "new": "another good one"})
    assert answer.status == 400
    assert "You sign in through another service" in said(answer)
    assert "you have no password here" in await ann.text("/me")


async def test_the_theme_is_kept_by_the_browser(desk: Desk) -> None:
    ann = await visitor(desk)
    answer = await ann.post("/theme", {"theme": "dark"})
    assert answer.headers["set-cookie"].startswith("lw-theme=dark; Path=/dashboard")
    page = await ann.get("/me", Cookie=f"lw={ann.secret}; lw-theme=dark")
    assert b'data-theme="dark"' in page.body
    odd = await ann.post("/theme", {"theme": "x; Domain=evil"})
    assert odd.headers["set-cookie"].startswith("lw-theme=auto; ")
