"""Keys against a real daemon: one 401 for all, revocation, secrets that stay secret."""

import json
from pathlib import Path

import pytest
from support.daemon import Gateway
from support.http import Fetched, fetch
from support.live import CANARY, until_dead
from support.scripted import ScriptedProvider

HELLO = {"model": "test-model", "messages": [{"role": "user", "content": "Hello!"}]}


def told(answer: Fetched) -> tuple[int, bytes, dict[str, str]]:
    """Give what a client could tell answers apart by, the request id aside."""
    headers = {
        name: value
        for name, value in answer.headers.items()
        if name not in {"x-request-id", "date"}
    }
    return answer.status, answer.body, headers


def as_bytes_on_the_wire(key: str) -> str:
    return key.encode().decode("latin-1")


async def test_every_bad_key_gets_the_identical_401(gateway: Gateway) -> None:
    made = await gateway.cli("keys", "create", "--account", "default")
    await gateway.cli("keys", "revoke", made["id"])
    await until_dead(gateway, made["key"])
    flipped = made["key"][:-1] + ("A" if made["key"][-1] != "A" else "B")
    bad = [None, "lw-short", "sk-foreign", flipped, made["key"], "lw-" + "é" * 49]

    answers = [
        await fetch(
            f"{gateway.base_url}/chat/completions",
            method="POST",
            body=HELLO,
            headers={}
            if key is None
            else {"x-api-key": key.encode().decode("latin-1")},
        )
        for key in bad
    ]

    assert {answer.status for answer in answers} == {401}
    assert all(told(answer) == told(answers[0]) for answer in answers)
    assert answers[0].json()["error"]["code"] == "invalid_api_key"


async def test_a_new_key_works_at_once_and_a_revoked_one_dies(
    gateway: Gateway,
) -> None:
    made = await gateway.cli("keys", "create", "--account", "default", "--name", "two")
    assert made["key"].startswith("lw-")
    listed = await fetch(f"{gateway.base_url}/models", key=made["key"])
    assert listed.status == 200

    await gateway.cli("keys", "revoke", made["id"])
    await until_dead(gateway, made["key"])


async def test_a_rotated_key_works_until_its_grace_ends(gateway: Gateway) -> None:
    made = await gateway.cli("keys", "create", "--account", "default")
    fresh = await gateway.cli("keys", "rotate", made["id"], "--grace", "1h")

    for key in (made["key"], fresh["key"]):
        assert (await fetch(f"{gateway.base_url}/models", key=key)).status == 200


async def test_a_key_sees_only_its_models(gateway: Gateway) -> None:
    made = await gateway.cli(
        "keys", "create", "--account", "default", "--models", "renamed"
    )
    listed = await fetch(f"{gateway.base_url}/models", key=made["key"])
    denied = await fetch(
        f"{gateway.base_url}/chat/completions",
        method="POST",
        key=made["key"],
        body=HELLO,
    )

    assert [model["id"] for model in listed.json()["data"]] == ["renamed"]
    assert (denied.status, denied.json()["error"]["code"]) == (
        403,
        "model_access_denied",
    )


STATUSES = (200, 301, 400, 401, 403, 404, 429, 500, 503)
OFFERED = "".join(
    f"""
[providers.echoes_{status}]
kind = "openai"
base_url = "{{url}}"
api_key = {{ env = "SCRIPTED_KEY" }}
[[models]]
id = "echo-{status}"
context = "128K"
targets = [
    {{ provider = "echoes_{status}", model = "upstream", dialect = "openai_chat" }}
]
"""
    for status in STATUSES
)
"""A provider for each status, lest one is left alone for the faults of another."""
ECHO = json.dumps({"error": {"message": f"Incorrect key {CANARY}", "code": "x"}})


@pytest.mark.parametrize("status", STATUSES)
async def test_the_providers_key_appears_nowhere(
    gateway: Gateway, provider: ScriptedProvider, status: int
) -> None:
    """A provider that echoes its credential cannot make us show it."""
    headers = {"Content-Type": "application/json", "X-Echo": CANARY}
    provider.reply(status=status, headers=headers, body=ECHO.encode())
    provider.stream([f"data: {ECHO}\n\n".encode()])
    provider.stream([f"data: {CANARY}\n\n".encode()], end="cut")

    answers = [
        await fetch(
            f"{gateway.base_url}/chat/completions",
            method="POST",
            key=gateway.key,
            body={**HELLO, "model": f"echo-{status}", "stream": stream},
        )
        for stream in (False, True, True)
    ]
    answers.append(await fetch(f"{gateway.base_url}/models", key=gateway.key))
    answers.append(await fetch(f"{gateway.root}/docs"))

    assert provider.requests[0].headers["authorization"] == f"Bearer {CANARY}"
    for answer in answers:
        assert CANARY not in answer.text
        assert CANARY not in str(answer.headers)
        assert f":{provider.port}" not in answer.text
    command_line = Path(f"/proc/{gateway.child.pid}/cmdline").read_text()
    assert CANARY not in command_line
    assert CANARY not in gateway.child.text


async def test_a_client_key_never_reaches_the_log(gateway: Gateway) -> None:
    await fetch(f"{gateway.base_url}/models?key={gateway.key}", key=gateway.key)
    await gateway.child.line('"path":"/v1/models"')

    assert gateway.key not in gateway.child.text
