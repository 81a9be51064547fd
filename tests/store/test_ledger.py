from datetime import date

from msgspec.structs import replace
from sqlalchemy import func, select
from support.uses import ASKED, DAY, NOON, use

from lightweight.records import Usage
from lightweight.store.connect import Connection, Engine, reading, writing
from lightweight.store.ledger import MOST, day_of, prune, record
from lightweight.store.schema import audit, counters, day_uses, last_used, uses
from lightweight.store.usage import day_uses_between, request_log

NOVEMBER_1 = date(2026, 11, 1)


def count(connection: Connection) -> int:
    found: int = connection.execute(select(func.count()).select_from(uses)).scalar_one()
    return found


def test_a_use_is_a_row_and_a_part_of_its_days_sum(engine: Engine) -> None:
    with writing(engine) as connection:
        assert record(connection, [use("r1"), use("r2")]) == [use("r1"), use("r2")]
    with reading(engine) as connection:
        assert request_log(connection) == [use("r2"), use("r1")]
        [day] = day_uses_between(connection, "acct_1", NOVEMBER_1, NOVEMBER_1)
    assert (day.day, day.key_id, day.model) == (NOVEMBER_1, "key_1", "gpt")
    assert day.usage == Usage(fresh=20, cached=10, answer=40, reasoning=14)
    assert (day.succeeded, day.failed) == (2, 0)
    assert (day.micro_usd, day.unpriced) == (240, 0)


def test_the_same_use_is_recorded_once_however_often_it_comes(engine: Engine) -> None:
    with writing(engine) as connection:
        assert record(connection, [use("r1"), use("r1"), use("r2")]) == [
            use("r1"),
            use("r2"),
        ]
        late = use("r1", usage=Usage(fresh=9999))
        assert record(connection, [late, use("r3")]) == [use("r3")]
        [day] = day_uses_between(connection, "acct_1", NOVEMBER_1, NOVEMBER_1)
        assert (day.succeeded, day.usage.fresh) == (3, 30)
        assert request_log(connection)[-1] == use("r1")


def test_sums_are_by_account_day_key_and_model(engine: Engine) -> None:
    some = [
        use("r1"),
        use("r2", account_id="acct_2"),
        use("r3", key_id="key_2"),
        use("r4", model="other"),
        use("r5", at=NOON + DAY),
        use("r6", at=NOON + DAY / 2 - 0.001),
        use("r7", at=NOON + DAY / 2),
    ]
    with writing(engine) as connection:
        record(connection, some)
        rows = connection.execute(select(day_uses)).all()
    assert sorted((r.account_id, r.day.day, r.key_id, r.model) for r in rows) == [
        ("acct_1", 1, "key_1", "gpt"),
        ("acct_1", 1, "key_1", "other"),
        ("acct_1", 1, "key_2", "gpt"),
        ("acct_1", 2, "key_1", "gpt"),
        ("acct_2", 1, "key_1", "gpt"),
    ]
    assert sorted(r.succeeded for r in rows) == [1, 1, 1, 2, 2]


def test_endings_count_as_what_they_are(engine: Engine) -> None:
    endings = ["finished", "client_gone", "failed", "cut", "aborted", "refused"]
    with writing(engine) as connection:
        record(
            connection,
            [
                use(e, ending=e, usage=None, provenance=None, micro_usd=None)
                for e in endings
            ],
        )
        [day] = day_uses_between(connection, "acct_1", NOVEMBER_1, NOVEMBER_1)
        assert (day.succeeded, day.failed, day.unpriced) == (2, 3, 6)
        assert (day.usage, day.micro_usd) == (Usage(), 0)
        assert {each.outcome.usage for each in request_log(connection)} == {None}


def test_more_than_one_statement_takes(engine: Engine) -> None:
    many = [use(f"r{n}") for n in range(1203)]
    with writing(engine) as connection:
        assert record(connection, many) == many
        assert count(connection) == 1203
        assert record(connection, []) == []


def test_what_comes_from_outside_cannot_stop_the_ledger(engine: Engine) -> None:
    absurd = Usage(fresh=10**30, answer=-5)
    with writing(engine) as connection:
        tried = (replace(ASKED, fault="c\0d\\u0000"), ASKED)
        odd = use("r1", usage=absurd, fault="a\0b", model="g\0pt", attempts=tried)
        record(connection, [odd])
        [row] = request_log(connection)
    assert row.outcome.usage == Usage(fresh=MOST)
    assert (row.outcome.fault, row.outcome.model) == ("ab", "gpt")
    assert row.outcome.attempts == (replace(ASKED, fault="cd\\u0000"), ASKED)


def test_the_last_use_of_a_key_only_moves_forward(engine: Engine) -> None:
    with writing(engine) as connection:
        record(connection, [use("r2", at=NOON + 2), use("r1", at=NOON + 1)])
        record(connection, [use("r0", at=NOON), use("r3", at=NOON, key_id="key_2")])
        found = connection.execute(select(last_used)).all()
    assert sorted(map(tuple, found)) == [("key_1", NOON + 2), ("key_2", NOON)]


def test_days_are_utc() -> None:
    assert day_of(NOON + DAY / 2 - 0.001) == NOVEMBER_1
    assert day_of(NOON + DAY / 2) == date(2026, 11, 2)


def test_old_rows_go_and_sums_stay(engine: Engine) -> None:
    with writing(engine) as connection:
        record(connection, [use(f"r{day}", at=NOON + day * DAY) for day in range(5)])
        for day in range(5):
            connection.execute(
                audit.insert().values(
                    at=NOON + day * DAY, who="t", what="w", subject="s", details={}
                )
            )

        def pruned(most: int) -> int:
            return prune(
                connection,
                uses_before=date(2026, 11, 4),
                audit_before=date(2026, 11, 2),
                most=most,
            )

        assert [pruned(2), pruned(2), pruned(2)] == [3, 1, 0]
        assert [u.outcome.request_id for u in request_log(connection)] == ["r4", "r3"]
        assert len(connection.execute(select(audit)).all()) == 4
        days = day_uses_between(connection, "acct_1", NOVEMBER_1, date(2026, 11, 30))
        assert [day.succeeded for day in days] == [1] * 5


def test_the_horizon_never_goes_back(engine: Engine) -> None:
    days = [date(2026, 11, 4), date(2026, 11, 3)]
    with writing(engine) as connection:
        for day in days:
            prune(connection, uses_before=day, audit_before=day, most=1)
        horizon = connection.execute(
            select(counters.c.value).where(counters.c.name == "uses_pruned")
        ).scalar_one()
    assert date.fromordinal(horizon) == days[0]
