"""From an invite to the first streamed answer, and what is seen of it afterwards."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from support.browser import join, until_there
from support.dashboard import Served

pytestmark = pytest.mark.browser


def test_from_an_invite_to_a_streamed_answer(
    open_page: Callable[..., Page], served: Served
) -> None:
    page = open_page()
    join(page, served.invite("owner", account="newcomers", new=True))
    expect(page.get_by_role("heading", name="Get to the first answer")).to_be_visible()
    page.get_by_role("link", name="Create a key").click()
    page.get_by_label("Name").fill("first")
    page.get_by_role("button", name="Create the key").click()
    secret = page.get_by_label("The new key", exact=True).input_value()
    assert re.fullmatch("lw-[0-9A-Za-z]{49}", secret)

    page.get_by_role("link", name="Playground").click()
    page.get_by_label("Key", exact=True).fill(secret)
    page.get_by_role("button", name="Send").click()
    expect(page.locator("[data-state]")).to_have_text("Done")
    expect(page.locator("[data-answer]")).to_contain_text("built-in demo")
    expect(page.locator("[data-first]")).to_contain_text("ms")
    expect(page.locator("[data-cost]")).to_contain_text("$")
    # The curl beside it is the same request, without the secret.
    curl = page.locator("[data-curl]").inner_text()
    assert f"{served.root}/v1/chat/completions" in curl
    assert "lw-your-key-here" in curl
    assert secret not in curl
    request_id = page.locator("[data-request-id]").inner_text()

    link = f'a[href$="{request_id}"]'
    until_there(page, f"{served.root}/dashboard/requests", link)
    page.locator(link).click()
    expect(page.get_by_role("heading", name="What was tried")).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("demo: "))).to_be_visible()


def test_the_usage_chart_shows_the_request(operator: Page, served: Served) -> None:
    page = operator
    page.goto(f"{served.root}/dashboard/playground")
    page.get_by_role("button", name="Make a key for an hour").click()
    page.get_by_role("button", name="Send").click()
    expect(page.locator("[data-state]")).to_have_text("Done")
    until_there(page, f"{served.root}/dashboard/usage?metric=requests", "canvas")
    drawn = page.locator("[data-chart]").get_attribute("data-chart") or ""
    assert '"name":"demo"' in drawn
    expect(page.locator("canvas")).to_be_visible()
    row = page.get_by_role("row", name=re.compile(r"^demo [0-9]"))
    expect(row).to_be_visible()
    # The filters are the address, and the files have the same rows.
    page.get_by_label("Group by").select_option("day")
    page.wait_for_url("**group=day**")
    expect(page.get_by_role("columnheader", name="Day")).to_be_visible()
    expect(page.locator("canvas")).to_be_visible()
    csv = page.request.get(f"{served.root}/dashboard/usage.csv?group=model").text()
    assert csv.startswith("model,requests,failed,")
    assert "\r\ndemo," in csv
    rows = page.request.get(f"{served.root}/dashboard/usage.json").json()["rows"]
    assert [each["model"] for each in rows] == ["demo"]


def test_the_first_starts_link_makes_the_first_operator(
    open_page: Callable[..., Page], served: Served
) -> None:
    found = re.search(r"http\S+/dashboard/join\S+", served.first_run)
    assert found is not None, served.first_run
    page = open_page()
    join(page, found[0])
    expect(page.get_by_role("link", name="Providers", exact=True)).to_be_visible()
