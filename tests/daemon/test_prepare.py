"""A state made ready: migrated, with one first key."""

import stat
from pathlib import Path

import pytest

from lightweight.config.schema import Config
from lightweight.daemon.prepare import make_first_key, open_database
from lightweight.daemon.state import State, open_state
from lightweight.store.accounts import list_accounts
from lightweight.store.api_keys import list_keys
from lightweight.store.connect import reading
from lightweight.store.first_run import FirstRun
from lightweight.store.problems import StoreProblem


def randomness(count: int) -> bytes:
    return bytes(range(count))


def opened(directory: Path) -> State:
    return open_state(Config(state=directory), {}, randomness)


def test_the_first_start_makes_one_key_and_later_ones_none(tmp_path: Path) -> None:
    state = opened(tmp_path)

    def describe(made: FirstRun) -> str:
        return made.secret

    path = make_first_key(state, describe, now=1.0, random_bytes=randomness)
    assert path is not None
    assert path.read_text().startswith("lw-")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert make_first_key(state, describe, now=2.0, random_bytes=randomness) is None
    engine = open_database(state)
    with reading(engine) as connection:
        assert [each.name for each in list_accounts(connection)] == ["default"]
        assert len(list_keys(connection, "default")) == 1
    engine.dispose()


def test_a_key_that_cannot_be_shown_is_not_made(tmp_path: Path) -> None:
    state = opened(tmp_path)

    def fail(made: FirstRun) -> str:
        raise StoreProblem(f"No room for {made.key.shown}.")

    with pytest.raises(StoreProblem):
        make_first_key(state, fail, now=1.0, random_bytes=randomness)
    engine = open_database(state)
    with reading(engine) as connection:
        assert list_accounts(connection) == []
    engine.dispose()
