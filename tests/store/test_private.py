import os
from pathlib import Path

import pytest

from lightweight.store.private import create_private, write_private


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.fixture(autouse=True)
def _open_umask() -> object:
    """The mode must not come from a careful umask."""
    before = os.umask(0)
    yield
    os.umask(before)


def test_write_makes_a_file_that_only_we_read(tmp_path: Path) -> None:
    write_private(tmp_path / "f", b"secret")
    assert (tmp_path / "f").read_bytes() == b"secret"
    assert mode(tmp_path / "f") == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_write_replaces_and_closes_what_was_open_to_all(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"a longer text than the new one")
    (tmp_path / "f").chmod(0o644)
    write_private(tmp_path / "f", b"new")
    assert (tmp_path / "f").read_bytes() == b"new"
    assert mode(tmp_path / "f") == 0o600


def test_write_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "f").mkdir()
    with pytest.raises(OSError):
        write_private(tmp_path / "f", b"secret")
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_create_makes_a_file_that_only_we_read(tmp_path: Path) -> None:
    assert create_private(tmp_path / "f", b"secret")
    assert (tmp_path / "f").read_bytes() == b"secret"
    assert mode(tmp_path / "f") == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_create_leaves_what_is_there(tmp_path: Path) -> None:
    assert create_private(tmp_path / "f", b"first")
    assert not create_private(tmp_path / "f", b"second")
    assert (tmp_path / "f").read_bytes() == b"first"
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_no_directory_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        create_private(tmp_path / "none" / "f", b"x")
