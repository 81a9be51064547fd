"""A real child process, and a real ``twistd lightweight`` in one.

A child's lines can be awaited as they come. Whatever a test does, ``stop`` ends it.
"""

import json
import os
import re
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

BIN = Path(sys.executable).parent
PATIENCE = 50.0
"""Seconds in which a child must say what a test waits for."""

HOME_LESS = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"}
"""An environment without keys, proxies or a home of the person who runs the tests."""


class Child(ProcessProtocol):
    """One child process: its lines, its end."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.status: int | None = None
        """Exit code, or minus the number of the signal that ended it."""
        self._rest = {1: b"", 2: b""}
        self._waiting: list[tuple[re.Pattern[str], Deferred[re.Match[str]]]] = []
        self._ended: list[Deferred[int]] = []

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        *whole, self._rest[childFD] = (self._rest[childFD] + data).split(b"\n")
        for raw in whole:
            self._line(raw.decode("utf-8", "replace"))

    def _line(self, line: str) -> None:
        self.lines.append(line)
        for waiter in list(self._waiting):
            pattern, found = waiter
            match = pattern.search(line)
            if match:
                self._waiting.remove(waiter)
                found.callback(match)

    def processEnded(self, reason: Failure) -> None:
        for rest in self._rest.values():
            if rest:
                self._line(rest.decode("utf-8", "replace"))
        end: Any = reason.value
        self.status = -end.signal if end.signal else (end.exitCode or 0)
        for _, found in self._waiting:
            found.errback(AssertionError(f"ended with {self.status}:\n{self.text}"))
        self._waiting.clear()
        for ended in self._ended:
            ended.callback(self.status)

    @property
    def text(self) -> str:
        """Everything the child wrote so far."""
        return "\n".join(self.lines)

    @property
    def pid(self) -> int:
        transport: Any = self.transport
        pid = transport.pid
        assert isinstance(pid, int)
        return pid

    async def line(
        self, pattern: str, *, past: bool = True, patience: float = PATIENCE
    ) -> re.Match[str]:
        """Wait for a line that matches; ``past``: one that came already counts."""
        from twisted.internet import reactor

        compiled = re.compile(pattern)
        for line in self.lines if past else ():
            match = compiled.search(line)
            if match:
                return match
        found: Deferred[re.Match[str]] = Deferred()
        waiter = (compiled, found)
        self._waiting.append(waiter)
        found.addTimeout(patience, reactor)
        try:
            return await found
        except Exception as problem:
            if waiter in self._waiting:
                self._waiting.remove(waiter)
            raise AssertionError(f"no line like {pattern!r}:\n{self.text}") from problem

    async def ended(self, patience: float = PATIENCE) -> int:
        """Wait for the end, ``patience`` seconds at most; give the status."""
        from twisted.internet import reactor

        if self.status is not None:
            return self.status
        waiting: Deferred[int] = Deferred()
        self._ended.append(waiting)
        return await waiting.addTimeout(patience, reactor)

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    async def stop(self) -> None:
        """End the child whatever state it is in."""
        if self.status is None:
            self.send(signal.SIGKILL)
            await self.ended()


def spawn(
    command: Iterable[object],
    *,
    cwd: Path,
    environ: Mapping[str, str] | None = None,
) -> Child:
    """Start ``command`` with the bare environment plus ``environ``."""
    from twisted.internet import reactor

    child = Child()
    words = [str(word) for word in command]
    environment = {**HOME_LESS, "HOME": str(cwd), **(environ or {})}
    reactor.spawnProcess(child, words[0], words, environment, str(cwd))
    return child


class Gateway:
    """A real twistd child that serves on a free loopback port."""

    def __init__(self, child: Child, directory: Path, config: Path) -> None:
        self.child = child
        self.directory = directory
        self.config = config
        self.root = ""
        """``http://127.0.0.1:PORT``"""
        self.key = ""

    @property
    def base_url(self) -> str:
        """What a client is configured with."""
        return f"{self.root}/v1"

    @classmethod
    async def start(
        cls,
        directory: Path,
        config: str,
        *,
        environ: Mapping[str, str] | None = None,
        listen: str = "tcp:0:interface=127.0.0.1",
        within: Sequence[str] = (),
        single: bool = False,
    ) -> "Gateway":
        """Start one on ``config`` (TOML tables; listen and state are set here).

        ``within`` are the words of a command that runs the one after them; ``single``:
        one process, without a parent and workers.
        """
        path = directory / "lightweight.toml"
        path.write_text(
            f'listen = ["{listen}"]\nstate = "{directory / "state"}"\n'
            f"discover = false\n{config}"
        )
        path.chmod(0o600)
        twistd = str(BIN / "twistd")
        command = [*within, twistd, "--pidfile=", "-n", "lightweight", "-c", str(path)]
        if single:
            command.append("--single")
        gateway = cls(spawn(command, cwd=directory, environ=environ), directory, path)
        try:
            await gateway.ready()
        except BaseException:
            await gateway.child.stop()
            raise
        return gateway

    async def ready(self) -> None:
        """Wait until it serves; learn its address and its first key."""
        match = await self.child.line(r"Listening on (https?://127\.0\.0\.1:\d+)")
        self.root = match[1]
        await self.child.line(r"Ready\b")
        first_run = self.directory / "state" / "first-run.txt"
        if first_run.exists():  # else another machine made the first key
            found = re.search(r"lw-[0-9A-Za-z]{49}", first_run.read_text())
            assert found is not None
            self.key = found[0]

    async def stop(self) -> int:
        """Ask it to stop and give the exit status; kill it if it does not."""
        if self.child.status is None:
            self.child.send(signal.SIGTERM)
        try:
            return await self.child.ended()
        finally:
            await self.child.stop()

    async def cli(self, *words: str) -> Any:
        """Run ``lightweight … --json`` on the same configuration; give its JSON."""
        child = spawn(
            [BIN / "lightweight", "-c", self.config, *words, "--json"],
            cwd=self.directory,
        )
        status = await child.ended()
        assert status == 0, child.text
        return json.loads(child.text)

    def access(self) -> list[dict[str, Any]]:
        """Give the access lines written so far."""
        entries = [json.loads(line) for line in self.child.lines if line[:1] == "{"]
        return [entry for entry in entries if entry["logger"] == "access"]
