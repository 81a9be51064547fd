"""Files on the way from those who serve to the bookkeeper: prompts that are kept.

One file for each call, STATE/kept/REQUEST.json, 0600, which gets its name last. What is
lost with a process or a full disk is not kept: a prompt is no bill.
"""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from twisted.logger import Logger

from msgspec import DecodeError, json
from msgspec.structs import replace

from lightweight.records import Kept

KEPT = "kept"
"""The directory's name in the state directory."""

MOST_BYTES = 64 * 1024
"""What is kept of a prompt, and of an answer."""

SLACK = 4096
"""So much more is taken along until secrets are struck out: none is cut in two."""

WAITING = 64
"""Files that may wait to be written; what comes then is not kept."""

STRUCK = "***"
_KEY = re.compile(r"lw-[0-9A-Za-z]{40,}")
"""A key of ours, or most of one."""

_SUFFIX = ".json"


def struck(text: str, secrets: Iterable[str]) -> str:
    """Give the text without secrets and keys of ours, cut to what is kept."""
    # The longest first: one may be a part of another.
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, STRUCK)
    text = _KEY.sub(STRUCK, text)
    return text.encode()[:MOST_BYTES].decode(errors="ignore")


class Spool:
    """Writes files in threads."""

    log = Logger()

    def __init__(
        self,
        directory: Path,
        *,
        secrets: Callable[[], Iterable[str]],
        in_thread: Callable[[Callable[[], None], Callable[[], None]], None],
    ) -> None:
        """``in_thread`` does the first aside, then the second back here."""
        self._directory = directory
        self._secrets = secrets
        self._in_thread = in_thread
        self._waiting = 0
        self._failing = False

    def put(self, kept: Kept) -> None:
        """See to it that this is kept. Returns at once and raises nothing."""
        if self._waiting >= WAITING:
            self._complain("too many wait to be written")
            return
        self._waiting += 1
        secrets = tuple(self._secrets())
        problem: list[str] = []

        def work() -> None:
            try:
                write(self._directory, kept, secrets)
            except OSError as error:
                problem.append(error.strerror or "it failed")

        def done() -> None:
            self._waiting -= 1
            if problem:
                self._complain(problem[0])
            else:
                self._failing = False

        self._in_thread(work, done)

    def _complain(self, why: str) -> None:
        if not self._failing:
            self.log.error("A prompt that was to be kept is lost ({why}).", why=why)
        self._failing = True


def write(directory: Path, kept: Kept, secrets: Sequence[str]) -> None:
    """Write a file, without the secrets. Raises OSError."""
    clean = replace(
        kept,
        prompt=struck(kept.prompt, secrets),
        answer=struck(kept.answer, secrets),
    )
    directory.mkdir(mode=0o700, exist_ok=True)
    unseen = directory / f".{kept.request_id}"
    handle = os.open(unseen, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(json.encode(clean))
    except OSError:
        unseen.unlink()
        raise
    unseen.rename(directory / f"{kept.request_id}{_SUFFIX}")


def waiting(directory: Path, most: int) -> list[Path]:
    """Give some of the files that wait; none where there is no directory."""
    found: list[Path] = []
    with suppress(FileNotFoundError), os.scandir(directory) as entries:
        for entry in entries:
            if entry.name.endswith(_SUFFIX) and len(found) < most:
                found.append(Path(entry.path))
    return found


def tidy(directory: Path, before: float) -> None:
    """Remove what was begun before a time of the wall clock, and never finished.

    Raises OSError.
    """
    with suppress(FileNotFoundError), os.scandir(directory) as entries:
        for entry in entries:
            if entry.name.startswith(".") and entry.stat().st_mtime < before:
                Path(entry.path).unlink(missing_ok=True)


def read(files: Iterable[Path]) -> list[Kept]:
    """Read what can be read of the files."""
    found: list[Kept] = []
    for path in files:
        # Another bookkeeper may have been quicker.
        with suppress(OSError, DecodeError):
            found.append(json.decode(path.read_bytes(), type=Kept))
    return found
