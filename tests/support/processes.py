"""Processes as the kernel knows them: proc(5)."""

from pathlib import Path


def children(pid: int) -> list[int]:
    """Give the children of a process with one thread that starts any."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


def servers(pid: int) -> list[int]:
    """Give the workers of a daemon's parent, without those that keep the books."""
    return [child for child in children(pid) if '"task":"serve"' in _command(child)]


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""  # it is gone


def running(pid: int) -> bool:
    """Tell whether a process is there and not a zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
