"""Signing in by a real provider: there, back, and who may not."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from msgspec.structs import replace
from sqlalchemy import select
from support.answered import Answered
from support.offices import PASSWORD, Desk
from support.openid import Mock, openid_mock
from support.people import trail
from support.visits import said, visitor

from lightweight.config.schema import Config
from lightweight.store.invites import create_invite
from lightweight.store.people import find_person
from lightweight.store.schema import sessions
from lightweight.store.sessions import PER_ADDRESS
from lightweight.upstream.openid import OpenIdProvider
from lightweight.web.openid import LIFE_S

HERE = {"Host": "localhost:8080"}
ROOT = "http://localhost:8080"


@pytest.fixture(scope="module")
def shared() -> Iterator[Mock]:
    with openid_mock() as mock:
        yield mock


@dataclass
class Browser:
    """Somebody at the door of a gateway."""

    desk: Desk
    mock: Mock
    ticket: str = ""

    async def leave(self, onwards: str = "/dashboard/keys") -> str:
        """Follow the button; give where it leads."""
        answer = await self.show(f"/sign-in/there?{urlencode({'next': onwards})}")
        assert answer.status == 303, said(answer)
        self.ticket = answer.headers["set-cookie"].partition(";")[0]
        return answer.headers["location"]

    async def come_back(self, url: str) -> Answered:
        """Follow the provider's redirect with the ticket."""
        assert url.startswith(f"{ROOT}/dashboard/")
        return await self.show(url.removeprefix(f"{ROOT}/dashboard"))

    async def sign_in(self, subject: str, onwards: str = "/dashboard/keys") -> Answered:
        """Go all the way."""
        page = await self.leave(onwards)
        return await self.come_back(self.mock.let_in(page, subject))

    async def show(self, path: str) -> Answered:
        cookie = {"Cookie": self.ticket} if self.ticket else {}
        return await self.desk.ask("GET", f"/dashboard{path}", **HERE, **cookie)


def at(desk: Desk, mock: Mock, **config: Any) -> Browser:
    """Configure a gateway for a provider and stand before it."""
    from twisted.internet import reactor

    oidc = mock.config(**config)
    desk.gateway.runtime = desk.gateway.made(Config(public_url=ROOT, oidc=oidc))
    desk.gateway.openid = OpenIdProvider(reactor, oidc, wall=time.time)
    return Browser(desk, mock)


@pytest.fixture
def browser(desk: Desk, shared: Mock) -> Browser:
    return at(desk, shared)


async def done(desk: Desk) -> list[tuple[str, str, str]]:
    return await desk.office.database.read(trail)


def changed(url: str, **fields: str | None) -> str:
    """Give the same URL with other parameters."""
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    query |= {name: value for name, value in fields.items() if value is not None}
    for name, value in fields.items():
        if value is None:
            query.pop(name, None)
    return parts._replace(query=urlencode(query)).geturl()


# -- in ----------------------------------------------------------------------------


async def test_the_page_offers_it_only_where_it_is_configured(
    desk: Desk, shared: Mock
) -> None:
    plain = await desk.ask("GET", "/dashboard/sign-in", **HERE)
    assert b"/sign-in/there" not in plain.body
    for path in ("there", "back"):
        answer = await desk.ask("GET", f"/dashboard/sign-in/{path}", **HERE)
        assert answer.status == 404
    offered = await at(desk, shared).show("/sign-in?next=/dashboard/usage%3Fa=b")
    assert "Sign in with Acme ID" in said(offered)
    link = f"{ROOT}/dashboard/sign-in/there?next=%2Fdashboard%2Fusage%3Fa%3Db"
    assert f'href="{link}"'.encode() in offered.body


