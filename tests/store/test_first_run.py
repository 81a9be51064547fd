"""The file that shows the first key: whose it is."""

from pathlib import Path

from lightweight.store.first_run import write_first_run


def test_the_file_is_ours_alone(tmp_path: Path) -> None:
    path = write_first_run(tmp_path, "key: lw-…\n")
    assert path == tmp_path / "first-run.txt"
    assert path.read_text() == "key: lw-…\n"
    assert path.stat().st_mode & 0o777 == 0o600
