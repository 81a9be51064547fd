"""The settings in force, without a secret, and the audit log."""

from pathlib import Path

from support.offices import Desk
from support.visits import said, visitor

from lightweight.config.load import load
from lightweight.web.dashboard.settings import HIDDEN, PAGE, settings_of


def test_every_setting_with_its_place_and_without_its_secret(tmp_path: Path) -> None:
    file = tmp_path / "lightweight.toml"
    file.write_text(
        'public_url = "https://ai.example.org"\n'
        "[providers.openai]\n"
        'api_key = "sk-secret"\n'
        'api_keys = ["sk-spare"]\n'
        "[tiers.team]\n"
        "rpm = 5\n"
        "[[models]]\n"
        'id = "my-model"\n'
        'targets = [{ provider = "openai", model = "m", dialect = "openai_chat" }]\n'
    )
    file.chmod(0o600)
    loaded = load(file, {}, presets={"openai"})
    found = {each.path: each for each in settings_of(loaded.config, loaded.origins)}
    assert found["public_url"].value == "https://ai.example.org"
    assert found["public_url"].origin == f"{file}:1"
    assert found["providers.openai.api_key"].value == HIDDEN
    assert found["providers.openai.api_keys[0]"].value == HIDDEN
    assert found["tiers.team.rpm"].value == "5"
    assert found["tiers.team.rpm"].origin == f"{file}:6"
    assert found["models[0].targets[0].model"].value == "m"
    assert found["drain.reload"].origin == ""
    assert "sk-" not in repr(list(found.values()))


async def test_the_audit_log_page_by_page(desk: Desk) -> None:
    boss = await visitor(desk)
    for number in range(PAGE):
        await desk.account(f"account-{number}")
    text = await boss.text("/settings")
    assert "account.create" in text
    assert "person.sign_in" not in text
    page = (await boss.get("/settings")).body.decode()
    older = page.split('href="/dashboard/settings?before=')[1].split('"')[0]
    assert "person.sign_in" in await boss.text(f"/settings?before={older}")
    answer = await boss.get("/settings?before=x")
    assert answer.status == 400
    assert "begin anew" in said(answer)
