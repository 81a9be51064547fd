"""Newline-delimited JSON: bytes to lines, in linear time however they are cut."""

from collections.abc import Iterator

from lightweight.errors import ProviderGarbage

MAX_LINE = 8 * 1024 * 1024
"""The longest line that is accepted, in bytes."""


class Lines:
    """One stream's state. Not to be used again after a fault."""

    def __init__(self, limit: int = MAX_LINE) -> None:
        """``limit`` bounds one line, in bytes."""
        self._limit = limit
        self._line = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Give the lines ``data`` completes, each with what ends it.

        Iterate to the end before feeding again; blank lines are left out. Raises
        ProviderGarbage for a line over the limit.
        """
        for piece in data.splitlines(keepends=True):
            self._line += piece
            if len(self._line) > self._limit:
                raise ProviderGarbage("The provider sent a line that is too long.")
            if piece.endswith(b"\n"):
                yield from self._end()

    def finish(self) -> Iterator[bytes]:
        """Give the last line where nothing ends it."""
        yield from self._end()

    def _end(self) -> Iterator[bytes]:
        line = bytes(self._line)
        self._line.clear()
        if line.strip():
            yield line