async def test_somebody_known_is_linked_by_a_verified_address_and_then_for_ever(
    desk: Desk, browser: Browser, shared: Mock
) -> None:
    ann = await desk.person("ann@acme.org", "operator")
    shared.knows("sub-ann", email="Ann@Acme.org", email_verified=True)
    answer = await browser.sign_in("sub-ann", "/dashboard/usage?group=day")
    assert (answer.status, answer.headers["location"]) == (
        303,
        "/dashboard/usage?group=day",
    )
    session = answer.headers["set-cookie"].partition(";")[0]
    entered = await desk.ask("GET", "/dashboard/me", **HERE, Cookie=session)
    assert "ann@acme.org" in said(entered)
    assert "you have no password here" in said(entered)
    assert b'type="password"' not in entered.body
    # The address may change, or lose its proof: the subject stays.
    shared.knows("sub-ann", email="new@acme.org", email_verified=False)
    assert (await browser.sign_in("sub-ann")).status == 303
    who = f"ann@acme.org ({ann.id})"
    assert await done(desk) == [
        (who, "person.link", ann.id),
        (who, "person.sign_in", ann.id),
        (who, "person.sign_in", ann.id),
    ]


async def test_an_invite_of_the_address_makes_the_person(
    desk: Desk, browser: Browser, shared: Mock
) -> None:
    acme = await desk.account("acme")
    await desk.office.database.run(
        lambda c: create_invite(
            c,
            invite_id="invite_1",
            secret="s",
            pepper=desk.office.pepper,
            role="member",
            account="acme",
            whom="Bob@acme.org",
            now=desk.office.wall(),
            who="test",
        )
    )
    shared.knows("sub-bob", email="bob@acme.org", email_verified=True)
    assert (await browser.sign_in("sub-bob")).status == 303
    bob = await desk.office.database.read(lambda c: find_person(c, "bob@acme.org"))
    assert (bob.role, bob.account_id) == ("member", acme.id)
    # It worked once; and no password fits somebody without one.
    shared.knows("sub-eve", email="bob@acme.org", email_verified=True)
    assert (await browser.sign_in("sub-eve")).status == 401
    form = urlencode({"name": "bob@acme.org", "password": ""}).encode()
    headers = {
        "Content_Type": "application/x-www-form-urlencoded",
        "Origin": ROOT,
        **HERE,
    }
    tried = await desk.ask("POST", "/dashboard/sign-in", form, **headers)
    assert tried.status == 401


async def test_a_session_of_before_ends_and_a_new_one_begins(
    desk: Desk, browser: Browser, shared: Mock
) -> None:
    eve = await visitor(desk, name="eve")
    await desk.person("cat@acme.org", "operator")
    shared.knows("sub-cat", email="cat@acme.org", email_verified=True)
    url = shared.let_in(await browser.leave(), "sub-cat")
    browser.ticket += f"; lw={eve.secret}"
    answer = await browser.come_back(url)
    assert answer.status == 303
    assert f"lw={eve.secret};" not in answer.headers["set-cookie"]
    assert (await eve.get("/me")).status == 303, "the planted session is over"
    rows = await desk.office.database.read(lambda c: c.execute(select(sessions)).all())
    assert len(rows) == 1


async def test_whoever_chose_an_address_as_a_name_is_out_when_its_owner_comes(
    desk: Desk, browser: Browser, shared: Mock
) -> None:
    thief = await visitor(desk, name="dan@acme.org")
    shared.knows("sub-dan", email="dan@acme.org", email_verified=True)
    assert (await browser.sign_in("sub-dan")).status == 303
    assert (await thief.get("/me")).status == 303
    form = urlencode({"name": "dan@acme.org", "password": PASSWORD}).encode()
    headers = {
        "Content_Type": "application/x-www-form-urlencoded",
        "Origin": ROOT,
        **HERE,
    }
    tried = await desk.ask("POST", "/dashboard/sign-in", form, **headers)
    assert tried.status == 401


