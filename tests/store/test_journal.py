"""A writer on real files; the full disk is a real one, in a mount of its own."""

import fcntl
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

from twisted.logger import capturedLogs

import pytest
from support.uses import dispatch, use

from lightweight.records import Use
from lightweight.store import journal as journals
from lightweight.store.importer import all_records, remains_of
from lightweight.store.journal import Journal, JournalFull
from lightweight.store.segments import (
    FINISH_BYTES,
    End,
    Record,
    TooLong,
    segment_numbers,
    segment_path,
)

SMALL = 16 * 1024
PATIENCE_S = 30.0


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(tmp_path, "w1", size=SMALL)
    yield opened
    opened.close()


def records(writer: Path) -> list[Record]:
    return [
        record
        for number in segment_numbers(writer)
        for record in all_records(segment_path(writer, number))
    ]


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def spares(writer: Path) -> list[Path]:
    return list(writer.glob("*.spare"))


def test_what_is_recorded_is_there_at_once(journal: Journal, tmp_path: Path) -> None:
    journal.start(dispatch("r1"))
    assert records(tmp_path / "w1") == [dispatch("r1")]
    journal.finish(use("r1"))
    assert records(tmp_path / "w1") == [dispatch("r1"), use("r1")]


def test_a_writer_that_leaves_in_order_says_so(
    journal: Journal, tmp_path: Path
) -> None:
    journal.start(dispatch("r1"))
    journal.close()
    journal.close()
    assert records(tmp_path / "w1") == [dispatch("r1"), End()]
    assert remains_of(tmp_path / "w1").orderly
    used = segment_path(tmp_path / "w1", 1).stat().st_size
    assert 0 < used < 1000
    assert spares(tmp_path / "w1") == []


def test_nobody_else_may_see_it_and_its_lock_is_held_until_the_end(
    journal: Journal, tmp_path: Path
) -> None:
    modes = {p.name: p.stat().st_mode & 0o777 for p in tmp_path.glob("w1/*.segment")}
    assert modes == {"00000001.segment": 0o600}
    handle = os.open(tmp_path / "w1", os.O_RDONLY)
    with pytest.raises(BlockingIOError):
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    journal.close()
    fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    os.close(handle)


