"""The request log through filters, on each database."""

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine
from support.uses import DAY, NOON, use

from lightweight.store import wanted as filters
from lightweight.store.connect import is_sqlite, reading, writing
from lightweight.store.ledger import record
from lightweight.store.pages import Place, paged
from lightweight.store.usage import place_of
from lightweight.store.wanted import Found, Wanted, _by_index, wanted_uses

USES = [
    use("a", at=NOON),
    use("b", at=NOON + 1, model="other"),
    use("c", at=NOON + 2, ending="failed"),
    use("d", at=NOON + 3, key_id="key_2"),
    use("e", at=NOON + 4, account_id="acct_2", ending="cut"),
    use("f", at=NOON + 5, ending="client_gone"),
]


def ids(found: Found) -> str:
    return "".join(each.outcome.request_id for each in found.uses)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(), "fedcba"),
        (Wanted(account_id="acct_1"), "fdcba"),
        (Wanted(model="other"), "b"),
        (Wanted(account_id="acct_1", model="other"), "b"),
        (Wanted(key_id="key_2"), "d"),
        # A key that is not the account's, or nobody's.
        (Wanted(account_id="acct_2", key_id="key_2"), ""),
        (Wanted(key_id="key_1", model="other"), "b"),
        (Wanted(failed=True), "ec"),
        (Wanted(account_id="acct_1", failed=True), "c"),
        (Wanted(failed=True, model="gpt"), "ec"),
        (Wanted(failed=False, model="gpt"), "fda"),
        (Wanted(key_id="key_1", failed=True), "ec"),
    ],
)
def test_what_is_wanted_and_no_more(
    engine: Engine, wanted: Wanted, expected: str
) -> None:
    with writing(engine) as connection:
        record(connection, USES)
    with reading(engine) as connection:
        assert ids(wanted_uses(connection, wanted)) == expected
        assert wanted_uses(connection, wanted).ended is None
        assert ids(wanted_uses(connection, wanted, most=1)) == expected[:1]
        before_c = wanted_uses(connection, wanted, after=place_of(USES[2]))
        assert ids(before_c) == expected.replace("f", "").translate(
            dict.fromkeys(map(ord, "edc"))
        )


@pytest.mark.parametrize("wanted", [Wanted(key_id="key_1"), Wanted(failed=True)])
def test_one_filter_reaches_as_far_as_the_log(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, wanted: Wanted
) -> None:
    monkeypatch.setattr(filters, "SCANNED", 2)
    old = use("old", at=NOON - 1, model="other", ending="failed")
    others = [use(f"{n}", at=NOON + n, key_id="key_2") for n in range(5)]
    with writing(engine) as connection:
        record(connection, [old, *others])
    with reading(engine) as connection:
        assert ids(wanted_uses(connection, wanted)) == "old"


def test_what_no_index_knows_is_looked_for_part_by_part(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filters, "SCANNED", 2)
    with writing(engine) as connection:
        record(connection, [use("old", at=NOON - 1, model="other")])
        record(connection, [use(f"{n}", at=NOON + n) for n in range(5)])
    wanted = Wanted(account_id="acct_1", model="other")
    looks, after = 0, None
    with reading(engine) as connection:
        while not (found := wanted_uses(connection, wanted, after=after)).uses:
            assert found.ended is not None
            after, looks = found.ended, looks + 1
    # Two at a time: 4 3, 2 1, 0 old.
    assert (ids(found), looks) == ("old", 2)
    assert after == Place(NOON + 1, "1")


@pytest.mark.parametrize("account", [None, "acct_1"])
def test_days_without_a_model_are_passed_over(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, account: str | None
) -> None:
    monkeypatch.setattr(filters, "SCANNED", 2)
    old = [use(f"old{n}", at=NOON - 30 * DAY + n, model="other") for n in range(2)]
    oldest = use("oldest", at=NOON - 50 * DAY, model="other")
    others = [use(f"{n}", at=NOON - n * DAY) for n in range(20)]
    with writing(engine) as connection:
        record(connection, [oldest, *old, *others])
    wanted = Wanted(account_id=account, model="other")
    with reading(engine) as connection:
        first = wanted_uses(connection, wanted, most=2)
        assert ids(first) == "old1old0"
        rest = wanted_uses(connection, wanted, after=place_of(first.uses[-1]), most=2)
        assert (ids(rest), rest.ended) == ("oldest", None)
        nothing = wanted_uses(connection, replace(wanted, model="never"))
        assert nothing == Found(uses=[])


def test_each_single_filter_has_its_index(engine: Engine) -> None:
    if not is_sqlite(engine):
        return  # PostgreSQL chooses by what is in the table
    expected = {
        "ix_uses_key_id_at_id": Wanted(key_id="k"),
        "ix_uses_failed_at_id": Wanted(failed=True),
        "ix_uses_failed_account_id_at_id": Wanted(account_id="a", failed=True),
        "ix_uses_account_id_at_id": Wanted(account_id="a"),
        "ix_uses_at_id": Wanted(),
    }
    with reading(engine) as connection:
        for index, wanted in expected.items():
            query, _ = _by_index(wanted)
            ordered = paged(query, *filters._ORDER, after=None, most=5)
            text = ordered.compile(
                connection.engine, compile_kwargs={"literal_binds": True}
            )
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}").all()
            assert f" {index}" in str(plan), plan
            assert "TEMP B-TREE" not in str(plan)
