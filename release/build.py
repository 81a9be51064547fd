"""Build the wheel and the sdist of a commit: the same bytes wherever and whenever.

    python release/build.py DIRECTORY [COMMIT]

Needs git and the setuptools that release/locks/development.txt pins; no network. The
date in the archives is SOURCE_DATE_EPOCH, or else the commit's own. What must not
count is taken out: paths, owners, modes that a umask made, files that are not in git.
"""

import gzip
import io
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from setuptools import build_meta

ROOT = Path(__file__).parents[1]


def main(directory: Path, commit: str = "HEAD") -> None:
    """Put both archives of ``commit`` into ``directory`` and name them."""
    date = (
        os.environ.get("SOURCE_DATE_EPOCH")
        or git("show", "--no-patch", "--format=%ct", commit).decode().strip()
    )
    os.environ["SOURCE_DATE_EPOCH"] = date
    directory.mkdir(parents=True, exist_ok=True)
    os.umask(0o022)
    with tempfile.TemporaryDirectory() as place:
        unpack(git("archive", "--format=tar", commit), Path(place))
        os.chdir(place)
        wheel = build_meta.build_wheel(str(directory))
        sdist = build_meta.build_sdist(str(directory))
        os.chdir(ROOT)
    settle(directory / sdist, int(date))
    for name in (wheel, sdist):
        sys.stdout.write(f"{directory / name}\n")


def git(*words: str) -> bytes:
    """Give what git says of this repository."""
    command = ["git", "-C", str(ROOT), *words]
    return subprocess.run(command, check=True, capture_output=True).stdout


def unpack(archive: bytes, place: Path) -> None:
    """Lay out the tree with one mode for all files and one for all programs."""
    # Not tarfile: Debian 12's has no filter yet, without which newer ones complain.
    subprocess.run(["tar", "-xf", "-", "-C", str(place)], input=archive, check=True)
    for path in place.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)


def settle(sdist: Path, date: int) -> None:
    """Write a tar archive anew: in order, of one date, owned by nobody."""
    with tarfile.open(sdist) as made:
        members = sorted(made.getmembers(), key=lambda member: member.name)
        fresh = io.BytesIO()
        with tarfile.open(fileobj=fresh, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for member in members:
                member.mtime = date
                member.uid = member.gid = 0
                member.uname = member.gname = ""
                member.pax_headers = {}
                tar.addfile(member, made.extractfile(member))
    with sdist.open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=date) as out:
        out.write(fresh.getvalue())


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute(), *sys.argv[2:])
