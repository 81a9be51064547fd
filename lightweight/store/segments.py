"""The journal's form on disk: who writes and who reads it agree here.

STATE/journal/WRITER/00000001.segment, …; WRITER is one process's life. The directory is
locked (flock) as long as its writer lives. A segment begins with a copy of every start
that was open when it began, so it stands alone: those before it may go once they are
read. A line is a word, a record in JSON, its CRC-32 and a newline; what follows the
last line of a segment is zeros.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias
from zlib import crc32

from msgspec import DecodeError, Struct, json
from msgspec.structs import replace

from lightweight.records import Attempted, Dispatch, Use
from lightweight.store.problems import StoreProblem

JOURNAL = "journal"
"""The directory's name in the state directory."""

SUFFIX = ".segment"

START_BYTES = 768
"""The longest line of a start."""
FINISH_BYTES = 2048
"""The longest line of a finish: so much is kept free for each open start."""

KEPT_ATTEMPTS = 6
KEPT_CHARACTERS = 100
"""What is kept of attempts and faults where a line would be too long."""


class End(Struct, frozen=True):
    """The last line of a writer that left in order."""


Record: TypeAlias = Dispatch | Use | End

_WORDS: dict[type[Record], bytes] = {Dispatch: b"start", Use: b"finish", End: b"end"}
_DECODERS: dict[bytes, json.Decoder[Record]] = {
    word: json.Decoder(kind) for kind, word in _WORDS.items()
}
_BEGINNINGS = {kind: word + b" " for kind, word in _WORDS.items()}
_START = _BEGINNINGS[Dispatch]
_CHECK_BYTES = len(b" 01234567")
_encode = json.Encoder().encode


class TooLong(StoreProblem):
    """A start that no line can hold."""


# -- lines -------------------------------------------------------------------------


def line_of(record: Record) -> bytes:
    """Give the line of a record, however long."""
    text = _BEGINNINGS[type(record)] + _encode(record)
    return text + b" %08x\n" % crc32(text)


def start_line(dispatch: Dispatch) -> bytes:
    """Give the line of a start; raise TooLong if it has more than START_BYTES."""
    line = line_of(dispatch)
    if len(line) > START_BYTES:
        raise TooLong(
            "A use cannot be recorded since the model's name is too long: give it a "
            "shorter one in the configuration."
        )
    return line


def finish_line(use: Use) -> bytes:
    """Give the line of a finish, at most FINISH_BYTES: what is too long is cut.

    The numbers and what its start had are always whole.
    """
    try:
        line = line_of(use)
        if len(line) <= FINISH_BYTES:
            return line
    except UnicodeEncodeError:
        pass  # a fault may quote anything
    outcome = use.outcome
    short = replace(
        outcome,
        provider=_cut(outcome.provider),
        upstream_model=_cut(outcome.upstream_model),
        fault=_cut(outcome.fault),
        attempts=tuple(_short(each) for each in outcome.attempts[-KEPT_ATTEMPTS:]),
    )
    line = line_of(replace(use, outcome=short))
    if len(line) <= FINISH_BYTES:
        return line
    bare = replace(short, provider=None, upstream_model=None, attempts=())
    return line_of(replace(use, outcome=bare))


def records_in(data: bytes, *, live: bool) -> Iterator[tuple[Record | None, int]]:
    """Give each line's record and the position after it; None for a broken line.

    ``live`` as for ``lines_in``.
    """
    for line, end in lines_in(data, live=live):
        record = record_of(line)
        if live and record is None:
            return
        yield record, end


def lines_in(data: bytes, *, live: bool) -> Iterator[tuple[bytes | None, int]]:
    """Give each line for ``record_of``, and the position after it; None: it is broken.

    ``live``: somebody may be writing into ``data``. A reader then may see a later page
    before an earlier one, so what looks broken ends the reading; it is whole next time.
    """
    begin = 0
    while (end := data.find(b"\n", begin)) >= 0:
        line = data[begin:end]
        if not live:
            # A page that a loss of power took is zeros; what follows may be whole.
            line = line.rpartition(b"\0")[2]
        text = line[:-_CHECK_BYTES]
        if line[-_CHECK_BYTES:] == b" %08x" % crc32(text):
            begin = end + 1
            yield text, begin
        elif live:
            return
        else:
            begin = end + 1
            yield None, begin


def is_start(line: bytes) -> bool:
    """Tell whether the line has a Dispatch."""
    return line.startswith(_START)


def record_of(line: bytes | None) -> Record | None:
    """Give a line's record; None where it is broken, or another version's."""
    if line is None:
        return None
    word, _, body = line.partition(b" ")
    try:
        return _DECODERS[word].decode(body)
    except (KeyError, DecodeError):
        return None


def _cut(text: str | None) -> str | None:
    if text is None:
        return None
    return text[:KEPT_CHARACTERS].encode("utf-8", "replace").decode()


def _short(attempt: Attempted) -> Attempted:
    return replace(
        attempt,
        provider=_cut(attempt.provider),
        model=_cut(attempt.model),
        fault=_cut(attempt.fault),
        left_out=(),
    )


# -- files -------------------------------------------------------------------------


def segment_path(directory: Path, number: int) -> Path:
    """Give the path of a writer's segment; they count from 1."""
    return directory / f"{number:08}{SUFFIX}"


def segment_numbers(directory: Path) -> list[int]:
    """Give the numbers of a writer's segments in order; [] if it is gone."""
    return sorted(int(path.stem) for path in directory.glob(f"*{SUFFIX}"))


def writer_names(journal: Path) -> list[str]:
    """Give the names of all writers that left something, in a fixed order."""
    # A name with a dot belongs to a writer that has not taken its lock yet.
    return sorted(p.name for p in journal.glob("*") if not p.name.startswith("."))
