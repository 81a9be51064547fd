"""Where the log goes and in what form: twistd's options and the terminal decide."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from twisted.python import usage

from lightweight.observe.logs import LogFormat

STDOUT = 1
"""The descriptor of standard output."""


def log_place(twistd: Mapping[str, Any]) -> Path | int:
    """Say where twistd's own options want the log: a file, or standard output."""
    if twistd.get("syslog"):
        raise usage.UsageError(
            "--syslog is not supported: run under systemd, or give --logfile."
        )
    named = twistd.get("logfile")
    if named and named != "-":
        return Path(named).absolute()
    if named or twistd.get("nodaemon", True):
        return STDOUT
    return Path("twistd.log").absolute()


def behind_journal(place: Path | int, environ: Mapping[str, str]) -> bool:
    """Tell whether journald reads the log (systemd.exec(5), $JOURNAL_STREAM)."""
    if isinstance(place, Path) or "JOURNAL_STREAM" not in environ:
        return False
    status = os.fstat(place)
    return environ["JOURNAL_STREAM"] == f"{status.st_dev}:{status.st_ino}"


def log_format(wanted: Literal["auto", "json", "text"], place: Path | int) -> LogFormat:
    """Choose text for a person at a terminal and JSON for everything else."""
    if wanted != "auto":
        return wanted
    return "text" if isinstance(place, int) and os.isatty(place) else "json"