async def test_a_domain_brings_accounts_of_ones_own(desk: Desk, shared: Mock) -> None:
    browser = at(desk, shared, auto_domains=("acme.org",), auto_tier="pro")
    shared.knows("sub-flo", email="flo@acme.org", email_verified=True)
    assert (await browser.sign_in("sub-flo")).status == 303
    flo = await desk.office.database.read(lambda c: find_person(c, "flo@acme.org"))
    assert flo.role == "owner"
    shared.knows("sub-gus", email="gus@sub.acme.org", email_verified=True)
    refused = await browser.sign_in("sub-gus")
    assert refused.status == 401
    assert "ask an operator to invite it" in said(refused)


# -- not in ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"email": "ann@acme.org"}, "not verified"),
        ({"email": "ann@acme.org", "email_verified": False}, "not verified"),
        ({"email_verified": True}, "not verified"),
        ({"email": "an\u017f@acme.org", "email_verified": True}, "not verified"),
        ({"email": "who@acme.org", "email_verified": True}, "Nobody here has"),
    ],
)
async def test_nobody_else_comes_in(
    desk: Desk, browser: Browser, shared: Mock, claims: dict[str, Any], why: str
) -> None:
    await desk.person("ann@acme.org", "operator")
    await desk.person("ans@acme.org", "operator")
    shared.knows("sub-x", **claims)
    answer = await browser.sign_in("sub-x")
    assert answer.status == 401
    assert why in said(answer)
    assert "set-cookie" not in answer.headers
    assert await done(desk) == []


@pytest.mark.parametrize("change", [{"state": "guessed"}, {"state": None}])
async def test_an_answer_to_another_browser_counts_for_nothing(
    desk: Desk, browser: Browser, shared: Mock, change: dict[str, str | None]
) -> None:
    await desk.person("ann@acme.org", "operator")
    shared.knows("sub-ann", email="ann@acme.org", email_verified=True)
    url = shared.let_in(await browser.leave(), "sub-ann")
    answer = await browser.come_back(changed(url, **change))
    assert answer.status == 400
    assert "began in another browser" in said(answer)
    ticket, browser.ticket = browser.ticket, ""
    assert (await browser.come_back(url)).status == 400
    for broken in (ticket[:-1] + "x", ticket.replace("=", "=x", 1), "lw-openid=a.b"):
        browser.ticket = broken
        assert (await browser.come_back(url)).status == 400
    browser.ticket = ticket
    assert (await browser.come_back(url)).status == 303


async def test_a_ticket_ends(desk: Desk, browser: Browser, shared: Mock) -> None:
    url = shared.let_in(await browser.leave(), "sub-ann")
    desk.gateway.clock.advance(LIFE_S)
    assert (await browser.come_back(url)).status == 400


async def test_a_token_for_another_sign_in_is_refused(
    desk: Desk, browser: Browser, shared: Mock
) -> None:
    await desk.person("ann@acme.org", "operator")
    shared.knows("sub-ann", email="ann@acme.org", email_verified=True)
    page = changed(await browser.leave(), nonce="stolen")
    answer = await browser.come_back(shared.let_in(page, "sub-ann"))
    assert answer.status == 502
    assert "could not tell who you are" in said(answer)


async def test_a_code_works_once(desk: Desk, browser: Browser, shared: Mock) -> None:
    await desk.person("ann@acme.org", "operator")
    shared.knows("sub-ann", email="ann@acme.org", email_verified=True)
    url = shared.let_in(await browser.leave(), "sub-ann")
    assert (await browser.come_back(url)).status == 303
    assert (await browser.come_back(url)).status == 502


@pytest.mark.parametrize(
    "change",
    [
        {"code": None, "error": "access_denied"},
        {"code": None},
        {"iss": "http://evil.example"},
    ],
)
async def test_who_is_not_let_in_there_is_not_let_in_here(
    browser: Browser, shared: Mock, change: dict[str, str | None]
) -> None:
    url = shared.let_in(await browser.leave(), "sub-ann")
    answer = await browser.come_back(changed(url, **change))
    assert answer.status == 401
    assert "Acme ID did not let you in." in said(answer)


