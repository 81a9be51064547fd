"""Several TOML files laid over each other, each value knowing where it comes from."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from lightweight.config.secret import SOURCES
from lightweight.config.words import KeyPath


class Origin(Struct, frozen=True):
    """A line, from 1, of a configuration file."""

    file: str
    line: int


class Layers:
    """The files so far as one: later ones win key by key, arrays of tables append."""

    def __init__(self) -> None:
        self.data: dict[str, Any] = {}
        self.origins: dict[KeyPath, Origin] = {}
        self._top = Origin("", 1)

    def lay(
        self, data: dict[str, Any], file: str, lines: Mapping[KeyPath, int]
    ) -> None:
        """Lay one file's data over what is there."""
        self._top = self._top if self._top.file else Origin(file, 1)
        _Sheet(self, file, lines).over(self.data, data, (), ())

    def origin(self, path: KeyPath) -> Origin:
        """Give where ``path`` stands, or the nearest table around it."""
        for length in range(len(path), 0, -1):
            if found := self.origins.get(path[:length]):
                return found
        return self._top


class _Sheet:
    """One file on its way into the layers; ``path`` is there, ``here`` in the file."""

    def __init__(self, layers: Layers, file: str, lines: Mapping[KeyPath, int]) -> None:
        self._origins = layers.origins
        self._file = file
        self._lines = lines

    def over(
        self,
        below: dict[str, Any],
        above: dict[str, Any],
        path: KeyPath,
        here: KeyPath,
    ) -> None:
        for key, new in above.items():
            old: Any = below.get(key)
            at, place = (*path, key), (*here, key)
            if _is_table(old) and _is_table(new):
                self.over(old, new, at, place)
            elif _is_tables(old) and _is_tables(new):
                for index, item in enumerate(new):
                    self._adopt(item, (*at, len(old)), (*place, index))
                    old.append(item)
            else:
                if key in below:
                    self._forget(at)
                below[key] = new
                self._adopt(new, at, place)

    def _adopt(self, value: object, path: KeyPath, here: KeyPath) -> None:
        """Note where ``value`` and all inside it stand."""
        if here in self._lines:
            self._origins[path] = Origin(self._file, self._lines[here])
        if isinstance(value, dict):
            for key, item in value.items():
                self._adopt(item, (*path, key), (*here, key))
        elif isinstance(value, list):
            for index, item in enumerate(value):
                self._adopt(item, (*path, index), (*here, index))

    def _forget(self, path: KeyPath) -> None:
        gone = [at for at in self._origins if at[: len(path)] == path]
        for at in gone:
            del self._origins[at]


def _is_table(value: object) -> bool:
    """Tell whether tables may mix: two places of one secret must not."""
    return isinstance(value, dict) and not (
        value
        and value.keys() <= set(SOURCES)
        and all(isinstance(item, str) for item in value.values())
    )


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)
