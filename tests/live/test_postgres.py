"""A real daemon whose accounts and keys are in a real PostgreSQL."""

from pathlib import Path

from support.chat_bytes import completion
from support.daemon import BIN, Gateway, spawn
from support.http import fetch
from support.live import CANARY, config_for, until_dead
from support.postgres import PASSWORD, PostgresServer
from support.scripted import ScriptedProvider

HELLO = {"model": "test-model", "messages": [{"role": "user", "content": "Hello!"}]}


async def test_keys_come_and_go_and_a_restart_of_the_database_is_survived(
    provider: ScriptedProvider, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    url = postgres_server.new_database().replace("@", f":{PASSWORD}@")
    gateway = await Gateway.start(
        tmp_path,
        config_for(provider, f'[database]\nurl = "{url}"\n'),
        environ={"SCRIPTED_KEY": CANARY},
    )
    try:
        made = await gateway.cli("keys", "create", "--account", "default")
        provider.reply(body=completion({"content": "Hello!"}))
        answer = await fetch(
            f"{gateway.base_url}/chat/completions",
            method="POST",
            key=made["key"],
            body=HELLO,
        )
        assert answer.status == 200
        await gateway.cli("keys", "revoke", made["id"])
        await until_dead(gateway, made["key"])

        postgres_server.stop()
        try:
            await gateway.child.line("Changes of keys do not arrive")
            models = f"{gateway.base_url}/models"
            assert (await fetch(models, key=gateway.key)).status == 200
            refused = spawn(
                [BIN / "lightweight", "-c", gateway.config, "keys", "list"],
                cwd=tmp_path,
            )
            assert await refused.ended() == 1
            assert "Error: The database cannot be reached (" in refused.text
            assert "Traceback" not in refused.text
        finally:
            postgres_server.start()
        await gateway.child.line("Changes of keys arrive again")
        fresh = await gateway.cli("keys", "create", "--account", "default")
        assert (await fetch(models, key=fresh["key"])).status == 200

        assert not (tmp_path / "state" / "lightweight.db").exists()
        assert PASSWORD not in gateway.child.text + refused.text
    finally:
        assert await gateway.stop() == 0
