"""Where each key of a TOML text stands.

``tomllib`` gives values without their places. This scanner gives places without values:
it must be fed text that ``tomllib`` has accepted, and follows TOML 1.0 closely enough
to walk through it.
"""

import re
import tomllib
from collections.abc import Mapping

from lightweight.config.words import KeyPath

_BLANK = re.compile(r"[ \t]*")
_GAP = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\n]*")
_STRINGS = (
    # The longest opening first; up to two quotes may stand before the closing three.
    re.compile(r'"""(?:[^"\\]|\\.|"(?!""))*"{3,5}', re.DOTALL),
    re.compile(r"'''(?:[^']|'(?!''))*'{3,5}"),
    re.compile(r'"(?:[^"\\\n]|\\.)*"'),
    re.compile(r"'[^'\n]*'"),
)


def lines_of(text: str) -> Mapping[KeyPath, int]:
    """Give the line, from 1, of each key, table and array element of valid TOML.

    A table that only deeper headers name has the line of the first of them.
    """
    return _Scanner(text).scan()


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._lines: dict[KeyPath, int] = {}
        self._elements: dict[KeyPath, int] = {}
        """How many ``[[…]]`` headers of each array of tables came so far."""

    def scan(self) -> Mapping[KeyPath, int]:
        table: KeyPath = ()
        self._take(_GAP)
        while self._at < len(self._text):
            if self._text.startswith("[", self._at):
                table = self._header()
            else:
                self._pair(table)
            self._take(_GAP)
        return self._lines

    def _take(self, pattern: re.Pattern[str]) -> str:
        """Move behind what ``pattern`` matches here, counting lines."""
        found = pattern.match(self._text, self._at)
        if found is None:
            raise ValueError(f"no valid TOML at line {self._line}")
        self._at = found.end()
        self._line += found[0].count("\n")
        return found[0]

    def _skip(self, characters: int) -> None:
        self._at += characters

    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _mark(self, path: KeyPath, start: int) -> None:
        """Give ``path`` and the tables above it, from ``start`` on, this line."""
        for length in range(start, len(path) + 1):
            self._lines.setdefault(path[:length], self._line)

    def _header(self) -> KeyPath:
        array = self._text.startswith("[[", self._at)
        self._skip(2 if array else 1)
        keys = self._keys()
        self._skip(2 if array else 1)
        path: KeyPath = ()
        for key in keys[:-1]:
            path = self._last_of((*path, key))
        path = (*path, keys[-1])
        if array:
            index = self._elements.get(path, 0)
            self._elements[path] = index + 1
            path = (*path, index)
        self._mark(path, 1)
        self._lines[path] = self._line
        return path

    def _last_of(self, path: KeyPath) -> KeyPath:
        """Give ``path``, or its last element so far if it is an array of tables."""
        count = self._elements.get(path, 0)
        return (*path, count - 1) if count else path

    def _keys(self) -> list[str]:
        keys = []
        while True:
            self._take(_BLANK)
            keys.append(self._key())
            self._take(_BLANK)
            if self._next() != ".":
                return keys
            self._skip(1)

    def _key(self) -> str:
        if self._next() == '"':
            return str(tomllib.loads(f"it = {self._take(_STRINGS[2])}")["it"])
        if self._next() == "'":
            return self._take(_STRINGS[3])[1:-1]
        return self._take(_BARE)

    def _pair(self, table: KeyPath) -> None:
        path = (*table, *self._keys())
        self._mark(path, len(table) + 1)
        self._skip(1)  # the equals sign
        self._take(_BLANK)
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        if self._next() == "[":
            self._array(path)
        elif self._next() == "{":
            self._inline_table(path)
        elif self._next() in {'"', "'"}:
            self._string()
        else:
            self._take(_SCALAR)

    def _string(self) -> None:
        for pattern in _STRINGS:
            if pattern.match(self._text, self._at):
                self._take(pattern)
                return
        raise ValueError(f"no valid string at line {self._line}")

    def _array(self, path: KeyPath) -> None:
        self._skip(1)
        self._take(_GAP)
        index = 0
        while self._next() != "]":
            self._mark((*path, index), len(path) + 1)
            self._value((*path, index))
            index += 1
            self._take(_GAP)
            if self._next() == ",":
                self._skip(1)
                self._take(_GAP)
        self._skip(1)

    def _inline_table(self, path: KeyPath) -> None:
        self._skip(1)
        self._take(_GAP)
        while self._next() != "}":
            self._pair(path)
            self._take(_GAP)
            if self._next() == ",":
                self._skip(1)
                self._take(_GAP)
        self._skip(1)
