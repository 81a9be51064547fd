"""A process's state, made ready for what its configuration says."""

from pathlib import Path

from twisted.internet.testing import MemoryReactorClock

import pytest

from lightweight.catalog.load import load_catalog
from lightweight.config.load import load
from lightweight.ground import Ground
from lightweight.store.connect import open_engine
from lightweight.store.migrate import NEWEST, revision
from lightweight.stored import first_started, migrated


def ground_of(directory: Path, more: str = "") -> Ground:
    path = directory / "lightweight.toml"
    path.write_text(f'state = "{directory / "state"}"\n{more}')
    catalog = load_catalog()
    loaded = load(path, {}, presets=catalog.presets)
    return Ground(loaded, path, catalog, {}, MemoryReactorClock(), {})


def test_the_first_start_shows_a_key_once(tmp_path: Path) -> None:
    ground = ground_of(tmp_path)

    state, made = first_started(ground, "http://127.0.0.1:1")

    assert made == state.directory / "first-run.txt"
    told = made.read_text()
    assert "http://127.0.0.1:1/v1" in told
    assert '"model": "demo"' in told
    assert first_started(ground, "http://127.0.0.1:1") == (state, None)


@pytest.mark.parametrize("more", ['public_url = "https://ai.example.org"\n'])
def test_its_own_name_goes_before_its_address(tmp_path: Path, more: str) -> None:
    _, made = first_started(ground_of(tmp_path, more), "http://127.0.0.1:1")

    assert made is not None
    assert "https://ai.example.org/v1" in made.read_text()


def test_who_only_serves_makes_no_key(tmp_path: Path) -> None:
    state = migrated(ground_of(tmp_path))

    engine = open_engine(state.database)
    assert revision(engine) == NEWEST
    engine.dispose()
    assert not (state.directory / "first-run.txt").exists()
