import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click import Group
from support.opened import OpenedState
from support.uses import dispatch, use

from lightweight.cli import reconcile as command
from lightweight.cli.reconcile import reconcile
from lightweight.store.connect import writing
from lightweight.store.importer import carry_out, survey
from lightweight.store.journal import Journal
from lightweight.store.schema import uses

WAITS = (
    "Not imported yet: 2 records of the journals. The daemon does it when it runs.\n"
)

group = Group(commands=[reconcile])


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenedState]:
    monkeypatch.setattr(command, "PAUSE_S", 0.0)
    journal = Journal(tmp_path / "journal", "w1", size=64 * 1024)
    journal.start(dispatch("r1"))
    journal.finish(use("r1"))
    state = OpenedState(tmp_path)
    yield state
    state.close()
    journal.close()


def imported(opened: OpenedState) -> None:
    with writing(opened.engine()) as connection:
        carry_out(connection, survey(connection, opened.state / "journal"))


def test_a_bill_that_adds_up_is_ok(opened: OpenedState) -> None:
    imported(opened)
    assert opened.said(group, "reconcile") == "ok\n"
    assert opened.json(group, "reconcile") == {
        "waiting": 0,
        "missing": [],
        "broken": 0,
        "differences": [],
    }


def test_what_does_not_agree_is_a_line_each_and_status_1(opened: OpenedState) -> None:
    waiting = opened.invoke(group, "reconcile")
    assert (waiting.exit_code, waiting.stdout) == (1, WAITS)
    imported(opened)
    with writing(opened.engine()) as connection:
        connection.execute(uses.delete())
    said = opened.invoke(group, "reconcile")
    assert said.exit_code == 1
    assert said.stdout.splitlines()[:2] == [
        "r1: in a journal as imported, and not in the ledger.",
        "2026-11-01 acct_1 key_1 gpt: succeeded is 1 in the sums and 0 in the rows.",
    ]
    listed = opened.invoke(group, "reconcile", "--json")
    assert listed.exit_code == 1
    assert json.loads(listed.stdout)["missing"] == ["r1"]


def test_what_a_running_daemon_imports_meanwhile_is_no_finding(
    opened: OpenedState, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        imported(opened)

    monkeypatch.setattr(time, "sleep", sleep)
    assert opened.said(group, "reconcile") == "ok\n"
    assert len(slept) == 1


def test_a_database_that_cannot_be_opened_is_one_sentence(tmp_path: Path) -> None:
    opened = OpenedState(tmp_path / "none")
    assert "No such file" in opened.refused(group, "reconcile")
