"""Sums and pages of the bill for the dashboard, on each database."""

from datetime import date

import pytest
from sqlalchemy import Engine
from support.uses import DAY, NOON, use

from lightweight.records import Usage
from lightweight.store import summary
from lightweight.store.connect import reading, writing
from lightweight.store.directory import create_account, create_key
from lightweight.store.ledger import record
from lightweight.store.summary import (
    Wanted,
    account_names,
    day_sums,
    first_bytes,
    key_names,
    wanted_uses,
)
from lightweight.store.usage import place_of

FIRST, SECOND = date(2026, 11, 1), date(2026, 11, 2)


def test_sums_by_day_and_part(engine: Engine) -> None:
    with writing(engine) as connection:
        record(
            connection,
            [
                use("a"),
                use("b", model="other"),
                use("c", at=NOON + DAY, ending="failed", usage=None),
                use("d", account_id="acct_2", key_id="key_2"),
                use("e", at=NOON + 40 * DAY),
            ],
        )
    with reading(engine) as connection:
        of_all = day_sums(connection, None, FIRST, SECOND)
        by_key = day_sums(connection, "acct_1", FIRST, FIRST, "key")
        by_account = day_sums(connection, None, FIRST, FIRST, "account")
    assert [(each.day, each.part) for each in of_all] == [
        (FIRST, "gpt"),
        (FIRST, "other"),
        (SECOND, "gpt"),
    ]
    assert of_all[0].bill.succeeded == 2
    assert of_all[0].bill.micro_usd == 240
    assert of_all[0].bill.usage == Usage(fresh=20, cached=10, answer=40, reasoning=14)
    assert (of_all[2].bill.succeeded, of_all[2].bill.failed) == (0, 1)
    assert [(each.part, each.bill.succeeded) for each in by_key] == [("key_1", 2)]
    assert [each.part for each in by_account] == ["acct_1", "acct_2"]


def test_a_page_of_what_is_wanted(engine: Engine) -> None:
    uses = [
        use("a", at=NOON),
        use("b", at=NOON + 1, model="other"),
        use("c", at=NOON + 2, ending="failed"),
        use("d", at=NOON + 3, key_id="key_2"),
        use("e", at=NOON + 4, account_id="acct_2"),
    ]
    with writing(engine) as connection:
        record(connection, uses)

    def ids(**asked: object) -> str:
        with reading(engine) as connection:
            found = wanted_uses(connection, account_id="acct_1", **asked)  # type: ignore[arg-type]  # the test's own
        return "".join(each.outcome.request_id for each in found)

    assert ids() == "dcba"
    assert ids(most=2) == "dc"
    assert ids(after=place_of(uses[2])) == "ba"
    assert ids(wanted=Wanted(model="other")) == "b"
    assert ids(wanted=Wanted(key_id="key_2")) == "d"
    assert ids(wanted=Wanted(failed=True)) == "c"
    assert ids(wanted=Wanted(failed=False), after=place_of(uses[2])) == "ba"


def test_a_filter_looks_at_so_many_and_no_more(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writing(engine) as connection:
        record(connection, [use(f"{n}", at=NOON + n) for n in range(5)])
        record(connection, [use("old", at=NOON - 1, model="other")])
    wanted = Wanted(model="other")
    with reading(engine) as connection:
        assert wanted_uses(connection, account_id=None, wanted=wanted)
    monkeypatch.setattr(summary, "SCANNED", 5)
    with reading(engine) as connection:
        assert wanted_uses(connection, account_id=None, wanted=wanted) == []


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
