"""`lightweight doctor` beside a real daemon, and beside none."""

import json
from pathlib import Path
from typing import Any

from support.daemon import BIN, Gateway, spawn
from support.live import CANARY, config_for, provider
from support.ports import free_port
from support.scripted import ScriptedProvider, whole

__all__ = ["provider"]

MODELS = whole(200, {"content-type": "application/json"}, b"{}")


async def doctor(directory: Path, *words: str) -> tuple[int, dict[str, Any]]:
    config = directory / "lightweight.toml"
    child = spawn(
        [BIN / "lightweight", "-c", config, "doctor", *words, "--json"],
        cwd=directory,
        environ={"SCRIPTED_KEY": CANARY},
    )
    status = await child.ended()
    assert CANARY not in child.text
    return status, {each["check"]: each for each in json.loads(child.text)}


async def test_all_is_well_and_then_it_is_not(
    provider: ScriptedProvider, tmp_path: Path
) -> None:
    provider.always(*MODELS)
    gateway = await Gateway.start(
        tmp_path, config_for(provider), environ={"SCRIPTED_KEY": CANARY}
    )
    try:
        status, told = await doctor(tmp_path, "--online")
        well = {"configuration", "state", "database", "daemon", "provider scripted"}
        assert {name for name in well if told[name]["verdict"] != "ok"} == set()
        assert status == 0
        assert {"disk", "files", "clock", "unit"} <= told.keys()

        (tmp_path / "state").chmod(0o755)
        await provider.stop()
        status, told = await doctor(tmp_path, "--online")
        assert status == 1
        bad = {name for name, each in told.items() if each["verdict"] == "problem"}
        assert bad == {"state", "provider scripted"}
    finally:
        assert await gateway.stop() == 0


async def test_what_is_not_there_is_told_and_not_made(tmp_path: Path) -> None:
    path = tmp_path / "lightweight.toml"
    path.write_text(
        f'state = "{tmp_path / "state"}"\ndiscover = false\n'
        f'[redis]\nurl = "redis://127.0.0.1:{free_port()}/0"\n'
    )
    path.chmod(0o600)
    status, told = await doctor(tmp_path, "--online")
    assert status == 1
    assert told["redis"]["verdict"] == "problem"
    assert told["daemon"]["text"] == "No daemon runs with this configuration."
    assert not (tmp_path / "state").exists()


async def test_a_bad_configuration_is_found_with_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "lightweight.toml"
    path.write_text(f'state = "{tmp_path}"\nlisten = ["ssl:1:privateKey=/none"]\n')
    status, told = await doctor(tmp_path)
    assert status == 1
    assert told["configuration"]["verdict"] == "problem"
    assert told["daemon"]["verdict"] == "warning"

    path.write_text("no toml")
    status, told = await doctor(tmp_path)
    assert (status, set(told)) == (1, {"configuration", "clock", "unit"})


async def test_people_get_a_table(tmp_path: Path) -> None:
    path = tmp_path / "lightweight.toml"
    path.write_text(f'state = "{tmp_path / "state"}"\ndiscover = false\n')
    child = spawn([BIN / "lightweight", "-c", path, "doctor"], cwd=tmp_path)
    assert await child.ended() == 0
    heads, *rows = child.lines
    assert heads.split() == ["CHECK", "FOUND"]
    assert rows[0].startswith("ok    configuration")