def test_a_child_inherits_nothing(journal: Journal, tmp_path: Path) -> None:
    wait_for(lambda: journal._spares)
    listed = subprocess.run(
        ["ls", "-l", "/proc/self/fd"],
        close_fds=False,
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(tmp_path) not in listed.stdout


def test_a_next_segment_begins_with_what_is_open(
    journal: Journal, tmp_path: Path
) -> None:
    journal.start(dispatch("long"))
    for number in range(60):
        wait_for(lambda: journal.why_full is None)
        journal.start(dispatch(f"r{number}"))
        journal.finish(use(f"r{number}"))
    numbers = segment_numbers(tmp_path / "w1")
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > 2
    for number in numbers:
        path = segment_path(tmp_path / "w1", number)
        assert path.stat().st_size == SMALL
        assert next(all_records(path)) == dispatch("long")
    ended = [r for r in records(tmp_path / "w1") if isinstance(r, Use)]
    assert ended == [use(f"r{number}") for number in range(60)]
    assert remains_of(tmp_path / "w1").unfinished == (dispatch("long"),)


def test_a_full_segment_is_put_on_disk_and_closed(
    journal: Journal, tmp_path: Path
) -> None:
    def held() -> list[str]:
        links = Path("/proc/self/fd").iterdir()
        return [t for link in links if (t := _target(link)).endswith(".segment")]

    for number in range(60):
        wait_for(lambda: journal.why_full is None)
        journal.start(dispatch(f"r{number}"))
        journal.finish(use(f"r{number}"))
    wait_for(lambda: len(held()) == 1)


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except FileNotFoundError:
        return ""


def test_a_start_is_refused_while_a_finish_might_have_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With no next segment to be had, all that was let in can still end."""

    def no_room(_fd: int, _offset: int, _length: int) -> None:
        raise OSError(28, "No space left on device")

    calls: deque[Callable[[], object]] = deque()
    journal = Journal(
        tmp_path, "w1", size=SMALL, sync_s=0.001, from_thread=calls.append
    )
    wait_for(lambda: journal._spares)
    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", no_room)
        patch.setattr(journals, "RETRY_S", 0.01)
        begun = 0
        with pytest.raises(JournalFull, match="make room"):
            while True:
                journal.start(dispatch(f"r{begun}"))
                begun += 1
        assert begun > SMALL // FINISH_BYTES  # the spare counts
        assert "has no room" in str(journal.why_full)
        wait_for(lambda: "No space left" in str(journal.why_full))
        for number in range(begun):
            # As long as a line may be.
            journal.finish(use(f"r{number}", fault="\x01" * 1000))
    assert not remains_of(tmp_path / "w1").unfinished
    wait_for(lambda: journal.why_full is None)
    journal.start(dispatch("again"))
    wait_for(lambda: len(calls) == 2)
    journal.close()
    with capturedLogs() as logged:
        while calls:
            calls.popleft()()
    assert [str(event["log_format"]).split(" (")[0] for event in logged] == [
        "The journal {directory} cannot be written",
        "The journal has room again.",
    ]


def test_what_is_recorded_on_a_full_disk_is_synced_too(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []

    def no_room(_fd: int, _offset: int, _length: int) -> None:
        raise OSError(28, "No space left on device")

    wait_for(lambda: journal._spares)
    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", no_room)
        patch.setattr(os, "fdatasync", synced.append)
        begun = 0
        while journal.why_full is None:
            journal.start(dispatch(f"r{begun}"))
            begun += 1
        wait_for(lambda: "No space left" in str(journal.why_full))
        synced.clear()
        journal.finish(use("r0"))
        wait_for(lambda: synced)
    wait_for(lambda: journal.why_full is None)


def test_many_open_calls_have_many_segments_ahead(
    journal: Journal, tmp_path: Path
) -> None:
    for number in range(15):
        wait_for(lambda: journal.why_full is None)
        journal.start(dispatch(f"r{number}"))
    wait_for(lambda: len(spares(tmp_path / "w1")) >= 3)


def test_a_disk_that_fails_holds_up_nobody_who_is_being_served(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_fd: int, _data: bytes, _offset: int) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(journals, "RETRY_S", 0.01)
    journal.start(dispatch("r1"))
    journal.start(dispatch("r2"))
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", fail)
        with pytest.raises(JournalFull, match="Input/output error"):
            journal.start(dispatch("r3"))
        journal.finish(use("r1"))
        with pytest.raises(KeyError):
            journal.finish(use("r1"))
        assert journal.why_full
    wait_for(lambda: journal.why_full is None)
    assert records(tmp_path / "w1") == [dispatch("r1"), dispatch("r2"), use("r1")]
    assert remains_of(tmp_path / "w1").unfinished == (dispatch("r2"),)


def test_a_write_cut_short_is_written_again_in_its_place(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = os.pwrite
    journal.start(dispatch("r1"))
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", lambda fd, data, at: written(fd, data[:9], at))
        with pytest.raises(JournalFull):
            journal.start(dispatch("r2"))
    journal.finish(use("r1"))
    assert records(tmp_path / "w1") == [dispatch("r1"), use("r1")]


def test_what_is_not_open_cannot_end(journal: Journal) -> None:
    with pytest.raises(KeyError):
        journal.finish(use("r1"))
    journal.start(dispatch("r1"))
    journal.finish(use("r1"))
    with pytest.raises(KeyError):
        journal.finish(use("r1"))


def test_a_start_too_long_opens_nothing(journal: Journal, tmp_path: Path) -> None:
    with pytest.raises(TooLong):
        journal.start(dispatch("r1", model="m" * 1000))
    assert records(tmp_path / "w1") == []


def test_where_no_journal_can_be_nobody_begins(tmp_path: Path) -> None:
    (tmp_path / "journal").touch()
    with pytest.raises(JournalFull, match="cannot be begun"):
        Journal(tmp_path / "journal", "w1")


def test_a_name_is_used_once(journal: Journal, tmp_path: Path) -> None:
    with pytest.raises(JournalFull, match="cannot be begun"):
        Journal(tmp_path, "w1")


FULL_DISK = """
import sys, time
from pathlib import Path
from support.uses import dispatch, use
from lightweight.store.importer import remains_of, all_records
from lightweight.store.journal import Journal, JournalFull
from lightweight.store.segments import segment_numbers, segment_path

disk = Path(sys.argv[1])
def until(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)

journal = Journal(disk / "journal", "w1", size=64 * 1024)
until(lambda: journal._spares)
journal.start(dispatch("first"))
ballast = (disk / "ballast").open("wb", buffering=0)
try:
    while True:
        ballast.write(bytes(4096))
except OSError as error:
    print("full:", error.strerror)
running, served = ["first"], 0
try:
    while True:
        journal.start(dispatch(f"r{served}"))
        running.append(f"r{served}")
        served += 1
        if len(running) > 10:
            journal.finish(use(running.pop(0)))
except JournalFull as problem:
    until(lambda: "No space left" in str(journal.why_full))
    print("refused:", "has no room" in str(problem))
assert served > 100
for name in running:
    journal.finish(use(name))
assert not remains_of(disk / "journal" / "w1").unfinished
print("in flight recorded:", len(running))
(disk / "ballast").unlink()
ballast.close()
until(lambda: journal.why_full is None)
journal.start(dispatch("again"))
journal.finish(use("again"))
journal.close()
found = set()
for number in segment_numbers(disk / "journal" / "w1"):
    for each in all_records(segment_path(disk / "journal" / "w1", number)):
        if hasattr(each, "outcome"):
            found.add(each.outcome.request_id)
assert found == {"first", "again", *(f"r{n}" for n in range(served))}
print("recovered")
"""


def test_a_full_disk(tmp_path: Path) -> None:
    """A file system of 512 KiB that only this test's process sees, filled up."""
    mount = f"mount -t tmpfs -o size=512k none {tmp_path}"
    run = f'{mount} && exec "$0" -c "$1" {tmp_path}'
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", run, sys.executable, FULL_DISK],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.stdout.splitlines() == [
        "full: No space left on device",
        "refused: True",
        "in flight recorded: 10",
        "recovered",
    ], done.stderr
