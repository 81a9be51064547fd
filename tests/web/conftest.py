"""Tests that speak to a whole gateway do so on both of its lanes.

``desk`` is one in memory with a real database, for what people and their programs use.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_twisted
from support.gateway import Gateway
from support.offices import Desk

from lightweight.store.database import Database


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "one_lane: the test chooses lanes by itself")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.definition.get_closest_marker("one_lane") is None and (
        "Gateway" in vars(metafunc.module)
    ):
        metafunc.parametrize("lane", ["express", "routed"], indirect=True)


@pytest.fixture(autouse=True)
def lane(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str | None:
    """Have every Gateway of the test serve on one lane, whatever it is asked.

    None: the test is not run for each, and serves as its configuration says.
    """
    name: str | None = getattr(request, "param", None)
    if name is not None:
        monkeypatch.setattr(Gateway, "express", name == "express")
    return name


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # it has no types
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    from twisted.internet import reactor

    database = Database(f"sqlite:///{tmp_path / 'lightweight.db'}", reactor=reactor)  # type: ignore[arg-type]  # the module stands for the reactor
    await database.start()
    yield Desk(Gateway(database=database))
    await database.close()
