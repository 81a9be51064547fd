"""What the parent starts: who cannot do it tells the parent, and ends."""

import os
import subprocess
import sys
from pathlib import Path

from lightweight.daemon.launch import TWISTD
from lightweight.daemon.messages import ORDERS, REPORTS, Report, decode

TOO_NEW = '{"version":999}'


def started_with(assignment: str, directory: Path) -> tuple[int, Report]:
    """Start a child by hand; give how it ended and what it told its parent."""
    told, reports = os.pipe()
    nothing = os.open(os.devnull, os.O_RDONLY)
    moved = f"import os; os.dup2({nothing}, {ORDERS}); os.dup2({reports}, {REPORTS}); "
    ended = subprocess.run(
        [
            *(sys.executable, "-P", "-c", moved + TWISTD, "--nodaemon", "--pidfile="),
            *("lightweight", "--worker", assignment),
        ],
        cwd=directory,
        pass_fds=(nothing, reports),
        capture_output=True,
        check=False,
    )
    os.close(reports)
    os.close(nothing)
    with os.fdopen(told, "rb") as file:
        return ended.returncode, decode(file.readline(), Report)


def test_a_child_of_another_release_says_what_to_do(tmp_path: Path) -> None:
    status, report = started_with(TOO_NEW, tmp_path)

    assert (status, report.outcome) == (1, "failed")
    assert "restart the service" in report.text
