"""What `lightweight doctor` looks at on this machine: one finding for each thing.

Nothing is made, changed or opened for writing here.
"""

import ctypes
import json
import pwd
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from lightweight.config.schema import Config
from lightweight.daemon.state import open_to_others
from lightweight.store.connect import open_engine, read_url, shown_url
from lightweight.store.migrate import newest, revision
from lightweight.store.problems import StoreProblem
from lightweight.web.edge import connection_cap

Verdict: TypeAlias = Literal["ok", "warning", "problem"]

UNIT = "lightweight.service"

LITTLE_ROOM = 1024**3
NO_ROOM = 64 * 1024**2
"""Bytes on the state's disk: journals take their room in advance."""

_TIME_ERROR = 5
"""What adjtimex(2) gives while nothing disciplines the clock."""
_TIMEX_BYTES = 512
"""More than its structure has anywhere."""


class Finding(Struct, frozen=True):
    """What came of one look; the text says what to do where something is wrong."""

    check: str
    verdict: Verdict
    text: str


def state(directory: Path, user: int) -> Iterator[Finding]:
    """Look at the state directory as ``user``: whose it is, who may read it, room."""
    try:
        found = directory.stat()
    except FileNotFoundError:
        text = f"{directory} is not there yet: the first start makes it."
        yield Finding("state", "warning", text)
        return
    except OSError as problem:
        text = f"{directory} cannot be looked at ({problem.strerror}): run this as the"
        yield Finding("state", "problem", f"{text} user who runs the daemon.")
        return
    open_to = " ".join(map(str, open_to_others(directory)))
    if found.st_uid != user:
        text = f"{directory} belongs to {_name(found.st_uid)}: run this as that user."
        yield Finding("state", "warning", text)
    elif open_to:
        text = f"Others may read or write {open_to}: run 'chmod go= {open_to}'."
        yield Finding("state", "problem", text)
    else:
        yield Finding("state", "ok", f"{directory} is for {_name(user)} alone.")
    yield _room(directory)


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"


def _room(directory: Path) -> Finding:
    free = shutil.disk_usage(directory).free
    text = f"{free // 1024**2} MiB are free where {directory} is"
    if free < NO_ROOM:
        return Finding("disk", "problem", f"{text}: no call can be recorded soon.")
    if free < LITTLE_ROOM:
        return Finding("disk", "warning", f"{text}: make room.")
    return Finding("disk", "ok", f"{text}.")


def database(url: str, user: int) -> Finding:
    """Look whether the database of ``url`` answers and has this version's schema."""
    try:
        place = read_url(url)
        if place.get_backend_name() == "sqlite":
            file = Path(place.database or "")
            if not file.exists():
                text = f"{file} is not there yet: the first start makes it."
                return Finding("database", "warning", text)
            if file.stat().st_uid != user:
                # Opening it would leave files that the daemon cannot write.
                text = f"{file} is not opened: run this as its owner."
                return Finding("database", "warning", text)
        return _schema(url)
    except StoreProblem as problem:
        return Finding("database", "problem", str(problem))
    except OSError as problem:
        return Finding("database", "problem", f"It cannot be read: {problem}.")


def _schema(url: str) -> Finding:
    engine = open_engine(url)
    try:
        there, ours = revision(engine), newest()
        where = shown_url(engine)
    finally:
        engine.dispose()
    if there == ours:
        return Finding("database", "ok", f"{where} answers, its schema is {ours}.")
    text = f"{where} has schema {there or 'none'}, this version's is {ours}: "
    return Finding(
        "database", "warning", text + "restart, or `lightweight db upgrade`."
    )


def files(config: Config, limit: int) -> Finding:
    """Look whether as many files may be open as connections need.

    ``limit`` is the daemon's, or where none runs what this user may have.
    """
    wanted, served = config.edge.max_connections, connection_cap(config.edge, limit)
    if served >= wanted:
        return Finding("files", "ok", f"A process may open {limit}.")
    text = (
        f"A process may open {limit}, so each worker serves {served} connections at a "
        f"time and not {wanted}: raise LimitNOFILE, or lower edge.max_connections."
    )
    return Finding("files", "warning", text)


def file_limit(pid: int | None) -> int:
    """Give how many files process ``pid`` may open (proc(5)); None: this one's most."""
    if pid is not None:
        try:
            lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
        except OSError:
            lines = []
        for line in lines:
            if line.startswith("Max open files"):
                hard = line.split()[4]
                return int(hard) if hard.isdigit() else 1 << 30
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    return most if most != resource.RLIM_INFINITY else 1 << 30


def clock(kernel: Callable[[], int]) -> Finding:
    """Look whether anything keeps the clock right; ``kernel`` is ``clock_state``."""
    if kernel() == _TIME_ERROR:
        text = "Nothing keeps the clock right: run systemd-timesyncd or chrony. "
        return Finding("clock", "warning", text + "Expiry and months go by it.")
    return Finding("clock", "ok", "The clock is kept right.")


def clock_state() -> int:
    """Ask the kernel for the clock's state (adjtimex(2), changing nothing)."""
    libc = ctypes.CDLL(None)
    return int(libc.adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)))


def unit(show: Callable[[], str | None]) -> Finding:
    """Look at the systemd unit; ``show`` is ``unit_shown``."""
    shown = show()
    if shown is None:
        return Finding("unit", "ok", "There is no systemd here.")
    told = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
    if told.get("LoadState") != "loaded":
        text = f"{UNIT} is not installed; etc/systemd of the package has it."
        return Finding("unit", "warning", text)
    if told.get("NeedDaemonReload") == "yes":
        text = f"{UNIT} changed on disk: systemctl daemon-reload, then restart it."
        return Finding("unit", "problem", text)
    if told.get("ActiveState") != "active":
        text = f"{UNIT} is {told.get('ActiveState')}: systemctl status lightweight."
        return Finding("unit", "problem", text)
    if told.get("UnitFileState") not in {"enabled", "enabled-runtime"}:
        text = f"{UNIT} will not start with the machine: systemctl enable lightweight."
        return Finding("unit", "warning", text)
    return Finding("unit", "ok", f"{UNIT} is active and in force as it is on disk.")


def unit_shown(running: Path = Path("/run/systemd/system")) -> str | None:
    """Give what systemctl(1) shows of the unit; None where systemd does not run."""
    systemctl = shutil.which("systemctl")
    if systemctl is None or not running.is_dir():
        return None
    wanted = "LoadState,ActiveState,UnitFileState,NeedDaemonReload"
    done = subprocess.run(  # noqa: S603 -- its words are all ours
        [systemctl, "show", UNIT, f"--property={wanted}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=10,
    )
    return done.stdout


def daemon(status: Mapping[str, Any] | None) -> Finding:
    """Look at what the running daemon says of itself; None: there is none."""
    if status is None:
        return Finding("daemon", "warning", "No daemon runs with this configuration.")
    if status["last_refusal"]:
        why = json.dumps(status["last_refusal"])
        text = f"The last reload was refused, older configuration is in force: {why}"
        return Finding("daemon", "problem", text)
    alone = [
        name for name, told in status["providers"].items() if told["state"] == "open"
    ]
    if alone:
        text = f"It leaves {', '.join(alone)} alone, since they fail."
        return Finding("daemon", "problem", text)
    text = f"Process {status['pid']} is {status['state']}, generation "
    return Finding("daemon", "ok", f"{text}{status['generation']}.")
