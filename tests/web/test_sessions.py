"""Signing in by hand of the functions that the pages call."""

from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import Deferred, gatherResults

import pytest
from support.gateway import EPOCH, PEPPER
from support.offices import PASSWORD, Desk

from lightweight.errors import (
    BadRequest,
    Conflict,
    Fault,
    Forbidden,
    NotFound,
    NotSignedIn,
    RateLimited,
)
from lightweight.records import Account
from lightweight.store.invites import create_invite
from lightweight.store.people import make_password_link, set_person
from lightweight.store.sessions import IDLE_S, PER_NAME, SEEN_S
from lightweight.store.tokens import mint_token
from lightweight.web.sessions import (
    Door,
    SignedIn,
    change_password,
    check_csrf,
    check_origin,
    csrf_of,
    join,
    no_cookie,
    presented_secret,
    replace_password,
    session_cookie,
    sign_in,
    sign_out,
    signed_in,
)

DOOR = Door(host="localhost:8080", secure=False, address="192.0.2.1")
TLS = Door(host="ai.example.org", secure=True, address="192.0.2.1")
OURS: Mapping[str, str] = {"origin": "http://localhost:8080"}
OTHER = "another horse battery"


async def enter(
    desk: Desk, name: str = "ann", password: str = PASSWORD, **more: Any
) -> SignedIn:
    given: dict[str, Any] = {"headers": OURS, "door": DOOR, "office": desk.office}
    return await sign_in(name, password, **{**given, **more})


async def who(desk: Desk, secret: str) -> str | None:
    found = await signed_in({"cookie": f"lw={secret}"}, DOOR, desk.office)
    return None if found is None else found.person.name


# -- the cookie --------------------------------------------------------------------


def test_the_cookie_of_each_door() -> None:
    assert session_cookie(TLS, "s") == (
        "__Host-lw=s; Max-Age=1209600; Path=/; HttpOnly; SameSite=Lax; Secure"
    )
    assert session_cookie(DOOR, "s") == (
        "lw=s; Max-Age=1209600; Path=/; HttpOnly; SameSite=Lax"
    )
    assert no_cookie(TLS).startswith("__Host-lw=; Max-Age=0; ")


@pytest.mark.parametrize(
    ("door", "cookie", "secret"),
    [
        (TLS, "__Host-lw=s", "s"),
        (TLS, "a=1; __Host-lw=s; b={2}", "s"),
        (TLS, "lw=planted", None),
        (DOOR, "lw=s", "s"),
        (DOOR, "__Host-lw=s", None),
        (DOOR, "lw=", None),
        (DOOR, "", None),
        (DOOR, 'odd="\\;=; lw=s', "s"),
    ],
)
def test_only_the_cookie_of_the_door_counts(
    door: Door, cookie: str, secret: str | None
) -> None:
    assert presented_secret({"cookie": cookie}, door) == secret


@pytest.mark.parametrize(
    ("host", "secure", "open_"),
    [
        ("localhost:8080", False, True),
        ("gw.localhost", False, True),
        ("127.0.0.1:8080", False, True),
        ("127.8.8.8", False, True),
        ("[::1]:8080", False, True),
        ("ai.example.org", True, True),
        ("ai.example.org", False, False),
        ("192.0.2.1:8080", False, False),
        ("localhost.example.org", False, False),
        ("[", False, False),
        ("", False, False),
    ],
)
def test_a_door_without_tls_is_open_on_this_machine_only(
    host: str, *, secure: bool, open_: bool
) -> None:
    door = Door(host=host, secure=secure, address="192.0.2.1")
    assert (door.why_closed is None) is open_
    assert open_ or "TLS" in str(door.why_closed)


# -- changes from elsewhere --------------------------------------------------------


