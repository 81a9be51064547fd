"""Members of a client's JSON, read strictly: a wrong one is a BadRequest with its path.

``json_body`` has judged the text; here its values are judged one by one, so that the
client learns which of them is wrong (``input[3].content[1].type``).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

import msgspec
from msgspec import Raw

from lightweight.errors import BadRequest

_KINDS = {
    ord('"'): "a string",
    ord("{"): "an object",
    ord("["): "an array",
    ord("n"): "null",
    ord("t"): "a boolean",
    ord("f"): "a boolean",
}
_SHOWN = 64

_T = TypeVar("_T")
_STRING = msgspec.json.Decoder(str)
_FLAG = msgspec.json.Decoder(bool)
_INTEGER = msgspec.json.Decoder(int)
_NUMBER = msgspec.json.Decoder(float)
_OBJECT = msgspec.json.Decoder(dict[str, Raw])
_ARRAY = msgspec.json.Decoder(list[Raw])


class Members:
    """One object of a request, and where it stands in it.

    A member that is null counts as absent. Every method raises BadRequest for a member
    of another type.
    """

    def __init__(self, fields: Mapping[str, Raw], path: str = "") -> None:
        """``path`` is empty for the request itself."""
        self.fields = fields
        self._path = path

    def path(self, key: str) -> str:
        """Give where a member stands: ``input[3].role``."""
        return f"{self._path}.{key}" if self._path else key

    def raw(self, key: str) -> Raw | None:
        """Give a member's own bytes."""
        raw = self.fields.get(key)
        return None if raw is None or bytes(raw) == b"null" else raw

    def text(self, key: str) -> str | None:
        """Give a string."""
        return self._decoded(_STRING, key, "a string")

    def needed(self, key: str) -> str:
        """Give a string that must be there."""
        text = self.text(key)
        if text is None:
            raise missing(self.path(key))
        return text

    def flag(self, key: str) -> bool | None:
        """Give a boolean."""
        return self._decoded(_FLAG, key, "a boolean")

    def integer(self, key: str) -> int | None:
        """Give a whole number."""
        return self._decoded(_INTEGER, key, "an integer")

    def number(self, key: str) -> float | None:
        """Give a number."""
        return self._decoded(_NUMBER, key, "a number")

    def inner(self, key: str) -> "Members | None":
        """Give an object."""
        raw = self.raw(key)
        return None if raw is None else members_of(raw, self.path(key))

    def each(self, key: str) -> Iterator[tuple[str, Raw]]:
        """Give the path and the bytes of each element of an array."""
        array = self._decoded(_ARRAY, key, "an array") or ()
        for index, raw in enumerate(array):
            yield f"{self.path(key)}[{index}]", raw

    def objects(self, key: str) -> "Iterator[Members]":
        """Give each element of an array of objects."""
        for path, raw in self.each(key):
            yield members_of(raw, path)

    def _decoded(
        self, decoder: msgspec.json.Decoder[_T], key: str, expected: str
    ) -> _T | None:
        raw = self.raw(key)
        if raw is None:
            return None
        try:
            return decoder.decode(raw)
        except msgspec.ValidationError:
            raise wrong_type(self.path(key), expected, raw) from None


def members_of(raw: Raw, path: str) -> Members:
    """Give the members of an object; raise BadRequest if it is something else."""
    try:
        return Members(_OBJECT.decode(raw), path)
    except msgspec.ValidationError:
        raise wrong_type(path, "an object", raw) from None


def is_string(raw: Raw) -> bool:
    """Whether a value is a string."""
    return bytes(raw[:1]) == b'"'


def is_array(raw: Raw) -> bool:
    """Whether a value is an array."""
    return bytes(raw[:1]) == b"["


def missing(path: str) -> BadRequest:
    """Give the fault of a member that must be there."""
    return BadRequest(
        f"Missing required parameter: '{path}'.",
        param=path,
        code="missing_required_parameter",
    )


def wrong_type(path: str, expected: str, raw: Raw) -> BadRequest:
    """Give the fault of a member of another type than ``expected``."""
    got = _KINDS.get(bytes(raw)[0], "a number")
    return BadRequest(
        f"Invalid type for '{path}': expected {expected}, but got {got} instead.",
        param=path,
        code="invalid_type",
    )


def wrong_value(path: str, value: str, supported: Iterable[str]) -> BadRequest:
    """Give the fault of a string that is none of those ``supported``."""
    return BadRequest(
        f"Invalid value: '{value[:_SHOWN]}'. Supported values are: "
        f"{', '.join(map(repr, supported))}.",
        param=path,
        code="invalid_value",
    )
