"""Which configuration and which code a worker of the real daemon has."""

import os
import shutil
import signal
from pathlib import Path

from support.daemon import Gateway
from support.http import fetch
from support.processes import servers
from support.until import until

import lightweight

DEMO = '[providers.demo]\nkind = "demo"\n'


async def test_a_replaced_worker_has_the_configuration_in_force(tmp_path: Path) -> None:
    gateway = await Gateway.start(
        tmp_path, f'cors_origins = ["https://a.test"]\n{DEMO}'
    )
    try:
        gateway.config.write_text("broken by an editor")
        (worker,) = servers(gateway.child.pid)
        os.kill(worker, signal.SIGKILL)
        await until(lambda: servers(gateway.child.pid) not in ([], [worker]))

        answer = await fetch(
            f"{gateway.base_url}/models",
            key=gateway.key,
            headers={"Origin": "https://a.test"},
        )

        assert answer.status == 200
        assert answer.headers["access-control-allow-origin"] == "https://a.test"
        assert "cannot serve" not in gateway.child.text
        gateway.child.send(signal.SIGHUP)
        await gateway.child.line("Reload refused.*not valid TOML")
    finally:
        assert await gateway.stop() == 0


async def test_a_setting_of_the_next_release_needs_no_restart(tmp_path: Path) -> None:
    """The code on disk is replaced under a parent that keeps its own."""
    place = tmp_path / "release"
    ours = Path(lightweight.__file__).parent
    shutil.copytree(ours, place / "lightweight")
    shutil.copytree(ours.parent / "twisted", place / "twisted")
    gateway = await Gateway.start(tmp_path, DEMO, environ={"PYTHONPATH": str(place)})
    try:
        old = gateway.config.read_text()
        gateway.config.write_text(f"novelty = true\n{old}")
        gateway.child.send(signal.SIGHUP)
        await gateway.child.line(
            r"Reload refused.*lightweight.toml:1: novelty: unknown"
        )
        schema = place / "lightweight" / "config" / "schema.py"
        text = schema.read_text()
        schema.write_text(
            text.replace(
                "    discover: bool", "    novelty: bool = False\n    discover: bool"
            )
        )

        gateway.child.send(signal.SIGHUP)
        await gateway.child.line(r"Reloaded: 1 provider, 1 model \(generation 3\)")

        assert (await fetch(f"{gateway.root}/readyz")).status == 200
        gateway.config.write_text(f"noveltie = true\n{old}")
        gateway.child.send(signal.SIGHUP)
        await gateway.child.line(r"noveltie: unknown key, did you mean 'novelty'")
    finally:
        assert await gateway.stop() == 0
