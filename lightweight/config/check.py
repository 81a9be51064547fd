"""TOML data against the schema: every problem at once, each with its path.

The schema's annotations are the rules; there is no second list of keys.
"""

import builtins
import types
import typing
from collections import abc
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from types import NoneType
from typing import (
    Any,
    Generic,
    TypeAlias,
    TypeVar,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from msgspec import Struct, structs

from lightweight.config.secret import SOURCES, Secret
from lightweight.config.words import KeyPath, closest, mismatch, suggestion

T = TypeVar("T", bound=Struct)

Reveal: TypeAlias = Callable[[KeyPath, object], Secret]
"""Turns what stands at a path into a secret; raises ValueError like a parser."""

Parser: TypeAlias = Callable[[Any], object]
"""Turns a plain value into what the schema holds; raises ValueError."""


class Issue(Struct, frozen=True):
    """One thing that is wrong, as a sentence about what stands at ``path``."""

    path: KeyPath
    text: str


class Bad:
    """What stands where a required value was wrong, so that the rest can be judged."""


BAD = Bad()

_PLAIN: Mapping[type, str] = {str: "a string", bool: "true or false"}


class Checked(Struct, Generic[T], frozen=True):
    """The outcome of a check.

    Where there are issues ``value`` has defaults, or ``BAD``, in their places, and
    ``blamed`` the paths already complained about: good for finding further problems.
    """

    value: T
    issues: list[Issue]
    blamed: set[KeyPath]


def check(data: object, schema: type[T], reveal: Reveal) -> Checked[T]:
    """Judge plain TOML data by a Struct type whose top is a table."""
    checker = _Checker(reveal)
    value = checker.read(schema, data, ())
    return Checked(cast("T", value), checker.issues, checker.blamed)


@cache
def _hints(schema: type[Struct]) -> Mapping[str, object]:
    return get_type_hints(schema, include_extras=True)


@cache
def _fields(schema: type[Struct]) -> Sequence[structs.FieldInfo]:
    # Asked for each of maybe thousands of models, and not made quickly.
    return structs.fields(schema)


def _keys(value: object) -> Iterable[str]:
    return value if isinstance(value, dict) else ()


class _Checker:
    """Walks data and schema together; each method gives a value, or BAD and an issue.

    It knows the annotations that the schema uses, and no others.
    """

    def __init__(self, reveal: Reveal) -> None:
        self._reveal = reveal
        self.issues: list[Issue] = []
        self.blamed: set[KeyPath] = set()

    def read(self, hint: object, value: object, path: KeyPath) -> object:
        """Give ``value`` as ``hint`` has it."""
        arms = [arm for arm in get_args(hint) if arm is not NoneType]
        match get_origin(hint):
            case typing.Annotated:
                found = self._parsed(arms[0], arms[1], value, path)
            case typing.Union | types.UnionType:
                found = self.read(arms[0], value, path)
            case typing.Literal:
                found = self._choice(arms, value, path)
            case builtins.tuple:
                found = self._array(arms[0], value, path)
            case abc.Mapping:
                found = self._mapping(arms[0], arms[1], value, path)
            case _:
                found = self._single(hint, value, path)
        return found

    def _blame(self, path: KeyPath, text: object) -> object:
        self.issues.append(Issue(path, str(text)))
        self.blamed.add(path)
        return BAD

    def _single(self, hint: object, value: object, path: KeyPath) -> object:
        assert isinstance(hint, type)
        if issubclass(hint, Secret):
            return self._secret(value, path)
        if issubclass(hint, Struct):
            return self._table(hint, value, path)
        if not isinstance(value, hint):
            return self._blame(path, mismatch(_PLAIN[hint], value))
        return value

    def _parsed(
        self, hint: object, parser: Parser, value: object, path: KeyPath
    ) -> object:
        given = self._secret(value, path) if hint is Secret else value
        if given is BAD:
            return BAD
        try:
            return parser(given)
        except ValueError as error:
            return self._blame(path, error)

    def _secret(self, value: object, path: KeyPath) -> object:
        strange = [key for key in _keys(value) if key not in SOURCES]
        for key in strange:
            self._unknown(key, SOURCES, path)
        if strange:
            return BAD
        try:
            return self._reveal(path, value)
        except ValueError as error:
            return self._blame(path, error)

    def _choice(self, known: Sequence[str], value: object, path: KeyPath) -> object:
        if value in known:
            return value
        *most, last = map(repr, known)
        wanted = f"{', '.join(most)} or {last}"
        if not isinstance(value, str):
            return self._blame(path, mismatch(wanted, value))
        return self._blame(path, f"must be {wanted}{suggestion(value, known)}")

    def _array(self, hint: object, value: object, path: KeyPath) -> object:
        if not isinstance(value, list):
            return self._blame(path, mismatch("an array", value))
        items = enumerate(value)
        return tuple(self.read(hint, item, (*path, index)) for index, item in items)

    def _mapping(
        self, key_hint: object, hint: object, value: object, path: KeyPath
    ) -> object:
        if not isinstance(value, dict):
            return self._blame(path, mismatch("a table", value))
        for key in value:
            self.read(key_hint, key, (*path, key))
        return {key: self.read(hint, it, (*path, key)) for key, it in value.items()}

    def _table(self, schema: type[Struct], value: object, path: KeyPath) -> object:
        if not isinstance(value, dict):
            return self._blame(path, mismatch("a table", value))
        hints = _hints(schema)
        for key in value:
            if key not in hints:
                self._unknown(key, hints, path)
        filled: dict[str, object] = {}
        for field in _fields(schema):
            name, place = field.name, (*path, field.name)
            if name in value:
                filled[name] = self.read(hints[name], value[name], place)
            elif field.required and place not in self.blamed:
                self._blame(place, "missing")
            if field.required:
                filled.setdefault(name, BAD)
            elif filled.get(name) is BAD:
                del filled[name]
        return schema(**filled)

    def _unknown(self, key: str, known: Iterable[str], path: KeyPath) -> None:
        """Blame an unknown key, and with it the key that was probably meant."""
        meant = closest(key, known)
        if meant is not None:
            self.blamed.add((*path, meant))
        self._blame((*path, key), f"unknown key{suggestion(key, known)}")
