"""Who may use the admin API at all, and what is asked and answered badly."""

import json

import pytest
from support.gateway import EPOCH, KEY, PEPPER, Gateway
from support.offices import Desk, cookies
from support.people import trail

from lightweight.records import Person
from lightweight.store.admin_tokens import revoke_admin_token
from lightweight.store.connect import Connection
from lightweight.store.people import set_person
from lightweight.store.sessions import begin_session, credential_of
from lightweight.web.admin.app import ROUTES
from lightweight.web.admin.table import Route


async def session_of(desk: Desk, person: Person) -> str:
    secret = f"session of {person.name}".replace(" ", "-")

    def work(connection: Connection) -> bool:
        checked = credential_of(connection, person.name)
        assert checked is not None
        return begin_session(
            connection,
            checked,
            secret=secret,
            replaces=None,
            address="192.0.2.1",
            pepper=PEPPER,
            now=EPOCH,
        )

    assert await desk.office.database.run(work)
    return secret


# -- who asks ----------------------------------------------------------------------


async def test_a_token_opens_the_api(desk: Desk) -> None:
    acme = await desk.account("acme")
    token = await desk.token("owner", acme)
    answer = await desk.ask("GET", "/admin/v1/me", token=token)
    me = answer.json()
    assert (me["role"], me["account"]["id"], me["person"]) == ("owner", acme.id, None)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
async def test_nothing_is_open_to_strangers(desk: Desk, route: Route) -> None:
    path = "/admin/v1" + route.path.replace("{id}", "x")
    for headers in ({}, {"Authorization": f"Bearer {KEY}"}, {"Cookie": "lw=x"}):
        answer = await desk.ask(route.method, path, {}, **headers)
        assert answer.status == 401
        assert answer.json()["error"]["code"] == "not_signed_in"


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer lwadmin-" + "x" * 43, "Basic lwadmin-x", "lwadmin-x"],
)
async def test_what_is_no_token(desk: Desk, authorization: str) -> None:
    answer = await desk.ask("GET", "/admin/v1/me", Authorization=authorization)
    assert answer.status == 401


async def test_a_revoked_token_is_dead_at_once(desk: Desk) -> None:
    secret, token = await desk.token_and_row()
    assert (await desk.ask("GET", "/admin/v1/me", token=secret)).status == 200
    await desk.office.database.run(
        lambda c: revoke_admin_token(c, token.id, now=EPOCH, who="cli")
    )
    assert (await desk.ask("GET", "/admin/v1/me", token=secret)).status == 401


async def test_a_session_reads_and_changes(desk: Desk) -> None:
    acme = await desk.account("acme")
    ann = await desk.person("ann", "owner", acme)
    secret = await session_of(desk, ann)
    page = cookies(secret)
    me = await desk.asked(
        "GET", "/admin/v1/me", Host=page["Host"], Cookie=page["Cookie"]
    )
    assert me["person"]["name"] == "ann"
    made = await desk.asked("POST", "/admin/v1/keys", {"name": "new"}, **page)
    assert made["details"]["account_id"] == acme.id
    entries = await desk.office.database.read(trail)
    assert (f"ann ({ann.id})", "key.create", made["details"]["id"]) in entries


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X_CSRF_Token", ""),
        ("X_CSRF_Token", "x" * 43),
        ("Origin", "https://evil.example"),
        ("Origin", "null"),
        ("Origin", ""),
    ],
)
async def test_another_sites_page_changes_nothing(
    desk: Desk, name: str, value: str
) -> None:
    acme = await desk.account("acme")
    secret = await session_of(desk, await desk.person("ann", "owner", acme))
    page = {**cookies(secret), name: value}
    answer = await desk.ask("POST", "/admin/v1/keys", {"name": "new"}, **page)
    assert (answer.status, answer.json()["error"]["code"]) == (403, "forbidden")
    entries = await desk.office.database.read(trail)
    assert "key.create" not in {what for _, what, _ in entries}


