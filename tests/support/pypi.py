"""Clients from PyPI, each in a venv of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from support.daemon import spawn

PATIENCE = 120.0
"""Seconds in which a client must be done: some are slow to load."""


def venv_after(directory: Path, *commands: str) -> Path:
    """Make a venv and run a guide's commands in it; give its directory of programs."""
    subprocess.run([sys.executable, "-m", "venv", directory], check=True)
    programs = directory / "bin"
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    for command in commands:
        subprocess.run(
            ["/bin/sh", "-ec", command],
            cwd=directory,
            env={**os.environ, "PATH": path, "PIP_QUIET": "2"},
            check=True,
        )
    return programs


async def printed(
    python: Path, program: str, *, cwd: Path, environ: Mapping[str, str] | None = None
) -> str:
    """Run a program in ``cwd``; give what it printed, once it ended well."""
    (cwd / "program.py").write_text(program)
    child = spawn([python, "program.py"], cwd=cwd, environ=environ)
    try:
        assert await child.ended(PATIENCE) == 0, child.text
    finally:
        await child.stop()
    return child.text
