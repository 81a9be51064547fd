"""What this process uses: how much memory, how much it may, how much of a core."""

import os
from pathlib import Path

PROC = Path("/proc/self")
CGROUPS = Path("/sys/fs/cgroup")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def resident(proc: Path = PROC) -> int:
    """Give the resident memory of this process in bytes, 0 if unknown (proc(5))."""
    try:
        return int((proc / "statm").read_text().split()[1]) * _PAGE
    except OSError:
        return 0


def cpu_seconds() -> float:
    """Give the seconds of a core that this process has used (times(2))."""
    used = os.times()
    return used.user + used.system


def memory_limit(proc: Path = PROC, cgroups: Path = CGROUPS) -> int:
    """Give the bytes beyond which the kernel would end this process.

    The machine's memory, or less where a cgroup says so (version 2, memory.max).
    """
    limits = [os.sysconf("SC_PHYS_PAGES") * _PAGE]
    for directory in _own_cgroups(proc, cgroups):
        try:
            said = (directory / "memory.max").read_text().strip()
        except OSError:
            continue
        if said.isdigit():
            limits.append(int(said))
    return min(limits)


def _own_cgroups(proc: Path, cgroups: Path) -> list[Path]:
    try:
        lines = (proc / "cgroup").read_text().splitlines()
    except OSError:
        return []
    for line in lines:
        number, _, path = line.split(":", 2)
        if number == "0":
            own = Path(path.lstrip("/"))
            return [cgroups / own, *(cgroups / each for each in own.parents)]
    return []