@pytest.mark.parametrize(
    ("origin", "ours"),
    [
        ("http://localhost:8080", True),
        ("https://localhost:8080", True),
        ("HTTP://LOCALHOST:8080", True),
        ("http://localhost", False),
        ("http://localhost:8081", False),
        ("http://localhost:8080.example.org", False),
        ("http://example.org", False),
        ("null", False),
        ("", False),
    ],
)
def test_only_our_own_pages_change_anything(origin: str, *, ours: bool) -> None:
    if ours:
        check_origin({"origin": origin}, DOOR)
        return
    with pytest.raises(Forbidden):
        check_origin({"origin": origin}, DOOR)


def test_no_origin_is_nobodys_page() -> None:
    with pytest.raises(Forbidden):
        check_origin({}, DOOR)
    with pytest.raises(Forbidden):
        check_origin({"origin": "http://"}, Door(host="", secure=True, address=""))


async def test_the_token_belongs_to_the_session(desk: Desk) -> None:
    await desk.person("ann", "operator")
    one, two = await enter(desk), await enter(desk)
    check_csrf(one, one.csrf)
    for given in (None, "", two.csrf, one.secret, "\ud800", "é"):
        with pytest.raises(Forbidden):
            check_csrf(one, given)


# -- in and out --------------------------------------------------------------------


async def test_in_and_out(desk: Desk) -> None:
    ann = await desk.person("ann", "operator")
    signed = await enter(desk, "Ann")
    assert signed.person == ann
    assert signed.csrf == csrf_of(signed.secret)
    assert await who(desk, signed.secret) == "ann"
    await sign_out(signed, desk.office)
    assert await who(desk, signed.secret) is None


@pytest.mark.parametrize(
    ("name", "password"),
    [("ann", "wrong"), ("nobody", PASSWORD), ("eve", PASSWORD), ("a\0", PASSWORD)],
)
async def test_what_is_wrong_is_not_told(desk: Desk, name: str, password: str) -> None:
    await desk.person("ann", "operator")
    await desk.person("eve", "operator")
    await desk.office.database.run(
        lambda c: set_person(c, "eve", disabled=True, now=EPOCH, who="cli")
    )
    with pytest.raises(NotSignedIn) as refused:
        await enter(desk, name, password)
    assert str(refused.value) == "This name and password do not belong together."


async def test_guesses_are_limited_also_all_at_once(desk: Desk) -> None:
    await desk.person("ann", "operator")

    async def guess(password: str) -> type[Fault] | None:
        try:
            await enter(desk, password=password)
        except Fault as fault:
            return type(fault)
        return None

    told = await gatherResults(
        [Deferred.fromCoroutine(guess(f"guess {n}")) for n in range(PER_NAME + 5)]
    )
    assert told.count(NotSignedIn) == PER_NAME
    with pytest.raises(RateLimited) as refused:
        await enter(desk)
    assert refused.value.retry_after == 900
    desk.gateway.clock.advance(900)
    assert (await enter(desk)).person.name == "ann"


async def test_a_session_of_before_does_not_become_theirs(desk: Desk) -> None:
    """Who plants a cookie must not be signed in with whoever uses the browser."""
    await desk.person("eve", "operator")
    await desk.person("ann", "operator")
    planted = await enter(desk, "eve")
    headers = {**OURS, "cookie": f"lw={planted.secret}"}
    signed = await enter(desk, headers=headers)
    assert signed.secret != planted.secret
    assert await who(desk, planted.secret) is None


@pytest.mark.parametrize(
    "change",
    [
        {"headers": {}},
        {"headers": {"origin": "https://evil.example"}},
        {"door": Door(host="ai.example.org", secure=False, address="192.0.2.1")},
    ],
)
async def test_nobody_comes_in_by_a_wrong_door(
    desk: Desk, change: dict[str, Any]
) -> None:
    await desk.person("ann", "operator")
    with pytest.raises(Forbidden):
        await enter(desk, **change)


async def test_a_session_in_use_lives_on(desk: Desk) -> None:
    await desk.person("ann", "operator")
    signed = await enter(desk)
    desk.gateway.clock.advance(IDLE_S - 1)
    assert await who(desk, signed.secret) == "ann"
    desk.gateway.clock.advance(SEEN_S)
    assert await who(desk, signed.secret) == "ann"
    desk.gateway.clock.advance(IDLE_S)
    assert await who(desk, signed.secret) is None


