"""Scripts that a person would paste into a shell."""

import os
import signal
from collections.abc import Mapping
from pathlib import Path

from support.daemon import HOME_LESS, Child, spawn


def paste(
    script: str,
    *,
    cwd: Path,
    programs: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Child:
    """Run a script in a shell that finds what is in ``programs``.

    It has no input, and a session of its own: ``end`` ends all that it started.
    """
    places = [] if programs is None else [str(programs)]
    path = os.pathsep.join([*places, HOME_LESS["PATH"]])
    return spawn(
        ["/usr/bin/setsid", "/bin/sh", "-ec", f"exec </dev/null\n{script}"],
        cwd=cwd,
        environ={**(environ or {}), "PATH": path},
    )


async def end(child: Child) -> None:
    """End a script and whatever it started."""
    if child.status is None:
        os.killpg(child.pid, signal.SIGKILL)
        await child.ended()
