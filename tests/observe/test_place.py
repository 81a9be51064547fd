"""Where the log goes: a file, a terminal, the journal, and in what form."""

import os
from pathlib import Path
from typing import Any

from twisted.python import usage

import pytest

from lightweight.observe.place import STDOUT, behind_journal, log_format, log_place


@pytest.mark.parametrize(
    ("twistd", "place"),
    [
        ({"nodaemon": True, "logfile": None}, STDOUT),
        ({"nodaemon": True, "logfile": "-"}, STDOUT),
        ({"nodaemon": True, "logfile": "/var/log/lw"}, Path("/var/log/lw")),
        ({"nodaemon": False, "logfile": None}, Path.cwd() / "twistd.log"),
        ({"nodaemon": False, "logfile": "lw.log"}, Path.cwd() / "lw.log"),
        ({}, STDOUT),
    ],
)
def test_twistd_says_where_the_log_goes(
    twistd: dict[str, Any], place: Path | int
) -> None:
    assert log_place(twistd) == place


def test_syslog_is_refused_with_the_way_out() -> None:
    with pytest.raises(usage.UsageError, match="systemd"):
        log_place({"syslog": True})


def test_the_journal_is_known_by_its_stream(tmp_path: Path) -> None:
    with (tmp_path / "stream").open("w") as stream:
        status = os.fstat(stream.fileno())
        journal = {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}

        assert behind_journal(stream.fileno(), journal)
        assert not behind_journal(stream.fileno(), {"JOURNAL_STREAM": "1:2"})
        assert not behind_journal(stream.fileno(), {})
        assert not behind_journal(tmp_path / "stream", journal)


def test_only_a_terminal_gets_text_by_itself(tmp_path: Path) -> None:
    controller, terminal = os.openpty()

    assert log_format("auto", terminal) == "text"
    assert log_format("auto", tmp_path / "log") == "json"
    assert log_format("text", tmp_path / "log") == "text"
    os.close(controller)
    os.close(terminal)
