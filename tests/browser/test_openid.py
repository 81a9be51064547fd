"""Signing in by a real provider of OpenID Connect, as a person does."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from support.dashboard import DEMO, Served, serving
from support.openid import Mock, openid_mock
from support.ports import free_port

pytestmark = pytest.mark.browser

CONFIG = """
public_url = "{root}"
[oidc]
issuer = "{issuer}"
client_id = "gateway"
client_secret = "s3cret"
name = "Acme ID"
"""


def signed_in_by(mock: Mock, page: Page, served: Served, subject: str) -> None:
    page.goto(f"{served.root}/dashboard/keys")
    page.get_by_role("link", name="Sign in with Acme ID").click()
    expect(page.get_by_role("heading", name="Authorize Client")).to_be_visible()
    assert page.url.startswith(mock.issuer)
    page.get_by_placeholder("sub").fill(subject)
    page.get_by_role("button", name="Authorize").click()


@pytest.mark.parametrize("scripts", [True, False])
def test_somebody_invited_signs_in_by_the_provider(
    open_page: Callable[..., Page],
    complaints: list[str],
    tmp_path: Path,
    *,
    scripts: bool,
) -> None:
    port = free_port()
    root = f"http://localhost:{port}"
    with (
        openid_mock() as mock,
        serving(
            tmp_path, CONFIG.format(root=root, issuer=mock.issuer) + DEMO, port=port
        ) as served,
    ):
        served.root = root
        mock.knows("sub-ann", email="ann@acme.org", email_verified=True)
        page = open_page(java_script_enabled=scripts)
        # The mock's pages would have a style from elsewhere.
        page.route(re.compile("^https:"), lambda route: route.fulfill(body=""))
        served.run("accounts", "create", "acme", "--tier", "pro")
        signed_in_by(mock, page, served, "sub-ann")
        expect(page.get_by_role("alert")).to_contain_text("ask an operator to invite")
        complaints[:] = [each for each in complaints if "status of 401" not in each]

        invite = ("--account", "acme", "--note", "ann@acme.org")
        served.run("invites", "create", "--role", "owner", *invite)
        signed_in_by(mock, page, served, "sub-ann")
        page.wait_for_url("**/dashboard/keys")
        expect(page.get_by_role("heading", name="Keys", exact=True)).to_be_visible()
        page.goto(f"{root}/dashboard/me")
        expect(page.get_by_text("ann@acme.org").first).to_be_visible()
