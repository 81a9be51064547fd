"""Every screen: for those who see, hear, type, hold a phone, or run no script."""

import re
from collections.abc import Callable
from importlib.resources import files

import pytest
from playwright.sync_api import Page, expect
from support.browser import join, until_there
from support.dashboard import Served
from support.http import fetch_blocking

pytestmark = pytest.mark.browser

SCREENS = (
    *("", "usage", "requests", "keys", "playground", "models", "integrations"),
    *("integrations/curl", "explain", "providers", "accounts", "accounts/default"),
    *("people", "settings", "me"),
)

Open = Callable[..., Page]


def violations(page: Page) -> list[str]:
    """Give what axe-core finds wrong: WCAG 2 A and AA, and its own good practice."""
    # Not as a script of the page, which its policy would forbid.
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text())
    found = page.evaluate("axe.run(document)")
    return [
        f"{each['id']}: {node['html'][:120]}"
        for each in found["violations"]
        for node in each["nodes"]
    ]


def ask(served: Served) -> None:
    """Have something in the log."""
    body = {"model": "demo", "messages": [{"role": "user", "content": "Hi"}]}
    url = f"{served.root}/v1/chat/completions"
    assert fetch_blocking(url, method="POST", key=served.key, body=body).status == 200


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_wrong(open_page: Open, served: Served, theme: str) -> None:
    page = open_page(color_scheme=theme)
    page.goto(f"{served.root}/dashboard/sign-in")
    wrong = {"sign-in": violations(page)}
    page.goto(served.invite())
    wrong["join"] = violations(page)
    join(page, served.invite())
    ask(served)
    for screen in SCREENS:
        page.goto(f"{served.root}/dashboard/{screen}")
        wrong[screen] = violations(page)
    page.goto(f"{served.root}/dashboard/keys")
    page.get_by_role("button", name="Create the key").click()
    wrong["a new key"] = violations(page)
    until_there(page, f"{served.root}/dashboard/requests", "tbody a")
    wrong["requests"] = violations(page)
    page.locator("tbody a").first.click()
    expect(page.get_by_role("heading", name="What was tried")).to_be_visible()
    wrong["request"] = violations(page)
    for place in ("docs", "docs/integrations/curl", "docs/search?q=rate+limits"):
        page.goto(f"{served.root}/{place}")
        wrong[place] = violations(page)
    page.keyboard.press("/")
    page.keyboard.type("stream")
    expect(page.locator("[data-found] a").first).to_be_visible()
    wrong["what was found"] = violations(page)
    assert {name: each for name, each in wrong.items() if each} == {}


def test_a_phone_shows_every_screen_without_scrolling_sideways(
    open_page: Open, served: Served
) -> None:
    page = open_page(viewport={"width": 390, "height": 844}, has_touch=True)
    join(page, served.invite())
    wide = {}
    for screen in SCREENS:
        page.goto(f"{served.root}/dashboard/{screen}")
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > 390:
            wide[screen] = width
    for place in ("docs", "docs/integrations/curl", "docs/search?q=rate+limits"):
        page.goto(f"{served.root}/{place}")
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > 390:
            wide[place] = width
    assert wide == {}
    page.goto(f"{served.root}/dashboard/")
    page.get_by_role("link", name="Menu").click()
    page.get_by_role("link", name="Keys", exact=True).click()
    expect(page.get_by_role("heading", name="Keys", exact=True)).to_be_visible()


def test_the_pages_work_without_a_script(open_page: Open, served: Served) -> None:
    page = open_page(java_script_enabled=False)
    join(page, served.invite())
    page.get_by_role("link", name="Keys", exact=True).click()
    page.get_by_label("Name").fill("plain")
    page.get_by_role("button", name="Create the key").click()
    expect(page.get_by_label("The new key", exact=True)).to_have_value(
        re.compile("^lw-")
    )
    page.get_by_role("link", name="Usage", exact=True).click()
    page.get_by_label("Group by").select_option("key")
    page.get_by_role("button", name="Apply").click()
    assert "group=key" in page.url
    page.get_by_role("link", name="Providers").click()
    page.get_by_role("button", name="Test demo").click()
    expect(page.get_by_role("status")).to_contain_text("demo answered")
    page.get_by_role("button", name="Sign out").click()
    assert page.url.endswith("/dashboard/sign-in")


def test_the_keyboard_reaches_the_content_first(operator: Page) -> None:
    operator.keyboard.press("Tab")
    expect(operator.get_by_role("link", name="Skip to the content")).to_be_focused()
    operator.keyboard.press("Enter")
    expect(operator.locator("#content")).to_be_focused()


def test_the_theme_is_chosen_and_stays(operator: Page, served: Served) -> None:
    operator.get_by_role("button", name="Theme").click()
    expect(operator.locator("html")).to_have_attribute("data-theme", "dark")
    operator.goto(f"{served.root}/dashboard/models")
    expect(operator.locator("html")).to_have_attribute("data-theme", "dark")


def test_the_overview_tells_what_is_under_way(operator: Page, served: Served) -> None:
    with operator.expect_request("**/dashboard/live"):
        operator.goto(f"{served.root}/dashboard/")
    expect(operator.locator("[data-live]")).to_contain_text("in flight")


def test_the_first_page_is_light(open_page: Open, served: Served) -> None:
    page = open_page()
    join(page, served.invite())
    tab = page.context.new_cdp_session(page)
    tab.send("Network.enable")
    tab.send("Network.setCacheDisabled", {"cacheDisabled": True})
    sizes: list[int] = []
    tab.on(
        "Network.loadingFinished",
        lambda event: sizes.append(int(event["encodedDataLength"])),
    )
    page.reload(wait_until="load")
    page.wait_for_timeout(500)
    assert len(sizes) >= 6
    assert sum(sizes) < 80 * 1024


def test_a_reload_brings_workers_of_a_new_generation(
    operator: Page, served: Served
) -> None:
    operator.goto(f"{served.root}/dashboard/providers")
    operator.get_by_role("button", name="Reload the configuration").click()
    expect(operator.get_by_role("status")).to_contain_text("Asked for a reload")
    for _ in range(300):
        if '"generation":2' in served.log.read_text():
            break
        operator.goto(f"{served.root}/dashboard/settings")
        operator.wait_for_timeout(100)
    else:
        pytest.fail(served.log.read_text())
