"""Where log lines go: one file or stream, one write for each line."""

import os
from collections.abc import Iterable
from pathlib import Path

MIN_SECRET = 6
"""A shorter value is no secret worth hiding, and hiding it would maim the log."""


class LogWriter:
    """Write whole lines to a file that can be reopened, or to an open descriptor.

    Every line passes the filter that knows the configured secrets, whoever wrote it.
    """

    def __init__(self, target: Path | int) -> None:
        """``target``: a file to append to, or a descriptor that stays open."""
        self._path = target if isinstance(target, Path) else None
        self._fd = target if isinstance(target, int) else self._open()
        self._secrets: tuple[bytes, ...] = ()

    def _open(self) -> int:
        assert self._path is not None
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        return os.open(self._path, flags, 0o640)

    def hide(self, secrets: Iterable[str]) -> None:
        """Replace each of ``secrets`` by ``***`` in every line from now on."""
        values = {s.encode() for s in secrets if len(s) >= MIN_SECRET}
        # Longest first: one secret may be a part of another.
        self._secrets = tuple(sorted(values, key=len, reverse=True))

    def write(self, line: str) -> None:
        """Write one line; a full disk or a closed pipe loses it, never the service."""
        data = line.encode("utf-8", "backslashreplace")
        for secret in self._secrets:
            if secret in data:
                data = data.replace(secret, b"***")
        try:
            os.write(self._fd, data + b"\n")
        except OSError:
            # There is nowhere left to say so.
            return

    def reopen(self) -> None:
        """Follow a log file that was moved away; a descriptor has no name to follow."""
        if self._path is not None:
            old, self._fd = self._fd, self._open()
            os.close(old)

    def close(self) -> None:
        """Close what this writer opened."""
        if self._path is not None:
            os.close(self._fd)
