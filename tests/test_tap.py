"""The command after twistd: what ends a start, how it explains itself."""

from pathlib import Path

import pytest
from support.daemon import BIN, spawn

from lightweight.tap import Options, makeService


def test_a_bad_configuration_ends_the_start_with_its_problems(tmp_path: Path) -> None:
    from twisted.internet import reactor

    path = tmp_path / "bad.toml"
    path.write_text("workers = 0\n")
    options = Options()
    options.parseOptions(["-c", str(path)])

    with pytest.raises(SystemExit, match=r"bad\.toml:1: workers"):
        makeService(options, reactor=reactor)


async def test_the_command_line_explains_itself(tmp_path: Path) -> None:
    child = spawn([BIN / "twistd", "lightweight", "--help"], cwd=tmp_path)
    assert await child.ended() == 0
    assert "--check" in child.text

    child = spawn([BIN / "twistd", "lightweight", "--version"], cwd=tmp_path)
    assert await child.ended() == 0
    assert child.text.startswith("lightweight ")
