"""Where log lines go: one file or stream, and a reader that stalls stalls nobody."""

import os
import select
import socket
import stat
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from string import ascii_lowercase, digits, punctuation
from typing import Protocol

MIN_SECRET = 6
"""A shorter value is no secret worth hiding, and hiding it would maim the log."""

BACKLOG_BYTES = 1024 * 1024
"""How much is kept for a reader that stalls; what comes then is lost and counted."""

RETRY_SECONDS = 0.2

LAST_SECONDS = 1.0
"""How long a process that ends waits for a slow reader."""

FILE_BYTES = 64 * 1024
"""How much a regular file is given in one piece."""


_USUAL = (ascii_lowercase + digits + punctuation + " TZ").encode()
"""The bytes that most lines are made of."""


class Later(Protocol):
    """The reactor's clock and timer."""

    def seconds(self) -> float:
        """Give the time in seconds, since whenever."""

    def callLater(self, delay: float, what: Callable[[], None], /) -> object:
        """Call ``what`` in ``delay`` seconds."""


class LogWriter:
    """Write whole lines to a file that can be reopened, or to an open descriptor.

    Every line passes the filter that knows the configured secrets, whoever wrote it. A
    pipe, terminal or socket that takes no more is not waited for.
    """

    def __init__(
        self,
        target: Path | int,
        timer: Later | None = None,
        lost: Callable[[int], None] = lambda _: None,
    ) -> None:
        """``target``: a file to append to, or a descriptor that stays open.

        Without ``timer`` a backlog moves on with the next line only. ``lost`` is told
        how many lines were dropped, once lines can be written again.
        """
        self._path = target if isinstance(target, Path) else None
        self._given = target if isinstance(target, int) else None
        self._timer = timer
        self._lost = lost
        self._secrets: list[tuple[int, bytes]] = []
        """Each after the byte of it that lines have least: one is found much faster."""
        self._backlog: deque[bytes] = deque()
        self._waiting = 0
        self._dropped = 0
        self._planned = False
        """A timer runs that writes what waits."""
        self._socket: socket.socket | None = None
        self._fd = self._open()
        self._at_once = _at_once(self._fd)

    def _open(self) -> int:
        if self._path is not None:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            return os.open(self._path, flags, 0o640)
        assert self._given is not None
        return self._unblocked(self._given)

    def _unblocked(self, given: int) -> int:
        """Give a descriptor of our own for ``given`` that never blocks.

        The given one is shared with other processes: they would meet the flag too.
        """
        mode = os.fstat(given).st_mode
        if stat.S_ISSOCK(mode):
            self._socket = socket.socket(fileno=os.dup(given))
            return given
        if not stat.S_ISFIFO(mode) and not os.isatty(given):
            return given
        flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        try:
            return os.open(f"/proc/self/fd/{given}", flags)
        except OSError:
            # Another user's pipe, or one nobody reads: better late than silent.
            return given

    def hide(self, secrets: Iterable[str]) -> None:
        """Replace each of ``secrets`` by ``***`` in every line from now on."""
        values = {s.encode() for s in secrets if len(s) >= MIN_SECRET}
        # Longest first: one secret may be a part of another.
        longest_first = sorted(values, key=len, reverse=True)
        self._secrets = [(min(v, key=_USUAL.count), v) for v in longest_first]

    def write(self, line: str) -> None:
        """Write one line; a full disk or a closed pipe loses it, never the service."""
        self.keep(line.encode("utf-8", "backslashreplace"))
        self.flush()

    def keep(self, line: bytes) -> None:
        """Take one line, to be written with the next that is, or by ``flush``."""
        for rare, secret in self._secrets:
            if rare in line:
                line = line.replace(secret, b"***")
        size = len(line) + 1
        if self._waiting + size > BACKLOG_BYTES:
            self._dropped += 1
            return
        self._backlog.append(line + b"\n")
        self._waiting += size

    def flush(self) -> None:
        """Write all that waits, as far as it can be written now."""
        while self._backlog:
            data = self._next_lines()
            try:
                sent = self._send(data)
            except BlockingIOError:
                sent = 0
            except OSError:
                # There is nowhere left to say so.
                sent = len(data)
            self._waiting -= sent
            if sent < len(data):
                self._backlog.appendleft(data[sent:])
            if not sent:
                self._plan_retry()
                return
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            self._lost(dropped)

    def _next_lines(self) -> bytes:
        """Take as many as arrive in one piece."""
        backlog = self._backlog
        if self._waiting <= self._at_once:
            data = b"".join(backlog)
            backlog.clear()
            return data
        lines = [backlog.popleft()]
        room = self._at_once - len(lines[0])
        while backlog and len(backlog[0]) <= room:
            room -= len(backlog[0])
            lines.append(backlog.popleft())
        return b"".join(lines)

    def _send(self, data: bytes) -> int:
        if self._socket is None:
            return os.write(self._fd, data)
        return self._socket.send(data, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)

    def _plan_retry(self) -> None:
        if self._timer is not None and not self._planned:
            self._planned = True
            self._timer.callLater(RETRY_SECONDS, self._as_planned)

    def _as_planned(self) -> None:
        self._planned = False
        self.flush()

    def finish(self) -> None:
        """Write all that waits, for the end of the process.

        The only one that blocks: LAST_SECONDS at most, for a reader that is slow.
        """
        self.flush()
        if self._timer is None:
            return
        poll = select.poll()
        poll.register(self._fd, select.POLLOUT)
        end = self._timer.seconds() + LAST_SECONDS
        while self._backlog:
            left = end - self._timer.seconds()
            if left <= 0 or not poll.poll(left * 1000):
                return
            self.flush()

    def reopen(self) -> None:
        """Follow a log file that was moved away; a descriptor has no name to follow."""
        if self._path is not None:
            self.flush()
            old, self._fd = self._fd, self._open()
            self._at_once = _at_once(self._fd)
            os.close(old)

    def close(self) -> None:
        """Close what this writer opened; what a stalled reader did not take is lost."""
        self.flush()
        self._backlog.clear()
        if self._fd != self._given:
            os.close(self._fd)
        if self._socket is not None:
            self._socket.close()


def _at_once(fd: int) -> int:
    """Give how many bytes arrive in one piece, whoever else writes (pipe(7))."""
    return FILE_BYTES if stat.S_ISREG(os.fstat(fd).st_mode) else select.PIPE_BUF
