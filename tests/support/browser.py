"""Debian's Chromium, with nothing that calls home, and what people do in it."""

from typing import TYPE_CHECKING

from support.dashboard import PASSWORD

if TYPE_CHECKING:
    # Only who drives a browser has it installed.
    from playwright.sync_api import Page

CHROMIUM = "/usr/bin/chromium"

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def join(page: "Page", link: str) -> str:
    """Accept an invite; give the name that was chosen."""
    page.goto(link)
    name = f"ada-{link[-8:].lower().strip('-')}"
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create and sign in").click()
    page.wait_for_url("**/dashboard/")
    return name


def sign_in(page: "Page", root: str, name: str, password: str = PASSWORD) -> None:
    """Fill in the sign-in page and send it."""
    page.goto(f"{root}/dashboard/sign-in")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def until_there(page: "Page", url: str, selector: str) -> None:
    """Ask for a page until it has something: a use is in the log within a moment."""
    for _ in range(100):
        page.goto(url)
        if page.locator(selector).count():
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{url} never had {selector}")
