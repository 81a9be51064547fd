"""Reading the journals into the ledger, whoever is killed when.

``survey`` reads what is new and changes nothing; ``carry_out`` writes it, with how far
each journal was read, in one transaction. Doing either twice, or twice at once, adds
nothing: a request id has one row. A writer whose lock is free is dead; what it began
and never ended is settled as aborted. Files go when a later pass sees that what they
held is committed.
"""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from shutil import rmtree

from msgspec import Struct
from msgspec.structs import asdict, replace
from sqlalchemy import Connection, Dialect, and_, delete, or_, select

from lightweight.records import Dispatch, Outcome, Usage, Use
from lightweight.store.bulk import ENGINES, Prepared, insert_into, prepared, put
from lightweight.store.ledger import ROWS, record
from lightweight.store.problems import StoreUnusable
from lightweight.store.schema import journal_positions
from lightweight.store.segments import (
    SUFFIX,
    Record,
    is_start,
    lines_in,
    record_of,
    records_in,
    segment_numbers,
    segment_path,
    writer_names,
)

CHUNK = 64 * 1024
"""Bytes read at once of a segment that is being written."""

ABORTED = "The process that served this call died before it ended."


class Position(Struct, frozen=True, kw_only=True):
    """How far a writer's journal was read."""

    segment: int = 0
    position: int = 0
    """Bytes of that segment."""
    done: bool = False
    """The writer is dead and nothing is left to read."""


class Left(Struct, frozen=True):
    """A writer that is gone."""

    writer: str
    orderly: bool
    """It closed its journal itself."""


class Remains(Struct, frozen=True):
    """What a journal says of its writer's end."""

    unfinished: tuple[Dispatch, ...]
    orderly: bool


class Plan(Struct, frozen=True, kw_only=True):
    """What a pass found, to be written in one transaction."""

    uses: tuple[Use, ...] = ()
    aborted: tuple[Use, ...] = ()
    """Settled with what was reserved."""
    positions: Mapping[str, Position] = {}
    left: tuple[Left, ...] = ()
    obsolete: tuple[Path, ...] = ()
    """Segments, and directories of writers, that the ledger holds already."""
    forgotten: tuple[str, ...] = ()
    """Writers whose directories are among them."""
    broken: int = 0
    """Lines that nobody can read any more."""
    more: bool = False
    """There was more than one transaction takes."""

    @property
    def empty(self) -> bool:
        """Nothing is to be done."""
        return not (self.positions or self.obsolete)


class Imported(Struct, frozen=True, kw_only=True):
    """What a transaction changed."""

    uses: tuple[Use, ...]
    """New rows, the aborted ones among them."""
    aborted: tuple[Use, ...]
    """Those of them that were settled."""
    left: tuple[Left, ...]


def survey(connection: Connection, journal: Path) -> Plan:
    """Give what the journals have that the ledger has not, ROWS finishes at most.

    Raises StoreUnusable where they cannot be read.
    """
    known = read_positions(connection)
    found = _Pass()
    with told_of(journal):
        for writer in writer_names(journal):
            # Another importer of this machine may have been quicker.
            with suppress(FileNotFoundError), opened(journal / writer) as dead:
                found.look(journal / writer, known.get(writer, Position()), dead=dead)
    return found.plan()


def read_positions(connection: Connection) -> dict[str, Position]:
    """Give how far each writer's journal was read, by the writer's name."""
    return {
        row.writer: Position(segment=row.segment, position=row.position, done=row.done)
        for row in connection.execute(select(journal_positions))
    }


def carry_out(connection: Connection, plan: Plan) -> Imported:
    """Write what a survey found and delete what is no longer needed.

    Raises StoreUnusable where files cannot be deleted.
    """
    for path in plan.obsolete:
        with told_of(path), suppress(FileNotFoundError):
            _remove(path)
    if plan.forgotten:
        gone = journal_positions.c.writer.in_(plan.forgotten)
        connection.execute(delete(journal_positions).where(gone))
    new = record(connection, (*plan.uses, *plan.aborted))
    _move(connection, plan.positions)
    settled = {use.outcome.request_id for use in plan.aborted}
    return Imported(
        uses=tuple(new),
        aborted=tuple(use for use in new if use.outcome.request_id in settled),
        left=plan.left,
    )


def unfinished(journal: Path) -> list[Dispatch]:
    """Give what living writers began and did not end yet.

    Raises StoreUnusable where the journals cannot be read.
    """
    found: list[Dispatch] = []
    with told_of(journal):
        for writer in writer_names(journal):
            with suppress(FileNotFoundError), opened(journal / writer) as dead:
                if not dead:
                    found += remains_of(journal / writer).unfinished
    return found


def remains_of(directory: Path) -> Remains:
    """Give what one writer's journal says of its end. Raises OSError."""
    began: dict[str, Dispatch] = {}
    ended: set[str] = set()
    orderly = False
    for number in segment_numbers(directory):
        for found in all_records(segment_path(directory, number)):
            if isinstance(found, Dispatch):
                began[found.id] = found
            elif isinstance(found, Use):
                ended.add(found.outcome.request_id)
            else:
                orderly = True
    return Remains(
        tuple(each for name, each in began.items() if name not in ended), orderly
    )


