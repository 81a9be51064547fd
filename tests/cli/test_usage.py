"""`lightweight usage`, over a real ledger."""

import csv
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from support.opened import OpenedState
from support.uses import DAY, NOON, use

from lightweight.cli.accounts import accounts
from lightweight.cli.usage import usage
from lightweight.store.connect import writing
from lightweight.store.ledger import record

COMMANDS = click.Group(commands=[usage])


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[OpenedState]:
    state = OpenedState(tmp_path)
    state.said(accounts, "create", "acme", "--tier", "pro")
    with writing(state.engine()) as connection:
        record(
            connection,
            [
                use("october", at=NOON - DAY),
                use("one"),
                use("two", at=NOON + DAY, model="other", micro_usd=None),
                use("three", key_id="key_2", ending="cut"),
                use("theirs", account_id="acct_2"),
            ],
        )
    yield state
    state.close()


def test_a_table_of_this_month_by_model(opened: OpenedState) -> None:
    told = opened.said(COMMANDS, "usage", "--account", "acme").splitlines()
    heads, *lines = [" ".join(line.split()) for line in told]
    assert heads == (
        "MODEL REQUESTS FAILED PROMPT CACHED COMPLETION REASONING TOTAL COST_USD "
        "UNPRICED_REQUESTS"
    )
    assert lines == [
        "gpt 1 1 30 10 54 14 84 0.00024 0",
        "other 1 0 15 5 27 7 42 0.00 1",
        "(all) 2 1 45 15 81 21 126 0.00024 1",
    ]


def test_json_is_the_apis_shape(opened: OpenedState) -> None:
    told = opened.json(
        COMMANDS, "usage", "--account", "acct_1", "--start", "2026-10-01"
    )
    assert told == opened.json(
        COMMANDS,
        "usage",
        *("--account", "acme", "--start", "2026-10-01", "--format", "json"),
    )
    assert told["period"] == {
        "start": "2026-10-01T00:00:00Z",
        "end": "2026-12-01T00:00:00Z",
    }
    assert (told["account"], told["tier"]) == ("acme", "pro")
    assert told["requests"] == {"succeeded": 3, "failed": 1}
    assert told["tokens"]["total"] == 4 * 42
    assert (told["cost_usd"], told["unpriced_requests"]) == ("0.00036", 1)
    assert [part["model"] for part in told["by_model"]] == ["gpt", "other"]
    assert len(told["by_day"]) == 3


@pytest.mark.parametrize(
    ("group", "names"),
    [
        ("model", ["gpt", "other"]),
        ("day", ["2026-11-01", "2026-11-02"]),
        ("key", ["key_1", "key_2"]),
    ],
)
def test_csv_by_anything(opened: OpenedState, group: str, names: list[str]) -> None:
    told = opened.said(
        COMMANDS,
        "usage",
        *("--account", "acme", "--group-by", group, "--format", "csv"),
    )
    rows = list(csv.DictReader(told.splitlines()))
    assert [row[group] for row in rows] == names
    assert sum(int(row["total"]) for row in rows) == 3 * 42


def test_nothing_used_is_a_line_of_nothing(opened: OpenedState) -> None:
    told = opened.said(COMMANDS, "usage", "--account", "acme", "--start", "2026-11-20")
    assert " ".join(told.splitlines()[1].split()) == "(all) 0 0 0 0 0 0 0 0.00 0"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--account", "nobody"), "nobody"),
        (("--account", "acme", "--start", "soon"), "Invalid 'start'"),
        (("--account", "acme", "--end", "2026-10-01"), "must end after it starts"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(
    opened: OpenedState, arguments: tuple[str, ...], said: str
) -> None:
    assert said in opened.refused(COMMANDS, "usage", *arguments)
