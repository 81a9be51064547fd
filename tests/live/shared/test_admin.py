"""The admin API of a real daemon, which works at its word."""

import json
from typing import Any

from twisted.internet.task import deferLater

from support.daemon import Gateway
from support.http import fetch
from support.live import until_dead
from support.scripted import ScriptedProvider

HELLO = {"model": "test-model", "messages": [{"role": "user", "content": "Hello!"}]}
ANSWER = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "test-model",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hi"},
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
}


class Admin:
    """Asks with a token that the command line made."""

    def __init__(self, gateway: Gateway, token: str) -> None:
        self._gateway = gateway
        self._token = token

    async def __call__(self, method: str, path: str, body: object = None) -> Any:
        url = f"{self._gateway.root}/admin/v1{path}"
        answer = await fetch(url, method=method, key=self._token, body=body)
        assert answer.status in (200, 201), answer.text
        return answer.json()


async def test_from_a_token_to_a_revoked_key(
    gateway: Gateway, provider: ScriptedProvider
) -> None:
    token = (await gateway.cli("admin-token", "create", "ci"))["token"]
    admin = Admin(gateway, token)
    await admin("POST", "/accounts", {"name": "acme", "tier": "beta"})
    made = await admin("POST", "/keys", {"account": "acme", "name": "ci"})
    told = await admin("POST", "/explain", {"model": "test-model", "account": "acme"})
    assert told["allowed"]
    assert told["standing"]["requests"]["limit"] == 60
    assert [place["provider"] for place in told["places"]] == ["scripted"]

    provider.reply(body=json.dumps(ANSWER).encode())
    answered = await fetch(
        f"{gateway.base_url}/chat/completions",
        method="POST",
        key=made["key"],
        body=HELLO,
    )
    assert answered.status == 200
    request = await shown(admin, answered.headers["x-request-id"])
    assert request["key_id"] == made["details"]["id"]
    assert request["tokens"]["total"] == 7
    assert [attempt["status"] for attempt in request["attempts"]] == [200]

    await admin("POST", f"/keys/{made['details']['id']}/revoke")
    await until_dead(gateway, made["key"])
    log = gateway.child.text
    assert token not in log
    assert made["key"] not in log


async def shown(admin: Admin, request_id: str) -> Any:
    """Wait until the bookkeeper has a request; give it."""
    from twisted.internet import reactor

    while True:
        page = await admin("GET", "/requests?account=acme")
        if page["data"]:
            return await admin("GET", f"/requests/{request_id}")
        await deferLater(reactor, 0.05)


async def test_the_first_link_is_in_the_first_run_file(gateway: Gateway) -> None:
    text = (gateway.directory / "state" / "first-run.txt").read_text()
    assert f"\n  {gateway.root}/dashboard/join?invite=" in text
    [invite] = await gateway.cli("invites", "list")
    assert (invite["role"], invite["state"]) == ("operator", "open")
