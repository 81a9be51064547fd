"""A value that is used but never shown, and where it is found."""

import hmac
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from lightweight.config.words import mismatch

SOURCES = ("env", "file", "credential")
"""The keys of a table that says where a secret is."""

_SHOWN = "***"
_LARGEST = 65536
_WANTED = '{ env = "NAME" }, { file = "path" } or { credential = "name" }'


class Secret:
    """A string that prints as ``***`` everywhere; ``reveal`` alone gives the value.

    It cannot be pickled, and msgspec refuses to encode it (``enc_hook=str`` writes
    ``***``). Comparing takes the same time wherever two values differ.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Give the value: call this only where it leaves for its one purpose."""
        return self._value

    def __repr__(self) -> str:
        return _SHOWN

    def __str__(self) -> str:
        return _SHOWN

    def __format__(self, spec: str) -> str:
        return format(_SHOWN, spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(
            self._value.encode("utf-8", "surrogatepass"),
            other._value.encode("utf-8", "surrogatepass"),
        )

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce_ex__(self, protocol: object) -> str:
        raise TypeError("A Secret is not pickled: it would leave the process.")


def find_secret(value: object, directory: Path, environ: Mapping[str, str]) -> Secret:
    """Give the secret that a TOML value is or points at.

    Relative files start at ``directory``. Raises ValueError, whose text continues a
    sentence about the value and never holds it: whoever pastes a key in place of the
    name of its file or variable must not find it in a log.
    """
    if isinstance(value, str):
        return _usable(value)
    if not isinstance(value, dict):
        raise mismatch(_WANTED, value)
    if len(value) != 1:
        raise ValueError(f"must be {_WANTED}")
    ((source, name),) = value.items()
    if source not in SOURCES or not isinstance(name, str) or not name or "\0" in name:
        raise ValueError(f"must be {_WANTED}")
    if source == "env":
        return _usable(_variable(name, environ))
    if source == "file":
        return _usable(_file(name, directory))
    return _usable(_credential(name, environ))


def _variable(name: str, environ: Mapping[str, str]) -> str:
    value = environ.get(name)
    if value:
        return value
    shown = f" {name}" if re.fullmatch(r"[A-Z][A-Z0-9_]*", name) else ""
    state = "not set" if value is None else "empty"
    raise ValueError(
        f"the environment variable{shown} is {state}: set it for the daemon, or take "
        f"this line out"
    )


def _file(name: str, directory: Path) -> str:
    try:
        return _read(directory / name)
    except OSError as error:
        raise ValueError(
            f"the file cannot be read ({error.strerror}): write the secret into it for "
            f"the daemon's user (a relative name starts at {directory.absolute()})"
        ) from None


def _credential(name: str, environ: Mapping[str, str]) -> str:
    directory = environ.get("CREDENTIALS_DIRECTORY")
    if not directory:
        raise ValueError(
            "CREDENTIALS_DIRECTORY is not set: systemd sets it for a unit with "
            "LoadCredential=, elsewhere use { file = … }"
        )
    if "/" in name or name in {".", ".."}:
        raise ValueError("the name of a credential has no slash and is not a directory")
    try:
        return _read(Path(directory) / name)
    except OSError as error:
        raise ValueError(
            f"the credential cannot be read ({error.strerror}): add it to the unit "
            f"with LoadCredential="
        ) from None


def _read(path: Path) -> str:
    """Give a file's text without its last newline."""
    with path.open("rb") as file:
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise ValueError("the file is larger than 64 KiB: a secret is one line")
    return content.decode("latin-1").removesuffix("\n").removesuffix("\r")


def _usable(value: str) -> Secret:
    """Refuse what could not be sent in a header."""
    if not value:
        raise ValueError("is empty")
    if not value.isascii() or not value.isprintable():
        raise ValueError("must be one line of printable ASCII text")
    return Secret(value)