# -- invites and passwords ---------------------------------------------------------


async def invited(desk: Desk, account: Account) -> str:
    secret = mint_token(desk.office.random_bytes)
    await desk.office.database.run(
        lambda c: create_invite(
            c,
            invite_id="invite_1",
            secret=secret,
            pepper=PEPPER,
            role="owner",
            account=account.id,
            now=EPOCH,
            who="cli",
        )
    )
    return secret


async def accept(desk: Desk, invite: str, name: str = "ann", **more: Any) -> SignedIn:
    given: dict[str, Any] = {"headers": OURS, "door": DOOR, "office": desk.office}
    password = more.pop("password", PASSWORD)
    return await join(invite, name, password, **{**given, **more})


async def test_who_is_invited_joins_and_is_signed_in(desk: Desk) -> None:
    acme = await desk.account("acme")
    invite = await invited(desk, acme)
    signed = await accept(desk, invite)
    assert (signed.person.role, signed.person.account_id) == ("owner", acme.id)
    assert await who(desk, signed.secret) == "ann"
    assert (await enter(desk)).person.id == signed.person.id
    with pytest.raises(NotFound):
        await accept(desk, invite, "eve")


async def test_what_is_wrong_with_a_sign_up_is_told(desk: Desk) -> None:
    await desk.person("eve", "operator")
    invite = await invited(desk, await desk.account("acme"))
    with pytest.raises(BadRequest, match="10 to 200"):
        await accept(desk, invite, password="short")
    with pytest.raises(Conflict, match="taken"):
        await accept(desk, invite, "eve")
    with pytest.raises(NotFound):
        await accept(desk, "no invite")
    with pytest.raises(Forbidden):
        await accept(desk, invite, headers={})
    assert await accept(desk, invite)


async def test_an_invite_used_at_once_by_two_makes_one(desk: Desk) -> None:
    invite = await invited(desk, await desk.account("acme"))

    async def one(name: str) -> str | None:
        try:
            return (await accept(desk, invite, name)).person.name
        except NotFound:
            return None

    made = await gatherResults([Deferred.fromCoroutine(one(n)) for n in ("ann", "eve")])
    assert sorted(made, key=str).count(None) == 1


async def test_a_link_replaces_a_forgotten_password(desk: Desk) -> None:
    await desk.person("ann", "operator")
    before = await enter(desk)
    secret = mint_token(desk.office.random_bytes)
    await desk.office.database.run(
        lambda c: make_password_link(
            c, "ann", secret=secret, pepper=PEPPER, now=EPOCH, who="cli"
        )
    )
    given: dict[str, Any] = {"headers": OURS, "door": DOOR, "office": desk.office}
    signed = await replace_password(secret, OTHER, **given)
    assert await who(desk, signed.secret) == "ann"
    assert await who(desk, before.secret) is None
    with pytest.raises(NotSignedIn):
        await enter(desk)
    assert await enter(desk, password=OTHER)
    with pytest.raises(NotFound):
        await replace_password(secret, PASSWORD, **given)


async def test_a_changed_password_ends_all_other_sessions(desk: Desk) -> None:
    await desk.person("ann", "operator")
    here, elsewhere = await enter(desk), await enter(desk)
    given: dict[str, Any] = {"headers": OURS, "door": DOOR, "office": desk.office}
    with pytest.raises(BadRequest, match="current password"):
        await change_password(here, "wrong", OTHER, **given)
    with pytest.raises(BadRequest, match="10 to 200"):
        await change_password(here, PASSWORD, "short", **given)
    assert await who(desk, elsewhere.secret) == "ann"
    now = await change_password(here, PASSWORD, OTHER, **given)
    assert await who(desk, now.secret) == "ann"
    assert await who(desk, here.secret) is None
    assert await who(desk, elsewhere.secret) is None
    assert await enter(desk, password=OTHER)
