from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import delete, update
from support.uses import DAY, NOON, dispatch, use

from lightweight.store.connect import Engine, reading, writing
from lightweight.store.importer import carry_out, survey
from lightweight.store.journal import Journal
from lightweight.store.ledger import prune, record
from lightweight.store.problems import StoreUnusable
from lightweight.store.reconcile import Difference, Findings, reconcile
from lightweight.store.schema import day_totals, day_uses, uses
from lightweight.store.segments import segment_path


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(tmp_path / "journal", "w1", size=64 * 1024)
    for number in range(3):
        opened.start(dispatch(f"r{number}"))
        opened.finish(use(f"r{number}", at=NOON + number * DAY))
    yield opened
    opened.close()


def imported(engine: Engine, directory: Path) -> None:
    with writing(engine) as connection:
        carry_out(connection, survey(connection, directory / "journal"))


def compared(engine: Engine, directory: Path) -> Findings:
    with reading(engine) as connection:
        return reconcile(connection, directory / "journal")


def test_all_that_is_imported_agrees(
    engine: Engine, journal: Journal, tmp_path: Path
) -> None:
    imported(engine, tmp_path)
    assert compared(engine, tmp_path).agree
    with reading(engine) as connection:
        assert reconcile(connection, tmp_path / "none").agree


def test_what_waits_is_counted(
    engine: Engine, journal: Journal, tmp_path: Path
) -> None:
    found = compared(engine, tmp_path)
    assert (found.waiting, found.missing, found.agree) == (6, (), False)
    imported(engine, tmp_path)
    journal.start(dispatch("open"))
    assert compared(engine, tmp_path).waiting == 1


def test_a_row_that_is_gone_is_missed(
    engine: Engine, journal: Journal, tmp_path: Path
) -> None:
    imported(engine, tmp_path)
    with writing(engine) as connection:
        connection.execute(delete(uses).where(uses.c.id == "r1"))
    found = compared(engine, tmp_path)
    assert found.missing == ("r1",)
    assert found.differences[0] == Difference(
        account_id="acct_1",
        day=date(2026, 11, 2),
        key_id="key_1",
        model="gpt",
        what="succeeded",
        rolled_up=1,
        rows=0,
    )
    assert {each.what for each in found.differences} == {
        "succeeded",
        "fresh",
        "cached",
        "answer",
        "reasoning",
        "micro_usd",
    }


def test_a_sum_that_is_wrong_or_gone_is_seen(
    engine: Engine, journal: Journal, tmp_path: Path
) -> None:
    imported(engine, tmp_path)
    with writing(engine) as connection:
        connection.execute(
            update(day_uses).where(day_uses.c.day == date(2026, 11, 1)).values(fresh=11)
        )
        connection.execute(delete(day_uses).where(day_uses.c.day == date(2026, 11, 3)))
    found = compared(engine, tmp_path)
    first, *rest = [
        each for each in found.differences if each.account_id and each.model
    ]
    assert (first.what, first.rolled_up, first.rows) == ("fresh", 11, 10)
    assert {(each.day.day, each.rolled_up) for each in rest} == {(3, 0)}


def test_a_total_of_all_accounts_that_is_wrong_or_gone_is_seen(
    engine: Engine, journal: Journal, tmp_path: Path
) -> None:
    imported(engine, tmp_path)
    of_model = day_totals.c.kind == "model"
    with writing(engine) as connection:
        connection.execute(
            update(day_totals)
            .where(of_model, day_totals.c.day == date(2026, 11, 1))
            .values(fresh=11)
        )
        connection.execute(delete(day_totals).where(day_totals.c.kind == "key"))
    found = compared(engine, tmp_path)
    (wrong,) = [each for each in found.differences if each.model]
    assert (wrong.account_id, wrong.model, wrong.what) == ("", "gpt", "fresh")
    assert (wrong.rolled_up, wrong.rows) == (11, 10)
    gone = [each for each in found.differences if each.key_id]
    assert {(each.day.day, each.rolled_up) for each in gone} == {(1, 0), (2, 0), (3, 0)}
    assert len(found.differences) == len(gone) + 1


def test_what_retention_deleted_is_not_missed(
    engine: Engine, journal: Journal, tmp_path: Path
) -> None:
    imported(engine, tmp_path)
    with writing(engine) as connection:
        before = date(2026, 11, 3)
        assert prune(connection, uses_before=before, audit_before=before, most=9) == 2
    assert compared(engine, tmp_path).agree


def test_a_line_that_was_imported_and_rotted_since_is_counted(
    engine: Engine, journal: Journal, tmp_path: Path
) -> None:
    imported(engine, tmp_path)
    with segment_path(tmp_path / "journal" / "w1", 1).open("r+b") as file:
        file.write(b"rotten")
    assert compared(engine, tmp_path).broken == 1


def test_a_journal_that_cannot_be_read_is_a_sentence(
    engine: Engine, tmp_path: Path
) -> None:
    segment_path(tmp_path / "journal" / "w1", 1).mkdir(parents=True)
    with writing(engine) as connection:
        record(connection, [use("r1")])
    with pytest.raises(StoreUnusable, match="cannot be read"):
        compared(engine, tmp_path)
