"""The journal of one process: a use is on disk before anybody is told that it ended.

``start`` and ``finish`` are one write into a file whose room was taken long before, so
they wait for nothing and a full disk does not stop them: a start is only taken while
there is room for the finishes of all that are open. Written bytes outlive the process;
a thread makes them outlive a loss of power too, and takes room ahead.
"""

import errno
import fcntl
import os
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event, Lock, Thread

from twisted.logger import Logger

from lightweight.records import Dispatch, Use
from lightweight.store.problems import StoreProblem
from lightweight.store.segments import (
    FINISH_BYTES,
    START_BYTES,
    End,
    finish_line,
    line_of,
    segment_path,
    start_line,
)

SEGMENT_BYTES = 8 * 1024 * 1024
SYNC_S = 0.05
"""Seconds of uses that a loss of power may take."""
RETRY_S = 1.0
"""Seconds from one attempt to get room to the next, while there is none."""


class JournalFull(StoreProblem):
    """No room is left to record another use: nobody may be served."""


def _at_once(call: Callable[[], object]) -> object:
    return call()


@dataclass
class _File:
    """A segment, or a spare that will be one."""

    path: Path
    fd: int
    position: int = 0


class Journal:
    """Records what this process serves, from its making to ``close``."""

    log = Logger()

    def __init__(
        self,
        directory: Path,
        writer: str,
        *,
        size: int = SEGMENT_BYTES,
        sync_s: float = SYNC_S,
        from_thread: Callable[[Callable[[], object]], object] = _at_once,
    ) -> None:
        """Begin the journal ``directory``/``writer``, a name never used before.

        ``size`` is a segment's bytes; ``from_thread`` brings a call to where logs may
        be written, as ``reactor.callFromThread`` does. Raises JournalFull if there is
        no room at all.
        """
        self._directory = directory / writer
        self._size = size
        self._sync_s = sync_s
        self._lock = Lock()
        self._open: dict[str, bytes] = {}
        self._open_bytes = 0
        self._unwritten: dict[str, bytes] = {}
        self._spares: deque[_File] = deque()
        self._made = 0
        self._full: deque[_File] = deque()
        self._trouble: str | None = None
        self._told = False
        self._from_thread = from_thread
        self._wake = Event()
        self._closing = Event()
        try:
            self._own = _own_directory(directory, writer)
            self._current = self._allocate()
            self._number = 1
            self._current.path = self._current.path.rename(
                segment_path(self._directory, self._number)
            )
        except OSError as error:
            raise JournalFull(
                f"The journal {self._directory} cannot be begun ({error.strerror}): "
                "make room there, and let this user write to it."
            ) from error
        self._thread = Thread(target=self._look_after, name="journal", daemon=True)
        self._thread.start()
        self._wake.set()

    def start(self, dispatch: Dispatch) -> None:
        """Record that a use begins; its finish has room from now on.

        Raises JournalFull, and TooLong for what fits no line; nothing is open then.
        """
        line = start_line(dispatch)
        with self._lock:
            assert dispatch.id not in self._open
            if self._refuses(len(line)):
                raise JournalFull(self._reason())
            try:
                self._write(line)
            except OSError as error:
                self._trouble = error.strerror
                raise JournalFull(self._reason()) from error
            self._open[dispatch.id] = line
            self._open_bytes += len(line)
        if not self._wake.is_set():
            self._wake.set()

    def finish(self, use: Use) -> None:
        """Record how a use ended. Raises KeyError if it is not open.

        Where the disk itself fails the record waits in memory, and no start is taken.
        """
        line = finish_line(use)
        name = use.outcome.request_id
        with self._lock:
            if name in self._unwritten:
                raise KeyError(name)
            self._open_bytes -= len(self._open[name])
            try:
                # Its start goes along into a next segment: killed in between, the
                # writer must not seem never to have begun it.
                self._write(line)
                del self._open[name]
            except OSError as error:
                self._trouble = error.strerror
                self._unwritten[name] = line
        if not self._wake.is_set():
            self._wake.set()

    @property
    def why_full(self) -> str | None:
        """Why ``start`` would refuse, for the operator; None: it would not."""
        # Without the lock, which a start takes: this may be wrong for a moment.
        return self._reason() if self._refuses(START_BYTES) else None

    def close(self) -> None:
        """Put everything on disk and say that this writer left in order.

        Uses that are still open will be settled as aborted. Blocks for the disk.
        """
        if self._closing.is_set():
            return
        self._closing.set()
        self._wake.set()
        self._thread.join()
        for spare in self._spares:
            spare.path.unlink()
            os.close(spare.fd)
        self._spares.clear()
        try:
            self._retry()
            self._write(line_of(End()))
            os.ftruncate(self._current.fd, self._current.position)
            self._sync()
        except OSError as error:
            self._complain(error)
        finally:
            os.close(self._current.fd)
            os.close(self._own)

    # -- room ----------------------------------------------------------------------

    def _refuses(self, line: int) -> bool:
        """Tell whether a start of so many bytes could leave a finish without room.

        Each segment costs the copies of what is open, and at its end the room that the
        next record does not fit into.
        """
        if self._unwritten:
            return True
        wanted = (len(self._open) + 1) * FINISH_BYTES
        rest = self._size - self._current.position - line - FINISH_BYTES
        if rest >= wanted:
            return False
        each = self._size - self._open_bytes - line - FINISH_BYTES
        return max(rest, 0) + len(self._spares) * max(each, 0) < wanted

    def _wanted_spares(self) -> int:
        each = max(self._size - self._open_bytes - FINISH_BYTES, FINISH_BYTES)
        return 1 + len(self._open) * FINISH_BYTES // each

    def _reason(self) -> str:
        why = self._trouble or "its next segment is not ready"
        return (
            f"The journal {self._directory} has no room ({why}): make room on its file "
            "system and it goes on by itself."
        )

    def _allocate(self) -> _File:
        """Take a segment's room on disk; raise OSError."""
        self._made += 1
        path = self._directory / f"{self._made}.spare"
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.posix_fallocate(fd, 0, self._size)
        except OSError:
            os.close(fd)
            path.unlink()
            raise
        return _File(path, fd)

    # -- writing, under the lock ---------------------------------------------------

    def _write(self, line: bytes) -> None:
        file = self._current
        if self._size - file.position < len(line):
            self._next_segment()
            file = self._current
        _put(file, line)

    def _next_segment(self) -> None:
        if not self._spares:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        spare = self._spares[0]
        spare.position = 0
        _put(spare, b"".join(self._open.values()))
        # The name comes last: a segment that can be seen has all its copies.
        spare.path = spare.path.rename(segment_path(self._directory, self._number + 1))
        self._number += 1
        self._full.append(self._current)
        self._current = self._spares.popleft()

    def _retry(self) -> None:
        """Write what waits in memory; raise OSError while that is impossible."""
        while self._unwritten:
            name, line = next(iter(self._unwritten.items()))
            self._write(line)
            del self._open[name]
            del self._unwritten[name]

    # -- the thread ----------------------------------------------------------------

    def _look_after(self) -> None:
        while not self._closing.is_set():
            self._wake.wait(RETRY_S if self._trouble else None)
            self._wake.clear()
            try:
                try:
                    self._make_room()
                finally:
                    # On a full disk too.
                    self._sync()
            except OSError as error:
                self._went_wrong(error)
            else:
                self._went_well()
            self._closing.wait(self._sync_s)

    def _sync(self) -> None:
        renamed = bool(self._full)
        while self._full:
            os.fdatasync(self._full[0].fd)
            os.close(self._full.popleft().fd)
        os.fdatasync(self._current.fd)
        if renamed:
            os.fsync(self._own)

    def _make_room(self) -> None:
        while len(self._spares) < self._wanted_spares():
            self._spares.append(self._allocate())
            os.fsync(self._own)
        with self._lock:
            self._retry()

    def _went_wrong(self, error: OSError) -> None:
        self._trouble = error.strerror
        if not self._told:
            self._told = True
            self._from_thread(partial(self._complain, error))

    def _went_well(self) -> None:
        self._trouble = None
        if self._told:
            self._told = False
            self._from_thread(partial(self.log.info, "The journal has room again."))

    def _complain(self, error: OSError) -> None:
        self.log.error(
            "The journal {directory} cannot be written ({why}); calls that run are "
            "recorded as long as there is room, then new ones are refused.",
            directory=str(self._directory),
            why=error.strerror,
        )


def _own_directory(journal: Path, writer: str) -> int:
    """Make a writer's directory, locked before anybody can see it; give its lock."""
    journal.mkdir(mode=0o700, parents=True, exist_ok=True)
    unseen = journal / f".{writer}"
    unseen.mkdir(mode=0o700)
    lock = os.open(unseen, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    unseen.rename(journal / writer)
    return lock


def _put(file: _File, data: bytes) -> None:
    """Write at the file's position and move it; raise OSError, the position unmoved."""
    written = os.pwrite(file.fd, data, file.position)
    if written < len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    file.position += written
