"""`lightweight status|reload|drain` against a daemon, and against none."""

import json
import signal
from pathlib import Path

from support.daemon import BIN, Gateway, spawn

from lightweight import __version__

DEMO = '[providers.demo]\nkind = "demo"\n'


async def test_status_reload_and_drain(tmp_path: Path) -> None:
    gateway = await Gateway.start(tmp_path, DEMO)
    try:
        shown = await gateway.cli("status")
        assert (shown["state"], shown["generation"]) == ("serving", 1)
        assert shown["listen"] == [gateway.root]
        assert shown["release"] == __version__
        assert shown["pid"] == gateway.child.pid

        assert (await gateway.cli("reload"))["generation"] == 2

        gateway.config.write_text(gateway.config.read_text() + "wrong = 1\n")
        tool = [BIN / "lightweight", "-c", gateway.config]
        socket = tmp_path / "state" / "control.sock"
        refused = spawn([tool[0], "reload", "--socket", socket], cwd=tmp_path)
        assert await refused.ended() == 1
        assert "Reload refused" in refused.text
        assert "wrong" in refused.text

        people = spawn([tool[0], "status", "--socket", socket], cwd=tmp_path)
        assert await people.ended() == 0
        assert "Last reload   refused" in people.text
        assert f"serving, version {__version__}, workers" in people.text

        drained = spawn([tool[0], "drain", "--socket", socket, "--json"], cwd=tmp_path)
        assert await drained.ended() == 0
        assert json.loads(drained.text)["state"] == "stopping"
        assert await gateway.child.ended() == 0
    finally:
        await gateway.stop()


async def test_no_daemon_is_said_in_one_sentence(tmp_path: Path) -> None:
    child = spawn([BIN / "lightweight", "status"], cwd=tmp_path)

    assert await child.ended() == 1
    assert "No running daemon found" in child.text
    assert "Traceback" not in child.text


async def test_a_stale_socket_is_no_daemon(tmp_path: Path) -> None:
    gateway = await Gateway.start(tmp_path, DEMO)
    gateway.child.send(signal.SIGKILL)
    await gateway.child.ended()
    socket = tmp_path / "state" / "control.sock"
    assert socket.exists()

    child = spawn([BIN / "lightweight", "status", "--socket", socket], cwd=tmp_path)

    assert await child.ended() == 1
    assert "No running daemon found" in child.text
