"""The words problems are told in: types, suggestions and dotted paths.

A value is never repeated in a message: it might be a secret in the wrong place.
"""

import json
import re
from collections.abc import Iterable
from datetime import date, time
from difflib import get_close_matches
from typing import TypeAlias

KeyPath: TypeAlias = tuple[str | int, ...]
"""Where a value stands in TOML data: keys of tables and indices of arrays."""

_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "a boolean"),  # before int, whose kind it is in Python
    (int, "an integer"),
    (float, "a float"),
    (str, "a string"),
    (list, "an array"),
    (dict, "a table"),
    (date, "a date"),
    (time, "a time"),
    (object, "something else"),
)
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def kind_of(value: object) -> str:
    """Name the TOML type of ``value`` as a noun with its article."""
    return next(name for kind, name in _KINDS if isinstance(value, kind))


def mismatch(wanted: str, value: object) -> ValueError:
    """Make the error for a value of a type that cannot be ``wanted``."""
    return ValueError(f"must be {wanted}, not {kind_of(value)}")


def suggestion(word: str, known: Iterable[str]) -> str:
    """Give ``", did you mean 'x'?"`` for the closest of ``known``, or nothing."""
    close = closest(word, known)
    return "" if close is None else f", did you mean {close!r}?"


def closest(word: str, known: Iterable[str]) -> str | None:
    """Give the one of ``known`` that ``word`` is most likely a slip of."""
    folded = {name.lower(): name for name in known}
    found = get_close_matches(word.lower(), folded, n=1)
    return folded[found[0]] if found else None


def dotted(path: KeyPath) -> str:
    """Write a path as TOML users do: ``models[2].targets[0].dialect``."""
    written = ""
    for step in path:
        if isinstance(step, int):
            written += f"[{step}]"
        else:
            key = step if _BARE.fullmatch(step) else json.dumps(step)
            written += f".{key}" if written else key
    return written
