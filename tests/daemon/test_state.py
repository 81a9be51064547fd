"""State: made once, private, and usable with no daemon."""

import stat
import subprocess
from pathlib import Path

import pytest

from lightweight.config.schema import Config, Keys
from lightweight.config.secret import Secret
from lightweight.daemon.state import (
    State,
    new_id,
    open_state,
)
from lightweight.store.problems import StoreProblem


def randomness(count: int) -> bytes:
    return bytes(range(count))


def opened(directory: Path) -> State:
    return open_state(Config(state=directory), {}, randomness)


def test_the_directory_is_private_and_made_once(tmp_path: Path) -> None:
    first = opened(tmp_path / "a" / "state")

    assert stat.S_IMODE(first.directory.stat().st_mode) == 0o700
    assert opened(first.directory) == first
    assert first.database.endswith("/a/state/lightweight.db")


@pytest.mark.parametrize(
    "name",
    ["", "lightweight.db", "lightweight.db-wal", "pepper", "first-run.txt", "journal"],
)
@pytest.mark.parametrize("mode", [0o740, 0o702])
def test_what_others_may_read_is_refused_with_the_command_that_shuts_it(
    name: str, mode: int, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    path = state / name
    if name == "journal":
        path.mkdir()
    elif name:
        path.write_text("p" * 40)
    path.chmod(mode)

    with pytest.raises(StoreProblem, match=f"run 'chmod go= {path}' and start again"):
        opened(state)
    subprocess.run(["/bin/sh", "-c", f"chmod go= {path}"], check=True)
    assert opened(state).directory == state


def test_what_nobody_has_to_hide_may_be_open(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o700)
    note = tmp_path / "state" / "note"
    note.write_text("")
    note.chmod(0o644)

    assert opened(tmp_path / "state")


def test_without_a_setting_the_xdg_directory_is_taken(tmp_path: Path) -> None:
    state = open_state(Config(), {"XDG_STATE_HOME": str(tmp_path)}, randomness)

    assert state.directory == tmp_path / "lightweight"


def test_a_configured_pepper_makes_no_file(tmp_path: Path) -> None:
    config = Config(state=tmp_path, keys=Keys(pepper=Secret("p" * 40)))

    assert open_state(config, {}, randomness).pepper == b"p" * 40
    assert not (tmp_path / "pepper").exists()


def test_nowhere_to_keep_state_is_one_sentence() -> None:
    with pytest.raises(StoreProblem, match="XDG_STATE_HOME or HOME"):
        open_state(Config(), {}, randomness)


def test_a_file_in_the_way_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreProblem, match="set 'state' in the configuration"):
        opened(tmp_path / "file" / "state")


def test_ids_tell_what_they_name() -> None:
    assert new_id("acct", randomness) == "acct_0001020304050607"
