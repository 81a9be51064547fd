"""Sums and pages of the bill for the dashboard, on each database."""

from datetime import date

import pytest
from sqlalchemy import Engine
from support.uses import DAY, NOON, use

from lightweight.records import Usage
from lightweight.store import summary
from lightweight.store.accounts import create_account
from lightweight.store.api_keys import create_key
from lightweight.store.connect import reading, writing
from lightweight.store.ledger import record
from lightweight.store.summary import (
    Period,
    account_names,
    day_bills,
    day_sums,
    first_bytes,
    key_names,
    part_bills,
)

FIRST, SECOND = date(2026, 11, 1), date(2026, 11, 2)
SOME = [
    use("a"),
    use("b", model="other"),
    use("c", at=NOON + DAY, ending="failed", usage=None),
    use("d", account_id="acct_2", key_id="key_2"),
    use("e", at=NOON + 40 * DAY),
]


def period(account_id: str | None, last: date = SECOND) -> Period:
    return Period(account_id=account_id, first=FIRST, last=last)


def test_bills_by_day(engine: Engine) -> None:
    with writing(engine) as connection:
        record(connection, SOME)
    with reading(engine) as connection:
        of_all = day_bills(connection, period(None))
        of_one = day_bills(connection, period("acct_1"))
    assert list(of_all) == list(of_one) == [FIRST, SECOND]
    assert (of_all[FIRST].succeeded, of_one[FIRST].succeeded) == (3, 2)
    assert of_one[FIRST].micro_usd == 240
    assert of_one[FIRST].usage == Usage(fresh=20, cached=10, answer=40, reasoning=14)
    assert (of_all[SECOND].succeeded, of_all[SECOND].failed) == (0, 1)


def test_bills_by_part(engine: Engine) -> None:
    with writing(engine) as connection:
        record(connection, SOME)
    with reading(engine) as connection:
        by_model = part_bills(connection, period(None), "model")
        by_key = part_bills(connection, period("acct_1", FIRST), "key")
        by_account = part_bills(connection, period(None, FIRST), "account")
        of_other = day_sums(connection, period(None), "model", ["other"])
        of_key = day_sums(connection, period("acct_1"), "key", ["key_1", "key_2"])
        assert day_sums(connection, period(None), "model", []) == []
    assert {name: bill.succeeded for name, bill in by_model.items()} == {
        "gpt": 2,
        "other": 1,
    }
    assert by_model["gpt"].failed == 1
    assert {name: bill.succeeded for name, bill in by_key.items()} == {"key_1": 2}
    assert list(by_account) == ["acct_1", "acct_2"]
    assert [(each.day, each.part) for each in of_other] == [(FIRST, "other")]
    assert [each.day for each in of_key] == [FIRST, SECOND]


def test_the_totals_of_all_are_the_sums_of_each(engine: Engine) -> None:
    with writing(engine) as connection:
        record(connection, SOME)
        # A use that comes again moves nothing.
        record(connection, [*SOME, use("f", at=NOON + DAY)])
    with reading(engine) as connection:
        whole = part_bills(connection, period(None), "account")
        assert list(whole) == ["acct_1", "acct_2"]
        for account, bill in whole.items():
            of_days = day_bills(connection, period(account)).values()
            assert bill.succeeded == sum(each.succeeded for each in of_days)
            assert bill.usage.total == sum(each.usage.total for each in of_days)


def test_first_bytes_are_in_order(engine: Engine) -> None:
    uses = [
        use("a", first_byte_s=0.5),
        use("b", first_byte_s=0.1),
        use("c", first_byte_s=None),
        use("d", first_byte_s=9.0, account_id="acct_2"),
    ]
    with writing(engine) as connection:
        record(connection, uses)
    with reading(engine) as connection:
        assert first_bytes(connection, "acct_1") == [0.1, 0.5]
        assert first_bytes(connection, None) == [0.1, 0.5, 9.0]


def test_names_of_keys_and_accounts(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summary, "NAMED", 2)
    with writing(engine) as connection:
        create_account(
            connection, account_id="acct_1", name="acme", tier="pro", now=1.0, who="t"
        )
        for key_id, name in (("key_1", "laptop"), ("key_2", "")):
            create_key(
                connection,
                key_id=key_id,
                account="acct_1",
                name=name,
                secret=f"lw-{'x' * 40}{key_id}",
                pepper=b"p" * 64,
                now=1.0,
                who="t",
            )
    with reading(engine) as connection:
        names = key_names(connection, {"key_1", "key_2", "key_gone"})
        assert names == {"key_1": "laptop", "key_2": "lw-xxxxx…ey_2"}
        assert account_names(connection, {"acct_1", "gone"}) == {"acct_1": "acme"}
