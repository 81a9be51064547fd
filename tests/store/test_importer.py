"""Journals of real files into real databases, with passes repeated and interleaved."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from zlib import crc32

import pytest
from sqlalchemy import select
from support.uses import NOON, dispatch, use

from lightweight.records import Usage
from lightweight.store.connect import Engine, reading, writing
from lightweight.store.importer import (
    CHUNK,
    Imported,
    Left,
    Plan,
    Position,
    aborted,
    carry_out,
    read_positions,
    survey,
    unfinished,
)
from lightweight.store.journal import Journal
from lightweight.store.ledger import ROWS
from lightweight.store.problems import StoreUnusable
from lightweight.store.reconcile import reconcile
from lightweight.store.schema import uses
from lightweight.store.segments import End, line_of, segment_numbers, segment_path

SMALL = 64 * 1024
PATIENCE = 3000
"""Waits of 10 ms for room in a journal of such small segments."""


def surveyed(engine: Engine, journal: Path) -> Plan:
    with reading(engine) as connection:
        return survey(connection, journal)


def carried_out(engine: Engine, plan: Plan) -> Imported:
    with writing(engine) as connection:
        return carry_out(connection, plan)


def import_all(engine: Engine, journal: Path) -> list[Imported]:
    """Make passes until one finds nothing to do."""
    passes = []
    while not (plan := surveyed(engine, journal)).empty:
        passes.append(carried_out(engine, plan))
    return passes


def ids(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return list(connection.execute(select(uses.c.id).order_by(uses.c.id)).scalars())


def endings(engine: Engine) -> dict[str, str]:
    with reading(engine) as connection:
        return {r.id: r.ending for r in connection.execute(select(uses))}


def serve(journal: Journal, *names: str) -> None:
    for name in names:
        for _ in range(PATIENCE):
            if journal.why_full is None:
                break
            time.sleep(0.01)
        journal.start(dispatch(name))
        journal.finish(use(name))


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[[str], Journal]]:
    begun = []

    def begin(writer: str) -> Journal:
        begun.append(Journal(tmp_path / "journal", writer, size=SMALL))
        return begun[-1]

    yield begin
    for journal in begun:
        journal.close()


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal"


DIE = """
import os, signal, sys
from pathlib import Path
from support.uses import dispatch, use
from lightweight.store.journal import Journal
journal = Journal(Path(sys.argv[1]), "dead", size=65536)
for n in range(3):
    journal.start(dispatch(f"open{n}", tokens=100 + n))
journal.start(dispatch("done"))
journal.finish(use("done"))
os.kill(os.getpid(), signal.SIGKILL)
"""


def die(journal: Path) -> None:
    """Let a process begin four calls, end one and be killed."""
    done = subprocess.run(
        [sys.executable, "-c", DIE, journal],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL


def test_nothing_there_is_nothing_to_do(engine: Engine, journal: Path) -> None:
    assert surveyed(engine, journal).empty
    assert unfinished(journal) == []


def test_what_a_living_writer_records_is_imported_as_it_comes(
    engine: Engine, journal: Path, begin: Callable[[str], Journal]
) -> None:
    writer = begin("w1")
    serve(writer, "r1", "r2")
    writer.start(dispatch("open"))
    [first] = import_all(engine, journal)
    assert [u.outcome.request_id for u in first.uses] == ["r1", "r2"]
    assert (first.aborted, first.left) == ((), ())
    assert surveyed(engine, journal).empty
    assert unfinished(journal) == [dispatch("open")]
    writer.finish(use("open"))
    [second] = import_all(engine, journal)
    assert second.uses == (use("open"),)
    assert ids(engine) == ["open", "r1", "r2"]


def test_a_writer_that_left_is_forgotten_with_its_files(
    engine: Engine, journal: Path, begin: Callable[[str], Journal]
) -> None:
    serve(begin("w1"), "r1")
    writer = begin("w2")
    serve(writer, "r2")
    writer.close()
    passes = import_all(engine, journal)
    assert [p.left for p in passes if p.left] == [(Left("w2", orderly=True),)]
    assert [p.name for p in journal.iterdir()] == ["w1"]
    with reading(engine) as connection:
        assert list(read_positions(connection)) == ["w1"]
    assert ids(engine) == ["r1", "r2"]


def test_what_a_dead_process_left_open_is_billed_as_reserved(
    engine: Engine, journal: Path
) -> None:
    die(journal)
    assert unfinished(journal) == []
    passes = import_all(engine, journal)
    assert [p.left for p in passes if p.left] == [(Left("dead", orderly=False),)]
    settled = [each for p in passes for each in p.aborted]
    assert settled == [aborted(dispatch(f"open{n}", tokens=100 + n)) for n in range(3)]
    assert settled[1].outcome.usage == Usage(fresh=101)
    assert settled[1].outcome.provenance == "estimated"
    assert (settled[1].at, settled[1].micro_usd) == (NOON, 250)
    assert endings(engine) == {
        "done": "finished",
        "open0": "aborted",
        "open1": "aborted",
        "open2": "aborted",
    }
    assert not list(journal.iterdir())
    with reading(engine) as connection:
        assert reconcile(connection, journal).agree


def test_a_living_writers_calls_are_not_settled(
    engine: Engine, journal: Path, begin: Callable[[str], Journal]
) -> None:
    begin("w1").start(dispatch("open"))
    import_all(engine, journal)
    assert ids(engine) == []


def test_segments_are_deleted_only_when_they_are_in_the_ledger(
    engine: Engine, journal: Path, begin: Callable[[str], Journal]
) -> None:
    """The long call's start goes from segment to segment until it ends."""
    writer = begin("w1")
    writer.start(dispatch("long"))
    names = [f"r{n:03}" for n in range(300)]
    serve(writer, *names)
    assert len(segment_numbers(journal / "w1")) > 1
    plan = surveyed(engine, journal)
    numbers = segment_numbers(journal / "w1")
    carried_out(engine, plan)
    # Not in the transaction that imports them.
    assert segment_numbers(journal / "w1") == numbers
    import_all(engine, journal)
    assert segment_numbers(journal / "w1") == numbers[-1:]
    assert ids(engine) == names
    assert unfinished(journal) == [dispatch("long")]
    writer.close()
    passes = import_all(engine, journal)
    assert [u for p in passes for u in p.aborted] == [aborted(dispatch("long"))]


