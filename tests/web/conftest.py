"""Every test here that speaks to a whole gateway does so on both of its lanes."""

import pytest
from support.gateway import Gateway


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "one_lane: the test chooses lanes by itself")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.definition.get_closest_marker("one_lane") is None and (
        "Gateway" in vars(metafunc.module)
    ):
        metafunc.fixturenames.append("lane")
        metafunc.parametrize("lane", ["express", "routed"], indirect=True)


@pytest.fixture
def lane(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Have every Gateway of the test serve on one lane, whatever it is asked."""
    name = str(request.param)
    monkeypatch.setattr(Gateway, "express", name == "express")
    return name
