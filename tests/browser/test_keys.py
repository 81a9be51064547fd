"""A key's life on the page: made, used, rotated, revoked, out of quota."""

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from support.browser import join
from support.dashboard import Served
from support.http import Fetched, fetch_blocking

pytestmark = pytest.mark.browser


def chat(served: Served, key: str) -> Fetched:
    body = {"model": "demo", "messages": [{"role": "user", "content": "Hi"}]}
    return fetch_blocking(
        f"{served.root}/v1/chat/completions", method="POST", key=key, body=body
    )


def until_status(served: Served, key: str, status: int) -> Fetched:
    end = time.monotonic() + 10
    while True:
        answer = chat(served, key)
        if answer.status == status:
            return answer
        assert time.monotonic() < end, answer
        time.sleep(0.1)


def make_key(page: Page, served: Served, name: str) -> str:
    page.goto(f"{served.root}/dashboard/keys")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Create the key").click()
    return page.get_by_label("The new key", exact=True).input_value()


def test_a_key_is_made_used_rotated_and_revoked(operator: Page, served: Served) -> None:
    page = operator
    first = make_key(page, served, "laptop")
    assert chat(served, first).status == 200

    row = page.get_by_role("row", name="laptop")
    row.get_by_text("Rotate", exact=True).first.click()
    row.get_by_label("The old key works for another").select_option("0")
    row.get_by_role("button", name="Rotate").click()
    expect(page.get_by_role("status")).to_contain_text("The new key")
    second = page.get_by_label("The new key", exact=True).input_value()
    assert second != first
    assert chat(served, second).status == 200
    until_status(served, first, 401)

    row = page.get_by_role("row", name="laptop").filter(has_text="active")
    row.get_by_text("Revoke", exact=True).click()
    row.get_by_role("button", name="Revoke the key").click()
    expect(page.get_by_role("status")).to_contain_text("is revoked")
    until_status(served, second, 401)
    # Its secret was on the page that made it alone.
    page.goto(f"{served.root}/dashboard/keys")
    assert second not in page.content()


def test_a_form_with_a_mistake_comes_back_with_the_reason(
    operator: Page, served: Served, complaints: list[str]
) -> None:
    page = operator
    page.goto(f"{served.root}/dashboard/keys")
    page.get_by_label("Name").fill("x")
    page.get_by_label("Dollars a month").evaluate("it => it.removeAttribute('pattern')")
    page.get_by_label("Dollars a month").fill("much")
    page.get_by_role("button", name="Create the key").click()
    expect(page.get_by_role("alert")).to_contain_text("give a number such as 20")
    assert [each for each in complaints if "400" not in each] == []
    complaints.clear()


def test_a_quota_runs_out_and_the_page_says_so(
    open_page: Callable[..., Page], served: Served, complaints: list[str]
) -> None:
    page = open_page()
    join(page, served.invite("owner", account="frugal", new=True))
    page.goto(f"{served.root}/dashboard/playground")
    page.get_by_role("button", name="Make a key for an hour").click()
    page.get_by_role("button", name="Send").click()
    expect(page.locator("[data-state]")).to_have_text("Done")
    # Less than was used: whatever comes is refused.
    served.run("accounts", "set", "frugal", "--quota-tokens", "10")
    for _ in range(100):
        page.get_by_role("button", name="Send").click()
        expect(page.locator("[data-state]")).not_to_have_text("Waiting")
        expect(page.get_by_role("button", name="Send")).to_be_enabled()
        if page.locator("[data-state]").inner_text() == "Failed":
            break
    expect(page.locator("[data-answer]")).to_contain_text("403: ")
    expect(page.locator("[data-answer]")).to_contain_text("quota")
    assert all("403" in each for each in complaints), complaints
    complaints.clear()
    page.goto(f"{served.root}/dashboard/")
    expect(page.get_by_text("The quota is used up")).to_be_visible()
    page.get_by_role("link", name="Explain").click()
    page.get_by_role("button", name="Explain").click()
    expect(page.get_by_role("status")).to_contain_text("quota")
