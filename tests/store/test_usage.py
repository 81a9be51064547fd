from collections import Counter
from datetime import date
from typing import Any

from sqlalchemy import event
from support.uses import DAY, NOON, use

from lightweight.records import Usage
from lightweight.store.connect import Connection, Engine, reading, writing
from lightweight.store.ledger import record
from lightweight.store.usage import (
    ALL_KEYS,
    Used,
    count_seconds,
    day_uses_between,
    last_used_at,
    place_of,
    recent_admissions,
    request_log,
    totals,
    used_ever,
    used_in_month,
)

EACH = (42, 120)
"""Tokens and micro-USD of one use."""


def fill(engine: Engine) -> None:
    with writing(engine) as connection:
        record(
            connection,
            [
                use("october", at=NOON - DAY),
                use("r1"),
                use("r2", at=NOON + DAY, model="other"),
                use("r3", at=NOON + 29 * DAY, key_id="key_2", micro_usd=None),
                use("december", at=NOON + 30 * DAY),
                use("theirs", account_id="acct_2"),
            ],
        )


def test_days_come_in_their_order_within_the_range(engine: Engine) -> None:
    fill(engine)
    with reading(engine) as connection:
        found = day_uses_between(
            connection, "acct_1", date(2026, 11, 1), date(2026, 11, 30)
        )
        nothing = day_uses_between(
            connection, "nobody", date(2026, 11, 1), date(2026, 11, 30)
        )
    assert nothing == []
    assert [(day.day.day, day.key_id, day.model) for day in found] == [
        (1, "key_1", "gpt"),
        (2, "key_1", "other"),
        (30, "key_2", "gpt"),
    ]
    assert found[0].usage == Usage(fresh=10, cached=5, answer=20, reasoning=7)
    assert [day.unpriced for day in found] == [0, 0, 1]


def test_use_in_a_month_and_in_all(engine: Engine) -> None:
    fill(engine)
    with reading(engine) as connection:
        november = used_in_month(connection, ["acct_1"], 2026, 11)
        december = used_in_month(connection, None, 2026, 12)
        everybody = used_in_month(connection, None, 2026, 11)
        ever = used_ever(connection, ["acct_1"])
    assert november == {("acct_1", "key_1"): (84, 240), ("acct_1", "key_2"): (42, 0)}
    assert december == {("acct_1", "key_1"): EACH}
    assert everybody == {**november, ("acct_2", "key_1"): EACH}
    assert ever[("acct_1", "key_1")] == (168, 480)


def test_totals_are_of_accounts_and_of_keys(engine: Engine) -> None:
    fill(engine)
    with reading(engine) as connection:
        month = totals(connection, ["acct_1"], date(2026, 11, 17))
        ever = totals(connection, None, None)

    def used(key: str, tokens: int, micro_usd: int) -> Used:
        return Used(
            account_id="acct_1",
            key_id=key,
            month=date(2026, 11, 1),
            tokens=tokens,
            micro_usd=micro_usd,
        )

    assert month == [
        used(ALL_KEYS, 126, 240),
        used("key_1", 84, 240),
        used("key_2", 42, 0),
    ]
    assert [(u.account_id, u.key_id, u.month, u.tokens) for u in ever] == [
        ("acct_1", ALL_KEYS, None, 210),
        ("acct_1", "key_1", None, 168),
        ("acct_1", "key_2", None, 42),
        ("acct_2", ALL_KEYS, None, 42),
        ("acct_2", "key_1", None, 42),
    ]


def test_admissions_are_counted_by_second(engine: Engine) -> None:
    with writing(engine) as connection:
        record(
            connection,
            [
                use("old", at=NOON - 0.1),
                use("r1", at=NOON),
                use("r2", at=NOON + 0.9, ending="aborted"),
                use("r3", at=NOON + 1.0, ending="failed"),
                use("r4", at=NOON + 1.0, ending="refused"),
                use("r5", at=NOON + 1.5, key_id="key_2"),
            ],
        )
    with reading(engine) as connection:
        found = recent_admissions(connection, NOON)
    second = int(NOON)
    assert found == {
        ("acct_1", "key_1"): Counter({second: 2, second + 1: 1}),
        ("acct_1", "key_2"): Counter({second + 1: 1}),
    }
    assert count_seconds([]) == {}


def test_the_request_log_goes_page_by_page_and_no_arrival_moves_it(
    engine: Engine,
) -> None:
    with writing(engine) as connection:
        record(connection, [use(f"r{n}", at=NOON + n // 2) for n in range(7)])
        record(connection, [use("theirs", at=NOON, account_id="acct_2")])
        first = request_log(connection, account_id="acct_1", most=3)
        record(connection, [use("new", at=NOON + 60)])
        second = request_log(
            connection, account_id="acct_1", after=place_of(first[-1]), most=3
        )
        third = request_log(
            connection, account_id="acct_1", after=place_of(second[-1]), most=3
        )
        everybody = request_log(connection)
    names = [u.outcome.request_id for u in [*first, *second, *third]]
    assert names == ["r6", "r5", "r4", "r3", "r2", "r1", "r0"]
    assert len(everybody) == 9
    assert first[0] == use("r6", at=NOON + 3)


def test_when_keys_were_used_last(engine: Engine) -> None:
    fill(engine)
    with reading(engine) as connection:
        assert last_used_at(connection) == {
            "key_1": NOON + 30 * DAY,
            "key_2": NOON + 29 * DAY,
        }


def is_sqlite(engine: Engine) -> bool:
    return engine.dialect.name == "sqlite"


def plan_of(engine: Engine, ask: Any) -> str:
    """Give the database's own account of how it will answer ``ask(connection)``."""
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        asked.append((statement, values))

    event.listen(engine, "before_cursor_execute", note)
    with reading(engine) as connection:
        ask(connection)
    event.remove(engine, "before_cursor_execute", note)
    [(statement, values)] = [each for each in asked if "FROM" in each[0]]
    explain = "EXPLAIN QUERY PLAN " if is_sqlite(engine) else "EXPLAIN "
    with reading(engine) as connection:
        if not is_sqlite(engine):
            # A small table is read from end to end whatever indexes it has.
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        rows = connection.exec_driver_sql(explain + statement, values).all()
    return "\n".join(str(row[-1]) for row in rows)


def test_pages_and_sums_are_found_by_an_index(engine: Engine) -> None:
    fill(engine)
    november = (date(2026, 11, 1), date(2026, 11, 30))
    last = place_of(use("r2"))

    def own_page(connection: Connection) -> Any:
        return request_log(connection, account_id="acct_1", after=last)

    def days(connection: Connection) -> Any:
        return day_uses_between(connection, "acct_1", *november)

    plans = {
        "ix_uses_account_id_at_id": plan_of(engine, own_page),
        "ix_uses_at_id": plan_of(engine, lambda c: request_log(c, after=last))
        + plan_of(engine, lambda c: recent_admissions(c, NOON)),
        "pk_day_uses": plan_of(engine, days),
        "ix_day_uses_day": plan_of(engine, lambda c: used_in_month(c, None, 2026, 11)),
    }
    for index, plan in plans.items():
        used = plan.replace("sqlite_autoindex_day_uses_1", "pk_day_uses")
        assert index in used, plan
        if is_sqlite(engine):
            assert "SCAN" not in plan, plan
    assert "TEMP B-TREE" not in plans["ix_uses_account_id_at_id"]
    assert "Sort" not in plans["ix_uses_account_id_at_id"]
