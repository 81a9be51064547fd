"""A release is the same bytes, whoever builds it, where and when."""

import os
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import pytest
from support.daemon import HOME_LESS

ROOT = Path(__file__).parents[2]
EPOCH = 1_790_000_000
GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@localhost")


def repository(place: Path) -> Path:
    """Give a repository with these sources as they are now."""
    left_out = shutil.ignore_patterns(
        *(".git", ".venv", ".*_cache", ".hypothesis", "build", "dist"),
        *("*.egg-info", "__pycache__", "dropin.cache"),
    )
    shutil.copytree(ROOT, place, ignore=left_out)
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "all of it")):
        subprocess.run([*GIT, *words], cwd=place, check=True)
    return place


def built(clone: Path, out: Path, **environ: str) -> dict[str, bytes]:
    subprocess.run(
        [sys.executable, clone / "release" / "build.py", out],
        cwd="/",
        env={**HOME_LESS, "HOME": str(out), "SOURCE_DATE_EPOCH": str(EPOCH), **environ},
        capture_output=True,
        check=True,
    )
    return {each.name: each.read_bytes() for each in out.iterdir()}


@pytest.mark.timeout(300)
def test_two_clones_give_the_same_bytes(tmp_path: Path) -> None:
    first = repository(tmp_path / "first")
    second = tmp_path / "else" / "where" / "second"
    # What git does not keep differs: modes, dates, files that lie about.
    subprocess.run(
        ["/bin/sh", "-c", f"umask 077; git clone -q {first} {second}"], check=True
    )
    for path in (second / "lightweight").rglob("*.py"):
        os.utime(path, (time.time() + 9999, time.time() + 9999))
    (second / "lightweight" / "stray.py").write_text("stray = True\n")

    one = built(first, tmp_path / "one")
    two = built(second, tmp_path / "two", TZ="Asia/Tokyo", PYTHONHASHSEED="7")

    assert sorted(name.rsplit("-", 1)[-1] for name in one) == [
        "0.1.0.tar.gz",
        "any.whl",
    ]
    assert one == two
    holds_all_and_nothing_strange(tmp_path / "one")


def holds_all_and_nothing_strange(out: Path) -> None:
    (wheel,) = out.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        dates = {each.date_time[:3] for each in archive.infolist()}
    assert "lightweight/tap.py" in names
    assert "twisted/plugins/lightweight_plugin.py" in names
    assert not [name for name in names if name.startswith(("tests/", "release/"))]
    assert len(dates) == 1
    (sdist,) = out.glob("*.tar.gz")
    with tarfile.open(sdist) as tar:
        members = tar.getmembers()
    inside = {each.name.split("/", 1)[-1] for each in members}
    tracked = subprocess.run(
        ["git", "ls-files"],
        cwd=out.parent / "first",
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    # Who packs it for a distribution finds tests, manual and units in it.
    assert set(tracked) - inside == set()
    assert {(each.uid, each.uname, each.mtime) for each in members} == {(0, "", EPOCH)}
