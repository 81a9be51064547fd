"""The writer: lines arrive whole, secrets do not, a moved file is followed."""

import os
import socket
import threading
from pathlib import Path
from select import PIPE_BUF

from twisted.internet.task import Clock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightweight.observe.writer import (
    BACKLOG_BYTES,
    LAST_SECONDS,
    RETRY_SECONDS,
    LogWriter,
)


def test_lines_are_appended(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("before\n")
    writer = LogWriter(path)
    writer.write("one")
    writer.write("two\ud800")
    writer.close()

    assert path.read_text() == "before\none\ntwo\\ud800\n"


def test_a_moved_file_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "log"
    writer = LogWriter(path)
    writer.write("old")
    path.rename(tmp_path / "log.1")
    writer.reopen()
    writer.write("new")
    writer.close()

    assert path.read_text() == "new\n"
    assert (tmp_path / "log.1").read_text() == "old\n"


def test_secrets_are_hidden_longest_first(tmp_path: Path) -> None:
    path = tmp_path / "log"
    writer = LogWriter(path)
    writer.hide(["sk-canary", "sk-canary-long", "abc"])
    writer.write("sk-canary-long and sk-canary and abc")
    writer.close()

    assert path.read_text() == "*** and *** and abc\n"


def test_a_closed_pipe_loses_the_line_only() -> None:
    read, write = os.pipe()
    os.close(read)
    writer = LogWriter(write)
    writer.write("nobody reads this")
    writer.reopen()
    writer.close()

    os.close(write)


def filled(write: int) -> None:
    """Fill a pipe to the brim, through another description of it."""
    other = os.open(f"/proc/self/fd/{write}", os.O_WRONLY | os.O_NONBLOCK)
    while True:
        try:
            os.write(other, b"x" * 4096)
        except BlockingIOError:
            break
    os.close(other)


def taken(read: int) -> bytes:
    """Take all there is in a pipe."""
    os.set_blocking(read, False)
    found = b""
    while True:
        try:
            found += os.read(read, 65536)
        except BlockingIOError:
            return found


def test_a_stalled_pipe_is_not_waited_for_and_then_gets_everything() -> None:
    clock = Clock()
    read, write = os.pipe()
    filled(write)
    writer = LogWriter(write, clock)
    writer.write("one")
    writer.write("two")
    taken(read)
    clock.advance(RETRY_SECONDS)

    assert taken(read) == b"one\ntwo\n"
    assert clock.getDelayedCalls() == []
    assert os.get_blocking(write), "the description is shared with other processes"
    writer.close()
    os.close(read)
    os.close(write)


def test_what_is_beyond_the_backlog_is_counted_and_told_once() -> None:
    clock = Clock()
    lost = list[int]()
    read, write = os.pipe()
    filled(write)
    writer = LogWriter(write, clock, lost.append)
    line = "x" * 9_999
    for _ in range(150):
        writer.write(line)
    assert lost == []
    received = b""
    while clock.getDelayedCalls():
        received += taken(read)
        clock.advance(RETRY_SECONDS)
    received += taken(read)

    kept = received.count(b"\n")
    assert lost == [150 - kept]
    assert kept == BACKLOG_BYTES // 10_000
    writer.close()
    os.close(read)
    os.close(write)


def test_a_stalled_socket_is_not_waited_for() -> None:
    clock = Clock()
    reader, ours = socket.socketpair()
    with reader, ours:
        ours.setblocking(True)
        writer = LogWriter(ours.fileno(), clock)
        for number in range(2000):
            writer.write(f"{number}" + "x" * 400)
        reader.setblocking(False)
        received = b""
        while clock.getDelayedCalls():
            received += taken(reader.fileno())
            clock.advance(RETRY_SECONDS)
        received += taken(reader.fileno())
        writer.close()

    lines = received.splitlines()
    assert [int(line.rstrip(b"x")) for line in lines] == list(range(2000))


@given(
    st.lists(st.text("aBcZ9-é", min_size=6, max_size=9), max_size=3),
    st.lists(st.sampled_from(["a", "B", "é", " ", "secret: "]), max_size=5),
)
def test_no_secret_passes_whatever_it_is_made_of(
    secrets: list[str], words: list[str]
) -> None:
    read, write = os.pipe()
    writer = LogWriter(write)
    writer.hide(secrets)
    line = "".join(words).join(["[", *secrets, "]"])
    writer.write(line)
    writer.close()
    told = os.read(read, 4096).decode()
    assert not any(secret in told for secret in secrets)
    assert secrets or told == line + "\n"
    os.close(read)
    os.close(write)


def test_kept_lines_leave_with_the_next_and_in_order(tmp_path: Path) -> None:
    path = tmp_path / "log"
    writer = LogWriter(path)
    writer.hide(["sk-canary"])
    writer.keep(b"one sk-canary")
    writer.keep(b"two")
    assert path.read_text() == ""
    writer.flush()
    assert path.read_text() == "one ***\ntwo\n"
    writer.keep(b"three")
    writer.write("four")
    assert path.read_text() == "one ***\ntwo\nthree\nfour\n"
    writer.close()


def test_kept_lines_are_not_lost_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "log"
    writer = LogWriter(path)
    writer.keep(b"one")
    path.rename(tmp_path / "log.1")
    writer.reopen()
    writer.keep(b"two")
    writer.close()
    assert (tmp_path / "log.1").read_text() == "one\n"
    assert path.read_text() == "two\n"


def test_the_end_of_the_process_waits_for_a_slow_reader() -> None:
    read, write = os.pipe()
    filled(write)
    writer = LogWriter(write, Clock())
    lines = [f"{number} ".ljust(999, "x") for number in range(400)]
    for line in lines:
        writer.keep(line.encode())
    slow = threading.Thread(target=writer.finish)
    slow.start()
    received = b""
    while not received.endswith(lines[-1].encode() + b"\n"):
        received += os.read(read, 4096)
    slow.join()
    os.close(read)
    os.close(write)

    assert received.lstrip(b"x").decode().splitlines() == lines


def test_the_end_of_the_process_does_not_wait_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("lightweight.observe.writer.LAST_SECONDS", LAST_SECONDS / 100)
    read, write = os.pipe()
    filled(write)
    LogWriter(write, Clock()).write("nobody takes this")
    stuck = LogWriter(write, Clock())
    stuck.keep(b"nor this")
    stuck.finish()
    assert taken(read).strip(b"x") == b""

    alone = LogWriter(write)
    alone.keep(b"without a clock nobody knows how long")
    filled(write)
    alone.finish()
    os.close(read)
    os.close(write)


def test_whole_lines_share_a_write_as_far_as_a_pipe_keeps_them_together() -> None:
    reader, ours = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with reader, ours:
        writer = LogWriter(ours.fileno())
        lines = [f"{number} ".ljust(number % 90 * 11, "x") for number in range(120)]
        lines.insert(60, "y" * 2 * PIPE_BUF)
        for line in lines:
            writer.keep(line.encode())
            if line.startswith("y"):
                writer.flush()
        writer.close()
        reader.setblocking(False)
        pieces = list[bytes]()
        while True:
            try:
                pieces.append(reader.recv(65536))
            except BlockingIOError:
                break
    assert b"".join(pieces).decode().splitlines() == lines
    assert all(piece.endswith(b"\n") for piece in pieces)
    assert sum(len(piece) > PIPE_BUF for piece in pieces) == 1
    assert len(pieces) < len(lines) / 4