async def test_the_disabled_stay_out(
    desk: Desk, browser: Browser, shared: Mock
) -> None:
    ann = await visitor(desk, name="ann@acme.org")
    await desk.person("zoe", "operator")
    shared.knows("sub-ann", email="ann@acme.org", email_verified=True)
    assert (await browser.sign_in("sub-ann")).status == 303
    zoe = await visitor(desk, name="yan")
    await zoe.post(f"/people/{ann.person.id}/disable")
    answer = await browser.sign_in("sub-ann")
    assert answer.status == 401
    assert "cannot sign in any more" in said(answer)


async def test_attempts_are_counted_by_address(
    desk: Desk, browser: Browser, shared: Mock
) -> None:
    shared.knows("sub-x", email="who@acme.org", email_verified=True)
    url = shared.let_in(await browser.leave(), "sub-x")
    for _ in range(PER_ADDRESS):
        assert (await browser.come_back(url)).status != 429
    assert (await browser.come_back(url)).status == 429


async def test_expired_tokens_are_refused(desk: Desk) -> None:
    with openid_mock(token_age=-3600) as mock:
        browser = at(desk, mock)
        await desk.person("ann@acme.org", "operator")
        mock.knows("sub-ann", email="ann@acme.org", email_verified=True)
        assert (await browser.sign_in("sub-ann")).status == 502
    assert await done(desk) == []


async def test_a_provider_that_is_away_is_told_in_one_sentence(desk: Desk) -> None:
    with openid_mock() as mock:
        browser = at(desk, mock)
        url = mock.let_in(await browser.leave(), "sub-ann")
        mock.stop()
        assert (await browser.come_back(url)).status == 502
    fresh = at(desk, mock)
    answer = await fresh.show("/sign-in/there")
    assert answer.status == 502
    assert "Acme ID could not tell who you are" in said(answer)
    assert mock.issuer.encode() not in answer.body


async def test_without_tls_nobody_leaves(browser: Browser) -> None:
    answer = await browser.desk.ask(
        "GET", "/dashboard/sign-in/there", Host="ai.example.org"
    )
    assert answer.status == 403


@pytest.mark.parametrize(
    "onwards", ["https://evil.example/", "//evil.example/dashboard/", "/dashboard/\\e"]
)
async def test_nobody_is_sent_elsewhere_after(
    desk: Desk, browser: Browser, shared: Mock, onwards: str
) -> None:
    await desk.person("ann@acme.org", "operator")
    shared.knows("sub-ann", email="ann@acme.org", email_verified=True)
    answer = await browser.sign_in("sub-ann", onwards)
    assert answer.headers["location"] == "/dashboard/"


async def test_over_tls_the_ticket_is_bound_to_the_host(
    desk: Desk, browser: Browser
) -> None:
    runtime = desk.gateway.runtime
    config = replace(runtime.config, public_url="https://ai.example.org")
    desk.gateway.runtime = desk.gateway.made(config)
    answer = await desk.ask("GET", "/dashboard/sign-in/there", Host="ai.example.org")
    assert re.match("__Host-lw-openid=.*; Secure$", answer.headers["set-cookie"])
    back = "https%3A%2F%2Fai.example.org%2Fdashboard%2Fsign-in%2Fback"
    assert f"redirect_uri={back}&" in answer.headers["location"]


async def test_a_way_too_long_for_a_cookie_leads_home(
    desk: Desk, browser: Browser, shared: Mock
) -> None:
    await desk.person("ann@acme.org", "operator")
    shared.knows("sub-ann", email="ann@acme.org", email_verified=True)
    answer = await browser.sign_in("sub-ann", "/dashboard/usage?" + 700 * "é")
    assert answer.headers["location"] == "/dashboard/"
    assert len(browser.ticket) < 4096
