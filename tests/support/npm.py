"""Clients from npm, each installed as its guide says, and run as a person would."""

import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from twisted.internet.defer import TimeoutError  # noqa: A004 -- Deferreds raise it

import pytest
from support.daemon import HOME_LESS, spawn

PATIENCE = 90.0
"""Seconds in which a client must be done: some are half a gigabyte to load."""

MARKS = [
    pytest.mark.clients,
    pytest.mark.async_limit(2 * PATIENCE),
    # The first test of a module waits for npm, too.
    pytest.mark.timeout(4 * PATIENCE),
]
"""What each module marks its tests with."""

NOWHERE = {
    "HTTP_PROXY": "http://127.0.0.1:9",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "NO_PROXY": "127.0.0.1",
}
"""Who would reach the internet by a proxy finds nobody at home."""


def from_npm(script: str, *, builds: bool = False) -> Callable[..., Path]:
    """Make a fixture: a project of its own in which a guide's install script was run.

    What is installed for the whole machine goes there as well, its programs to ``bin``.
    ``builds``: packages may run scripts of theirs; a few put their program in place so.
    """

    @pytest.fixture(scope="module")
    def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
        directory = tmp_path_factory.mktemp("npm")
        (directory / "package.json").write_text('{"private": true}')
        settings = {
            "prefix": str(directory),
            "ignore_scripts": str(not builds).lower(),
            "loglevel": "error",
            "audit": "false",
            "fund": "false",
        }
        named = {f"npm_config_{name}": told for name, told in settings.items()}
        subprocess.run(
            ["/bin/sh", "-ec", script],
            cwd=directory,
            env={**os.environ, **named},
            check=True,
        )
        return directory

    return project


async def run(
    script: str,
    project: Path,
    *,
    cwd: Path,
    home: Path,
    environ: Mapping[str, str] | None = None,
) -> str:
    """Run a guide's shell script with the programs of ``project``; give its output.

    Its standard input is empty. Raise AssertionError unless it ends well in time.
    """
    path = f"{project / 'bin'}:{HOME_LESS['PATH']}"
    child = spawn(
        # A session of its own can be ended with all that the script started.
        ["/bin/sh", "-c", 'exec setsid /bin/sh -ec "$1" </dev/null', "sh", script],
        cwd=cwd,
        environ={"PATH": path, "HOME": str(home), **NOWHERE, **(environ or {})},
    )
    try:
        assert await child.ended(PATIENCE) == 0, child.text
    except TimeoutError as late:
        raise AssertionError(f"not done in {PATIENCE} s:\n{child.text}") from late
    finally:
        if child.status is None:
            os.killpg(child.pid, signal.SIGKILL)
            await child.ended()
    return child.text


async def printed(program: str, project: Path, *, home: Path) -> str:
    """Run a module of JavaScript with the packages of ``project``; give its output."""
    (project / "program.mjs").write_text(program)
    return await run("node program.mjs", project, cwd=project, home=home)
