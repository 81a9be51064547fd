"""Whose things are whose: every route is walked with what belongs to others."""

from collections.abc import Mapping
from typing import Any

import pytest
from support.offices import BODIES, Desk

from lightweight.records import Role
from lightweight.web.admin.actor import Actor, sees
from lightweight.web.admin.app import ROUTES
from lightweight.web.admin.table import Route

OWN = {"show_me", "list_tiers", "list_models", "list_accounts"}
"""What is about nobody's id, so that there is nothing foreign to ask for."""

FOR_OPERATORS = {route.name for route in ROUTES if route.least == "operator"}


def filled(value: object, account: str) -> object:
    return account if value == "theirs" else value


def request_of(route: Route, ids: Mapping[str, str]) -> tuple[str, object]:
    """Give path and body of a request for a stranger's thing."""
    noun = route.path.split("/")[1]
    path = "/admin/v1" + route.path.replace("{id}", ids.get(noun, "?"))
    if route.query is not None and "account" in route.query.__annotations__:
        path += f"?account={ids['accounts']}"
    if route.asked is None:
        return path, None
    body = BODIES.get(route.name, {})
    return path, {k: filled(v, ids["accounts"]) for k, v in body.items()}


async def test_what_is_anothers_does_not_exist(desk: Desk) -> None:
    ours = await desk.account("ours")
    token = await desk.token("owner", ours)
    ids = await desk.stocked("theirs")
    told: dict[str, tuple[int, Any]] = {}
    for route in ROUTES:
        if route.name in OWN | FOR_OPERATORS:
            continue
        path, body = request_of(route, ids)
        answer = await desk.ask(route.method, path, body, token=token)
        told[route.name] = answer.status, answer.json()
    assert {name: status for name, (status, _) in told.items() if status != 404} == {}
    # Nor does it read otherwise than what is nobody's.
    nobodys = await desk.ask("GET", "/admin/v1/keys/key_nobodys", token=token)
    assert {str(body) for _, body in told.values()} == {str(nobodys.json())}
    assert len(told) >= 15


async def test_the_same_requests_work_for_an_operator(desk: Desk) -> None:
    """Else the walk above would prove only that its requests are wrong."""
    ids = await desk.stocked("theirs")
    token = await desk.token()
    for route in ROUTES:
        if route.name in OWN | FOR_OPERATORS:
            continue
        path, body = request_of(route, ids)
        answer = await desk.ask(route.method, path, body, token=token)
        assert answer.status in (200, 201), (route.name, answer.body)


async def test_lists_have_only_what_is_theirs(desk: Desk) -> None:
    ours = await desk.account("ours")
    await desk.key(ours)
    await desk.person("ann", "owner", ours)
    token = await desk.token("owner", ours)
    await desk.stocked("theirs")
    for path in ("accounts", "keys", "people", "invites", "requests"):
        found = await desk.asked("GET", f"/admin/v1/{path}", token=token)
        owners = {row.get("account_id", row["id"]) for row in found["data"]}
        assert owners <= {ours.id}, path


@pytest.mark.parametrize("role", ["member", "owner"])
async def test_what_takes_more_is_forbidden(desk: Desk, role: Role) -> None:
    ours = await desk.account("ours")
    token = await desk.token(role, ours)
    above = {"member": {"owner", "operator"}, "owner": {"operator"}}[role]
    for route in ROUTES:
        if route.least not in above:
            continue
        path = "/admin/v1" + route.path.replace("{id}", ours.id)
        answer = await desk.ask(route.method, path, {}, token=token)
        assert (answer.status, answer.json()["error"]["code"]) == (403, "forbidden")


async def test_an_operator_in_an_account_is_not_its_owners(desk: Desk) -> None:
    """Who could choose an operator's password would be one."""
    ours = await desk.account("ours")
    operator = await desk.person("root", "operator", ours)
    token = await desk.token("owner", ours)
    for method, path in (
        ("GET", ""),
        ("PATCH", ""),
        ("POST", "/reset-password"),
    ):
        answer = await desk.ask(
            method, f"/admin/v1/people/{operator.id}{path}", {}, token=token
        )
        assert answer.status == 404
    people = await desk.asked("GET", "/admin/v1/people", token=token)
    assert people["data"] == []


@pytest.mark.parametrize(
    ("role", "account", "theirs", "person", "seen"),
    [
        ("operator", None, "acct_2", "operator", True),
        ("operator", None, None, None, True),
        ("owner", "acct_1", "acct_1", None, True),
        ("owner", "acct_1", "acct_1", "owner", True),
        ("owner", "acct_1", "acct_1", "operator", False),
        ("owner", "acct_1", "acct_2", None, False),
        ("owner", "acct_1", None, None, False),
        ("member", None, None, None, False),
    ],
)
def test_the_one_rule(
    role: Role,
    account: str | None,
    theirs: str | None,
    person: Role | None,
    *,
    seen: bool,
) -> None:
    actor = Actor(who="ann", role=role, account_id=account)
    assert sees(actor, theirs, person) is seen
