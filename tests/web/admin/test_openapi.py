"""The document, and a walk through every operation whose answers keep to it."""

from typing import Any

from klein import Klein

from jsonschema import Draft202012Validator
from support.gateway import Gateway
from support.offices import Desk
from support.uses import use

from lightweight.policy.pace import Balance, Room, Verdict
from lightweight.store.ledger import record
from lightweight.web.admin.app import ROUTES, admin_resource
from lightweight.web.admin.openapi import document

BASE = "https://ai.example.org"


def served() -> dict[str, Any]:
    client = Gateway().connect()
    client.ask("GET", "/openapi.json", headers={"Host": "ai.example.org"}, key=None)
    answer = client.answer()
    assert answer.status == 200
    found: dict[str, Any] = answer.json()
    return found


def test_it_is_served_to_everybody() -> None:
    assert served() == document("http://ai.example.org")


async def test_every_route_that_is_answered_is_in_it(desk: Desk) -> None:
    resource: Any = admin_resource(desk.office)
    app: Klein = resource._app
    answered = {
        (method.lower(), "/admin/v1" + rule.rule.replace("<id_>", "{id}"))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    described = {
        (method, path)
        for path, operations in document(BASE)["paths"].items()
        for method in operations
    }
    assert answered == described
    assert len(answered) == len(ROUTES)


def test_operations_have_names_of_their_own_and_say_what_they_do() -> None:
    operations = [
        operation
        for path in document(BASE)["paths"].values()
        for operation in path.values()
    ]
    assert len({each["operationId"] for each in operations}) == len(operations)
    assert all(each["summary"].endswith(".") for each in operations)


def test_every_reference_leads_somewhere() -> None:
    whole = document(BASE)

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if "$ref" in node:
                name = node["$ref"].removeprefix("#/components/schemas/")
                assert name in whole["components"]["schemas"]
            for each in node.values():
                walk(each)
        elif isinstance(node, list):
            for each in node:
                walk(each)

    walk(whole)
    for schema in whole["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


class Walk:
    """Asks as an operator and holds every answer against the document."""

    def __init__(self, desk: Desk, token: str) -> None:
        self._desk = desk
        self._token = token
        self._document = document(BASE)
        self.done: set[str] = set()

    async def __call__(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: str = "",
        **ids: str,
    ) -> Any:
        answer = await self._desk.ask(
            method,
            f"/admin/v1{path.format(**ids)}{query}",
            body,
            token=self._token,
        )
        operation = self._document["paths"][f"/admin/v1{path}"][method.lower()]
        assert str(answer.status) in operation["responses"], answer.body
        schema = operation["responses"][str(answer.status)]
        whole = {
            **schema["content"]["application/json"]["schema"],
            "components": self._document["components"],
        }
        Draft202012Validator(whole).validate(answer.json())
        if body is not None:
            asked = operation["requestBody"]["content"]["application/json"]["schema"]
            closed = {**asked, "components": self._document["components"]}
            Draft202012Validator(closed).validate(body)
        self.done.add(operation["operationId"])
        return answer.json()


async def test_answers_keep_to_it(desk: Desk) -> None:
    walk = Walk(desk, await desk.token())
    room = Room(limit=60, remaining=59, reset_ms=1500)
    balance = Balance(limit=100, used=1, reserved=2, resets_at_ms=1_796_083_200_000)
    desk.gateway.limits.verdict = Verdict(
        requests=room, tokens=room, quota_tokens=balance, quota_usd=balance
    )
    acme = await walk("POST", "/accounts", {"name": "acme", "tier": "pro"})
    limits = {"rpm": 60, "quota_usd": "1.50"}
    draft = {"account": "acme", "name": "ci", "models": ["same"], "limits": limits}
    key = (await walk("POST", "/keys", draft))["details"]["id"]
    person = (await desk.person("ann", "member", await desk.account("b"))).id
    made = use("req_1", account_id=acme["id"], key_id=key, provenance=None, usage=None)
    await desk.office.database.run(
        lambda c: record(c, [made, use("req_2", account_id=acme["id"], key_id=key)])
    )
    await walk("GET", "/me")
    await walk("GET", "/tiers")
    await walk("GET", "/accounts", query="?limit=1")
    await walk("GET", "/accounts/{id}", id="acme")
    changes = {"tier": "pro", "disabled": False, "limits": {"rpm": None, "tpm": 5}}
    await walk("PATCH", "/accounts/{id}", changes, id="acme")
    await walk("POST", "/accounts/{id}/top-up", {"usd": "2", "tokens": 5}, id="acme")
    for group in ("", "?group_by=key", "?start=2026-11-01&end=2026-11-02"):
        await walk("GET", "/accounts/{id}/usage", query=group, id="acme")
    await walk("GET", "/keys", query="?account=acme")
    await walk("GET", "/keys/{id}", id=key)
    await walk("PATCH", "/keys/{id}", {"limits": {"rpm": 5}}, id=key)
    new = await walk("POST", "/keys/{id}/rotate", {"grace_s": 60}, id=key)
    await walk("POST", "/keys/{id}/revoke", id=new["details"]["id"])
    await walk("GET", "/people")
    await walk("GET", "/people/{id}", id=person)
    await walk("PATCH", "/people/{id}", {"role": "owner"}, id=person)
    await walk("POST", "/people/{id}/reset-password", id=person)
    invite = await walk("POST", "/invites", {"account": "acme", "note": "Eve"})
    await walk("GET", "/invites")
    await walk("POST", "/invites/{id}/revoke", id=invite["details"]["id"])
    token = await walk("POST", "/tokens", {"name": "ci", "role": "operator"})
    await walk("GET", "/tokens")
    await walk("GET", "/tokens/{id}", id=token["details"]["id"])
    await walk("POST", "/tokens/{id}/revoke", id=token["details"]["id"])
    await walk("GET", "/requests")
    await walk("GET", "/requests/{id}", id="req_2")
    await walk("GET", "/audit", query="?limit=3")
    await walk("GET", "/models")
    await walk("GET", "/providers")
    await walk("POST", "/providers/{id}/test", id="one")
    await walk("POST", "/explain", {"model": "org/path.1", "key": key})
    assert walk.done == {route.name for route in ROUTES}
