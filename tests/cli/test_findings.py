"""What a look at a real directory, database or limit finds."""

import os
import shutil
from pathlib import Path

import pytest

from lightweight.cli import findings
from lightweight.cli.findings import Finding
from lightweight.config.schema import Config, Edge
from lightweight.store.connect import open_engine, sqlite_url
from lightweight.store.migrate import upgrade

ME = os.geteuid()
SERVING = {
    "last_refusal": None,
    "providers": {"acme": {"state": "closed"}},
    "pid": 7,
    "state": "serving",
    "generation": 3,
    "self_test": {"state": "passed", "problems": []},
}


def found(directory: Path, user: int = ME) -> Finding:
    first, *_ = findings.state(directory, user)
    return first


def test_a_state_directory_of_ones_own(tmp_path: Path) -> None:
    directory = tmp_path / "state"
    directory.mkdir(mode=0o700)
    pepper = directory / "pepper"
    pepper.write_text("x")
    pepper.chmod(0o600)
    assert found(directory).verdict == "ok"

    pepper.chmod(0o640)
    assert found(directory).verdict == "problem"
    assert str(pepper) in found(directory).text
    pepper.chmod(0o600)
    directory.chmod(0o755)
    assert found(directory).verdict == "problem"

    assert found(directory, user=ME + 1).verdict == "warning"
    assert "run this as that user" in found(directory, user=ME + 1).text


def test_a_state_directory_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    told = list(findings.state(tmp_path / "state", ME))
    assert [each.verdict for each in told] == ["warning"]
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    ("free", "verdict"), [(1 << 40, "ok"), (1 << 29, "warning"), (1 << 20, "problem")]
)
def test_room_on_the_disk(
    free: int, verdict: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": free})
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert list(findings.state(tmp_path, ME))[-1].verdict == verdict


def test_a_database(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path).render_as_string()
    assert findings.database(url, ME).verdict == "warning"
    assert list(tmp_path.iterdir()) == []

    engine = open_engine(url)
    assert "db upgrade" in findings.database(url, ME).text
    upgrade(engine)
    engine.dispose()
    assert findings.database(url, ME).verdict == "ok"
    assert "run this as its owner" in findings.database(url, ME + 1).text

    (tmp_path / "lightweight.db").write_bytes(b"no database" * 1000)
    assert findings.database(url, ME).verdict == "problem"


def test_a_database_out_of_reach_is_told_without_its_password() -> None:
    url = "postgresql://user:s3cr3t-word@127.0.0.1:1/none"
    told = findings.database(url, ME)
    assert told.verdict == "problem"
    assert "s3cr3t-word" not in told.text


def test_open_files() -> None:
    config = Config(edge=Edge(max_connections=1000))
    assert findings.files(config, 65536).verdict == "ok"
    told = findings.files(config, 1024)
    assert (told.verdict, "480 connections" in told.text) == ("warning", True)


def test_the_limit_of_another_process() -> None:
    assert findings.file_limit(os.getpid()) == findings.file_limit(None)
    assert findings.file_limit(2**22 + 1) > 0


def test_the_clock() -> None:
    assert findings.clock(lambda: 0).verdict == "ok"
    assert findings.clock(lambda: 5).verdict == "warning"
    assert findings.clock_state() in range(-1, 6)


@pytest.mark.parametrize(
    ("shown", "verdict", "word"),
    [
        (None, "ok", "no systemd"),
        ("LoadState=not-found\nActiveState=inactive", "warning", "not installed"),
        ("LoadState=loaded\nNeedDaemonReload=yes", "problem", "daemon-reload"),
        ("LoadState=loaded\nActiveState=failed", "problem", "is failed"),
        (
            "LoadState=loaded\nActiveState=active\nUnitFileState=disabled",
            "warning",
            "enable",
        ),
        (
            "LoadState=loaded\nActiveState=active\nUnitFileState=enabled",
            "ok",
            "in force",
        ),
    ],
)
def test_the_unit(shown: str | None, verdict: str, word: str) -> None:
    told = findings.unit(lambda: shown)
    assert (told.verdict, word in told.text) == (verdict, True)


def test_without_systemd_nothing_is_asked(tmp_path: Path) -> None:
    assert findings.unit_shown(tmp_path / "none") is None


def test_the_daemon() -> None:
    assert findings.daemon(SERVING).verdict == "ok"
    assert findings.daemon(None).verdict == "warning"
    failed = {"state": "failed", "problems": ["The limit rpm does not hold."]}
    tested = findings.daemon({**SERVING, "self_test": failed})
    assert tested.verdict == "problem"
    assert tested.text == "Its self-test failed: The limit rpm does not hold."
    refused = findings.daemon({**SERVING, "last_refusal": "a\nb"})
    assert refused.verdict == "problem"
    assert "\n" not in refused.text
    alone = findings.daemon({**SERVING, "providers": {"acme": {"state": "open"}}})
    assert (alone.verdict, "acme" in alone.text) == ("problem", True)
