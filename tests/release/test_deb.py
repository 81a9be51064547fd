"""The Debian package on a machine of its own: installed, used, upgraded, purged."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.machine import on_a_machine

ROOT = Path(__file__).parents[2]
NEWER = "0.1.1"


def newer(deb: Path, out: Path) -> None:
    """Pack a release of another version: the same code."""
    tree = out / "tree"
    subprocess.run(["dpkg-deb", "--raw-extract", deb, tree], check=True)
    (package,) = tree.glob("opt/lightweight/lib/python3*/site-packages/lightweight")
    for path in (package / "__init__.py", tree / "DEBIAN" / "control"):
        path.write_text(path.read_text().replace("0.1.0", NEWER))
    for compiled in (package / "__pycache__").glob("__init__.*"):
        compiled.unlink()
    subprocess.run(
        ["dpkg-deb", "--build", "--root-owner-group", "-Zzstd", "-z1", tree, out],
        check=True,
    )
    shutil.rmtree(tree)


@pytest.mark.debian
@pytest.mark.timeout(900)
@pytest.mark.async_limit(900)
async def test_from_installation_to_purge(tmp_path: Path) -> None:
    """Needs pip's index: the package is built of what the lock pins."""
    wheels, shared = tmp_path / "wheels", tmp_path / "shared"
    shared.mkdir()
    environ = {**os.environ, "SOURCE_DATE_EPOCH": "1790000000"}
    commands = (
        f"{sys.executable} {ROOT}/release/build.py {wheels}",
        f"{ROOT}/release/deb {wheels}/*.whl {shared}",
    )
    for command in commands:
        subprocess.run(["/bin/sh", "-c", command], env=environ, check=True)
    (deb,) = shared.glob("*.deb")
    newer(deb, shared)
    here = Path(__file__).parent
    shutil.copy(here / "calls.py", shared)
    script = f"NEWER={NEWER}\n{(here / 'trial.sh').read_text()}"

    said = await on_a_machine(shared, script, patience=300)

    assert "failed 0" in said
