"""The writer: lines arrive whole, secrets do not, a moved file is followed."""

import os
from pathlib import Path

from lightweight.observe.writer import LogWriter


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