async def test_who_is_disabled_is_out_at_once(desk: Desk) -> None:
    acme = await desk.account("acme")
    secret = await session_of(desk, await desk.person("ann", "owner", acme))
    await desk.office.database.run(
        lambda c: set_person(c, "ann", disabled=True, now=EPOCH, who="cli")
    )
    answer = await desk.ask("GET", "/admin/v1/me", **cookies(secret))
    assert answer.status == 401


# -- what is asked badly -----------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "param"),
    [
        ("POST", "/keys", b"{", 400, None),
        ("POST", "/keys", b"\xff", 400, None),
        ("POST", "/keys", b"[" * 100_000, 400, None),
        ("POST", "/keys", b"[]", 400, None),
        ("POST", "/keys", b'{"nmae": "x"}', 400, None),
        ("POST", "/keys", b'{"name": 1}', 400, "name"),
        ("POST", "/keys", b"{}", 400, "account"),
        ("POST", "/keys", b'{"limits": {"rpm": "1"}}', 400, "limits.rpm"),
        ("POST", "/keys", b'{"account": "acme", "limits": {"rpm": 0}}', 409, None),
        ("POST", "/keys", b'{"account": "acme", "models": []}', 409, None),
        ("POST", "/keys", b'{"account": "acme", "name": " x"}', 409, None),
        ("POST", "/keys", b'{"expires_at": "2001-01-01"}', 400, "expires_at"),
        ("POST", "/keys", b'{"limits": {"quota_usd": "-1"}}', 400, "quota_usd"),
        ("POST", "/accounts", b'{"name": "acme", "tier": "pro"}', 409, None),
        ("POST", "/accounts", b'{"name": "new", "tier": "none"}', 400, "tier"),
        ("POST", "/accounts/acme/top-up", b"{}", 409, None),
        ("POST", "/accounts/acme/top-up", b'{"tokens": -1}', 409, None),
        ("POST", "/invites", b'{"role": "emperor", "account": "acme"}', 400, "role"),
        ("POST", "/invites", b"{}", 400, "account"),
        ("GET", "/keys?limit=0", None, 400, "limit"),
        ("GET", "/keys?limit=201", None, 400, "limit"),
        ("GET", "/keys?limit=x", None, 400, "limit"),
        ("GET", "/keys?lmit=1", None, 400, None),
        ("GET", "/keys?after=x", None, 400, "after"),
        ("GET", "/audit?after=-1", None, 400, "after"),
        ("GET", "/keys/nobody", None, 404, None),
        ("GET", "/keys/%00", None, 404, None),
        ("GET", "/accounts/acme/usage?start=x", None, 400, "start"),
        ("GET", "/nothing", None, 404, None),
        ("GET", "/keys/", None, 404, None),
        ("DELETE", "/keys", None, 405, None),
        ("POST", "/providers/nobody/test", None, 404, None),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_told_in_openais_envelope(
    desk: Desk,
    method: str,
    path: str,
    body: bytes | None,
    status: int,
    param: str | None,
) -> None:
    await desk.account("acme")
    token = await desk.token()
    answer = await desk.ask(method, f"/admin/v1{path}", body, token=token)
    error = answer.json()["error"]
    assert (answer.status, error["param"]) == (status, param), error
    assert set(error) == {"message", "type", "param", "code"}
    assert "x-request-id" in answer.headers


async def test_bodies_are_small(desk: Desk) -> None:
    token = await desk.token()
    answer = await desk.ask("POST", "/admin/v1/keys", b" " * 300_000, token=token)
    assert (answer.status, answer.json()["error"]["code"]) == (413, "request_too_large")


async def test_no_secret_stays_in_the_log(desk: Desk) -> None:
    token = await desk.token()
    await desk.ask("GET", "/admin/v1/keys?after=secret", token=token)
    assert {visit.path for visit in desk.gateway.visits} == {"/admin/v1/keys"}


def test_without_an_office_there_is_no_admin_api() -> None:
    client = Gateway().connect()
    client.ask("GET", "/admin/v1/me")
    assert client.answer().status == 404
    assert json.loads(client.answer().body)["error"]["code"] == "not_found"