def test_a_finish_in_a_later_segment_ends_its_start(
    engine: Engine, journal: Path, begin: Callable[[str], Journal]
) -> None:
    writer = begin("w1")
    writer.start(dispatch("long"))
    names = [f"r{n:03}" for n in range(100)]
    serve(writer, *names)
    assert len(segment_numbers(journal / "w1")) > 1
    writer.finish(use("long"))
    writer.close()
    passes = import_all(engine, journal)
    assert [p.aborted for p in passes if p.aborted] == []
    assert ids(engine) == ["long", *names]


def test_a_big_backlog_comes_in_parts(
    engine: Engine, journal: Path, begin: Callable[[str], Journal]
) -> None:
    (journal / "w0").mkdir(parents=True)
    names = [f"r{n:04}" for n in range(2 * ROWS + 7)]
    segment_path(journal / "w0", 1).write_bytes(
        b"".join(line_of(dispatch(n)) + line_of(use(n)) for n in names)
    )
    serve(begin("w1"), "s")
    plan = surveyed(engine, journal)
    assert (len(plan.uses), plan.more) == (ROWS, True)
    passes = import_all(engine, journal)
    assert max(len(p.uses) for p in passes) == ROWS
    assert ids(engine) == [*names, "s"]


@contextmanager
def alive(journal: Path, *lines: bytes) -> Iterator[Path]:
    """Give a segment with these lines, of a writer that lives."""
    (journal / "w0").mkdir(parents=True)
    path = segment_path(journal / "w0", 1)
    path.write_bytes(b"".join(lines) + bytes(CHUNK))
    lock = os.open(journal / "w0", os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield path
    finally:
        os.close(lock)


def test_a_living_writers_backlog_comes_in_parts_too(
    engine: Engine, journal: Path
) -> None:
    names = [f"r{n:04}" for n in range(ROWS + 7)]
    lines = [line_of(dispatch(n)) + line_of(use(n)) for n in names]
    assert len(b"".join(lines)) > 2 * CHUNK
    with alive(journal, *lines):
        passes = [surveyed(engine, journal)]
        carried_out(engine, passes[0])
        passes.append(surveyed(engine, journal))
        carried_out(engine, passes[1])
        assert surveyed(engine, journal).empty
    assert [(len(p.uses), p.more) for p in passes] == [(ROWS, True), (7, False)]
    assert ids(engine) == names


def test_lines_of_a_living_writer_that_another_version_wrote_wait_for_it(
    engine: Engine, journal: Path
) -> None:
    """While one release follows another, the newer bookkeeper will read them."""
    unknown = line_of(End()).replace(b"end", b"eNd")
    text = unknown[:-10]
    unknown = b"%b %08x\n" % (text, crc32(text))
    with alive(journal, line_of(use("r1")), unknown, line_of(use("r2"))):
        import_all(engine, journal)
        assert ids(engine) == ["r1"]
    last = import_all(engine, journal)
    assert ids(engine) == ["r1", "r2"]
    assert [each.left for each in last if each.left] == [(Left("w0", orderly=False),)]


def test_passes_repeated_and_overtaken_add_nothing(
    engine: Engine, journal: Path, begin: Callable[[str], Journal]
) -> None:
    writer = begin("w1")
    serve(writer, "r1")
    early = surveyed(engine, journal)
    serve(writer, "r2")
    late = surveyed(engine, journal)
    assert len(carried_out(engine, late).uses) == 2
    assert carried_out(engine, early).uses == ()
    assert surveyed(engine, journal).empty, "the position went back"
    assert carried_out(engine, late).uses == ()
    serve(writer, "r3")
    writer.close()
    last = surveyed(engine, journal)
    carried_out(engine, last)
    cleared = surveyed(engine, journal)
    carried_out(engine, cleared)
    assert carried_out(engine, cleared) == Imported(uses=(), aborted=(), left=())
    assert carried_out(engine, last).uses == ()
    assert ids(engine) == ["r1", "r2", "r3"]
    with reading(engine) as connection:
        assert reconcile(connection, journal).agree


def test_a_pass_that_is_not_committed_never_was(
    engine: Engine, journal: Path, begin: Callable[[str], Journal]
) -> None:
    serve(begin("w1"), "r1")
    plan = surveyed(engine, journal)
    with pytest.raises(ZeroDivisionError), writing(engine) as connection:
        carry_out(connection, plan)
        raise ZeroDivisionError
    assert ids(engine) == []
    [again] = import_all(engine, journal)
    assert again.uses == (use("r1"),)


def test_a_late_finish_of_a_settled_call_changes_nothing(
    engine: Engine, journal: Path, begin: Callable[[str], Journal]
) -> None:
    die(journal)
    import_all(engine, journal)
    serve(begin("w2"), "open1")
    import_all(engine, journal)
    assert endings(engine)["open1"] == "aborted"
    with reading(engine) as connection:
        assert reconcile(connection, journal).agree


def test_a_line_half_seen_is_waited_for_and_a_lost_one_is_told(
    engine: Engine, journal: Path, begin: Callable[[str], Journal]
) -> None:
    serve(begin("w1"), "r1")
    path = segment_path(journal / "w1", 1)
    lines = line_of(dispatch("r2")), line_of(use("r2")), line_of(use("r3"))
    at = path.read_bytes().index(b"\0")
    with path.open("r+b") as file:
        file.seek(at + len(lines[0]))
        file.write(b"".join(lines[1:]))
    import_all(engine, journal)
    assert ids(engine) == ["r1"]
    with path.open("r+b") as file:
        file.seek(at)
        file.write(lines[0])
    import_all(engine, journal)
    assert ids(engine) == ["r1", "r2", "r3"]


def test_what_the_disk_lost_is_counted_and_does_not_stop_the_rest(
    engine: Engine, journal: Path
) -> None:
    (journal / "w0").mkdir(parents=True)
    segment_path(journal / "w0", 1).write_bytes(
        line_of(use("r1")) + b"garbage\n" + bytes(5000) + line_of(use("r2"))
    )
    plan = surveyed(engine, journal)
    assert plan.broken == 1
    carried_out(engine, plan)
    assert ids(engine) == ["r1", "r2"]


def test_a_writer_killed_before_its_first_segment_leaves_nothing(
    engine: Engine, journal: Path
) -> None:
    (journal / "w0").mkdir(parents=True)
    (journal / "w0" / "1.spare").touch()
    import_all(engine, journal)
    assert not list(journal.iterdir())


def test_positions_of_segments_that_are_gone_are_not_believed(
    engine: Engine, journal: Path
) -> None:
    """As after an older state directory was restored."""
    (journal / "w0").mkdir(parents=True)
    segment_path(journal / "w0", 3).write_bytes(line_of(use("r1")))
    with writing(engine) as connection:
        carry_out(connection, Plan(positions={"w0": Position(segment=7, position=99)}))
    import_all(engine, journal)
    assert ids(engine) == ["r1"]


def test_a_journal_that_cannot_be_read_is_told_in_a_sentence(
    engine: Engine, journal: Path
) -> None:
    journal.mkdir()
    (journal / "w0").touch()
    with pytest.raises(StoreUnusable, match="cannot be read"):
        surveyed(engine, journal)