def all_records(path: Path) -> Iterator[Record]:
    """Give every whole record of a segment; none if it is gone. Raises OSError."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return
    for found, _ in records_in(data, live=False):
        if found is not None:
            yield found


def aborted(dispatch: Dispatch) -> Use:
    """Settle what its process left open: as reserved, the tokens all as prompt."""
    outcome = Outcome(
        request_id=dispatch.id,
        account_id=dispatch.account_id,
        key_id=dispatch.key_id,
        model=dispatch.model,
        provider=None,
        upstream_model=None,
        dialect=dispatch.dialect,
        stream=dispatch.stream,
        status=500,
        ending="aborted",
        fault=ABORTED,
        usage=Usage(fresh=dispatch.tokens),
        provenance="estimated",
        first_byte_s=None,
        duration_s=0.0,
    )
    return Use(outcome=outcome, at=dispatch.at, micro_usd=dispatch.micro_usd)


@contextmanager
def opened(directory: Path) -> Iterator[bool]:
    """Tell whether a writer is dead. Raises OSError."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)


class _Pass:
    """Gathers a Plan, writer after writer."""

    def __init__(self) -> None:
        self._uses: list[Use] = []
        self._aborted: list[Use] = []
        self._positions: dict[str, Position] = {}
        self._left: list[Left] = []
        self._obsolete: list[Path] = []
        self._forgotten: list[str] = []
        self._broken = 0
        self._more = False

    def plan(self) -> Plan:
        return Plan(
            uses=tuple(self._uses),
            aborted=tuple(self._aborted),
            positions=self._positions,
            left=tuple(self._left),
            obsolete=tuple(self._obsolete),
            forgotten=tuple(self._forgotten),
            broken=self._broken,
            more=self._more,
        )

    def look(self, directory: Path, known: Position, *, dead: bool) -> None:
        if known.done:
            self._obsolete.append(directory)
            self._forgotten.append(directory.name)
            return
        numbers = segment_numbers(directory)
        at = known
        if numbers and known.segment not in numbers:
            at = Position(segment=numbers[0])
        self._obsolete += [
            segment_path(directory, number) for number in numbers if number < at.segment
        ]
        left_over = False
        while numbers and not left_over:
            complete = at.segment < numbers[-1]
            at, left_over = self._read(directory, at, live=not (dead or complete))
            if left_over or not complete:
                break
            at = Position(segment=at.segment + 1)
        if dead and not left_over:
            remains = remains_of(directory)
            self._aborted += map(aborted, remains.unfinished)
            self._left.append(Left(directory.name, remains.orderly))
            at = replace(at, done=True)
        self._more |= left_over
        if at != known:
            self._positions[directory.name] = at

    def _read(
        self, directory: Path, at: Position, *, live: bool
    ) -> tuple[Position, bool]:
        """Read on in one segment; tell how far, and whether something is left there."""
        with segment_path(directory, at.segment).open("rb", buffering=0) as file:
            while True:
                file.seek(at.position)
                data = file.read(CHUNK if live else -1)
                read, full = self._take(data, live=live)
                at = replace(at, position=at.position + read)
                # What was not written yet is zeros.
                if full or not (live and read and len(data) == CHUNK and data[-1]):
                    return at, full

    def _take(self, data: bytes, *, live: bool) -> tuple[int, bool]:
        """Keep the uses of these lines; tell how far, and whether there was no room."""
        read = 0
        for line, end in lines_in(data, live=live):
            # Only a dead writer's starts say something; they are read then.
            if not live or line is None or not is_start(line):
                found = record_of(line)
                if found is None and live:
                    break
                if isinstance(found, Use):
                    if len(self._uses) >= ROWS:
                        return read, True
                    self._uses.append(found)
                self._broken += found is None
            read = end
        return read, False


def _move(connection: Connection, positions: Mapping[str, Position]) -> None:
    put(
        connection,
        _moving(connection.dialect),
        [
            {"writer": writer, **asdict(position)}
            for writer, position in sorted(positions.items())
        ],
    )


@lru_cache(ENGINES)
def _moving(dialect: Dialect) -> Prepared:
    insert = insert_into(dialect, journal_positions)
    old, new = journal_positions.c, insert.excluded
    return prepared(
        dialect,
        insert.on_conflict_do_update(
            index_elements=journal_positions.primary_key,
            set_={name: new[name] for name in ("segment", "position", "done")},
            # Another importer of this machine may have been quicker.
            where=or_(
                old.segment < new.segment,
                and_(old.segment == new.segment, old.position < new.position),
                new.done,
            ),
        ),
    )


def _remove(path: Path) -> None:
    if path.suffix != SUFFIX:
        rmtree(path)
        return
    # The next segment has copies of what was open here: they must last first.
    for kept in (segment_path(path.parent, int(path.stem) + 1), path.parent):
        handle = os.open(kept, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    path.unlink()


@contextmanager
def told_of(what: Path) -> Iterator[None]:
    """Turn an error of the file system into a sentence."""
    try:
        yield
    except OSError as error:
        raise StoreUnusable(
            f"The journal {what} cannot be read or cleared ({error.strerror})."
        ) from error
