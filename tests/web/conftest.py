"""Every test here that speaks to a whole gateway does so on both of its lanes."""

import pytest
from support.gateway import Gateway


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "Gateway" in vars(metafunc.module) and "one_lane" not in metafunc.fixturenames:
        metafunc.fixturenames.append("lane")
        metafunc.parametrize("lane", ["express", "routed"], indirect=True)


@pytest.fixture
def lane(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Have every Gateway of the test serve on one lane, whatever it is asked."""
    name = str(request.param)
    monkeypatch.setattr(Gateway, "express", name == "express")
    return name


@pytest.fixture
def one_lane() -> None:
    """Spare a test that chooses its lanes by itself, or that needs none."""
