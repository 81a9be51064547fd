"""Search in /docs: by keys, by form, and the buttons that copy."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from support.browser import join
from support.dashboard import Served

pytestmark = pytest.mark.browser

Open = Callable[..., Page]


def test_keys_find_a_section_and_lead_there(open_page: Open, served: Served) -> None:
    page = open_page()
    page.goto(f"{served.root}/docs/integrations/curl")
    page.keyboard.press("/")
    field = page.get_by_role("searchbox", name="Search")
    expect(field).to_be_focused()
    page.keyboard.type("error codes")
    expect(page.get_by_role("status")).to_contain_text("found")
    page.keyboard.press("ArrowDown")
    first = page.locator("[data-found] a").first
    expect(first).to_be_focused()
    expect(first).to_have_text("Error codes")
    page.keyboard.press("Escape")
    expect(field).to_be_focused()
    expect(first).to_be_hidden()
    # Where one types, it is a letter.
    page.keyboard.type("/")
    expect(field).to_have_value("error codes/")
    field.fill("error codes")
    expect(first).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    expect(first).to_be_hidden()
    page.keyboard.press("ArrowDown")
    expect(first).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/docs#errors")


def test_without_a_script_the_server_finds(open_page: Open, served: Served) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(f"{served.root}/docs")
    page.get_by_role("searchbox", name="Search").fill("error codes")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Error codes").click()
    assert page.url == f"{served.root}/docs#errors"
    assert page.get_by_role("button", name="Copy").count() == 0


def test_a_snippet_is_copied(open_page: Open, served: Served) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    page.goto(f"{served.root}/docs")
    page.get_by_role("button", name="Copy").first.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert f"OPENAI_BASE_URL={served.root}/v1" in copied


def test_who_is_signed_in_sees_the_beginning_of_a_key(
    open_page: Open, served: Served
) -> None:
    page = open_page()
    join(page, served.invite("member"))
    page.goto(f"{served.root}/docs")
    begun = f"{served.key[:8]}-and-the-rest-of-your-key"
    expect(page.locator("pre").first).to_contain_text(begun)
