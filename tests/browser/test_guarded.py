"""What strangers try at the door: forged forms, planted sessions, guessed passwords."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect
from support.browser import join, sign_in
from support.dashboard import PASSWORD, Served

pytestmark = pytest.mark.browser

COOKIE = "lw"


def session_of(page: Page) -> str:
    (value,) = [
        each["value"] for each in page.context.cookies() if each["name"] == COOKIE
    ]
    return value


def plant(page: Page, served: Served, value: str) -> None:
    host = urlsplit(served.root).hostname or ""
    page.context.add_cookies(
        [{"name": COOKIE, "value": value, "domain": host, "path": "/"}]
    )


def posted(page: Page, url: str, form: dict[str, Any], origin: str) -> int:
    answer = page.request.post(
        url,
        form=form,
        headers={"origin": origin},
        max_redirects=0,
    )
    return answer.status


def test_a_form_without_the_token_or_from_elsewhere_changes_nothing(
    operator: Page, served: Served
) -> None:
    page = operator
    page.goto(f"{served.root}/dashboard/keys")
    token = page.locator('input[name="csrf"]').first.input_value()
    url = f"{served.root}/dashboard/keys"
    assert posted(page, url, {"name": "forged"}, served.root) == 403
    wrong = {"name": "forged", "csrf": token[::-1]}
    assert posted(page, url, wrong, served.root) == 403
    right = {"name": "forged", "csrf": token}
    assert posted(page, url, right, "http://evil.example") == 403
    page.reload()
    expect(page.get_by_text("forged")).to_have_count(0)
    # The same with both right is taken: it was them that were missing.
    assert posted(page, url, right, served.root) == 200


def test_a_planted_session_is_not_the_one_that_signs_in(
    open_page: Callable[..., Page], served: Served
) -> None:
    page = open_page()
    name = join(page, served.invite())
    page.get_by_role("button", name="Sign out").click()
    planted = "A" * 43
    plant(page, served, planted)
    sign_in(page, served.root, name)
    page.wait_for_url("**/dashboard/")
    before = session_of(page)
    assert before != planted
    # Nor does one who held the session of before come in with it.
    sign_in(page, served.root, name)
    page.wait_for_url("**/dashboard/")
    assert session_of(page) != before
    thief = open_page()
    plant(thief, served, before)
    thief.goto(f"{served.root}/dashboard/")
    assert thief.url.endswith("/dashboard/sign-in")


def test_the_session_is_out_of_a_scripts_reach(operator: Page) -> None:
    assert operator.evaluate("document.cookie") == ""


def test_passwords_cannot_be_guessed_for_long(
    open_page: Callable[..., Page], served: Served, complaints: list[str]
) -> None:
    page = open_page()
    name = join(page, served.invite())
    page.get_by_role("button", name="Sign out").click()
    for _ in range(30):
        sign_in(page, served.root, name, "not the password")
        said = page.get_by_role("alert").inner_text()
        if "Too many attempts" in said:
            break
        assert "do not belong together" in said
    else:
        pytest.fail("guessing goes on for ever")
    # Not even the right one is tried now.
    sign_in(page, served.root, name, PASSWORD)
    expect(page.get_by_role("alert")).to_contain_text("Too many attempts")
    assert all(re.search("401|429", each) for each in complaints), complaints
    complaints.clear()


def test_an_invite_works_once(
    open_page: Callable[..., Page], served: Served, complaints: list[str]
) -> None:
    link = served.invite()
    join(open_page(), link)
    page = open_page()
    page.goto(link)
    expect(page.get_by_role("heading", name="Nothing here")).to_be_visible()
    complaints.clear()


def test_after_sign_in_a_browser_goes_on_but_never_elsewhere(
    open_page: Callable[..., Page], served: Served
) -> None:
    page = open_page()
    name = join(page, served.invite())
    page.get_by_role("button", name="Sign out").click()
    for wanted, reached in (
        ("/dashboard/models", "/dashboard/models"),
        ("//evil.example/dashboard/", "/dashboard/"),
        ("/dashboard/\\\\evil.example", "/dashboard/"),
    ):
        page.goto(f"{served.root}/dashboard/sign-in?next={wanted}")
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{served.root}{reached}")
        page.get_by_role("button", name="Sign out").click()


def test_a_member_sees_their_own_account_only(
    open_page: Callable[..., Page], served: Served, complaints: list[str]
) -> None:
    page = open_page()
    join(page, served.invite("member", account="small", new=True))
    expect(page.get_by_role("link", name="Providers")).to_have_count(0)
    for path in ("providers", "people", "settings"):
        answer = page.goto(f"{served.root}/dashboard/{path}")
        assert answer is not None
        assert answer.status == 403
    complaints.clear()
    page.goto(f"{served.root}/dashboard/keys")
    expect(page.get_by_text("No keys yet")).to_be_visible()
