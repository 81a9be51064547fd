import json
import subprocess
import sys

import click
import pytest

from lightweight.cli.output import (
    facts,
    in_json,
    moment,
    moment_or_none,
    table,
    told_plainly,
)
from lightweight.store.problems import StoreUnusable


def test_a_table_is_aligned_without_trailing_space() -> None:
    assert table(["ID", "NAME"], [["a", "long one"], ["bcd", ""]]) == (
        "ID   NAME\na    long one\nbcd"
    )


def test_an_empty_table_is_its_head() -> None:
    assert table(["ID", "NAME"], []) == "ID  NAME"


def test_facts_are_aligned() -> None:
    assert facts({"id": "x", "name": "y"}) == "id    x\nname  y"


def test_json_is_json_with_letters_as_they_are() -> None:
    text = in_json({"shown": "lw-…", "models": None})
    assert "lw-…" in text
    assert json.loads(text) == {"shown": "lw-…", "models": None}


def test_moments_are_utc_to_the_second() -> None:
    assert moment(1_793_491_200.9) == "2026-11-01T00:00:00Z"
    assert moment_or_none(0.0) == "1970-01-01T00:00:00Z"
    assert moment_or_none(None) is None


def test_a_problem_is_told_and_nothing_else_is_hidden() -> None:
    with (
        pytest.raises(click.ClickException, match="locked") as caught,
        told_plainly(),
    ):
        raise StoreUnusable("The database cannot be used: locked.")
    assert caught.value.exit_code == 1
    with pytest.raises(ZeroDivisionError), told_plainly():
        raise ZeroDivisionError


@pytest.mark.parametrize("module", ["output", "accounts", "keys"])
def test_no_reactor_is_needed(module: str) -> None:
    program = f"import sys, lightweight.cli.{module}; print('twisted' in sys.modules)"
    answer = subprocess.check_output([sys.executable, "-c", program], text=True)
    assert answer == "False\n"
