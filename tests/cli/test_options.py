import click
import pytest

from lightweight.cli.options import check_tier, seconds


def test_a_duration_in_seconds() -> None:
    assert seconds("--grace", "12h") == 43_200
    with pytest.raises(click.ClickException, match="--grace"):
        seconds("--grace", "soon")


def test_a_tier_that_there_is() -> None:
    check_tier("pro", {"pro": 1, "beta": 2})
    with pytest.raises(click.ClickException, match="beta, pro"):
        check_tier("gold", {"pro": 1, "beta": 2})
