"""Limits of accounts and keys: set, changed, topped up, on both databases."""

import threading
from typing import Any

import pytest
from sqlalchemy import select

from lightweight.records import Account, Limits
from lightweight.store.connect import Connection, Engine, reading, writing
from lightweight.store.directory import (
    DirectoryProblem,
    create_account,
    create_key,
    find_account,
    find_key,
    rotate_key,
    set_key_limits,
    set_limits,
    set_tier,
    top_up,
)
from lightweight.store.keys import mint
from lightweight.store.schema import accounts, audit, counters

PEPPER = b"p" * 64
FULL = Limits(
    rpm=1, tpm=2, concurrency=3, quota_tokens=4, quota_micro_usd=5, prepaid=False
)


def acme(connection: Connection, limits: Limits = Limits()) -> Account:  # noqa: B008 -- a frozen value
    return create_account(
        connection,
        account_id="acct_1",
        name="acme inc",
        tier="pro",
        now=1.0,
        who="cli",
        limits=limits,
    )


def a_key(connection: Connection, limits: Limits) -> None:
    create_key(
        connection,
        key_id="key_1",
        account="acct_1",
        name="ci",
        secret=mint(bytes),
        pepper=PEPPER,
        now=1.0,
        who="cli",
        limits=limits,
    )


def change(connection: Connection, **changes: int | None) -> Limits:
    return set_limits(connection, "acct_1", changes, now=2.0, who="cli").limits


def add(connection: Connection, **amounts: int) -> Limits:
    return top_up(connection, "acct_1", **amounts, now=3.0, who="cli").limits


def last_note(connection: Connection) -> tuple[Any, ...]:
    columns = (audit.c.at, audit.c.what, audit.c.subject, audit.c.details)
    query = select(*columns).order_by(audit.c.id.desc())
    return tuple(connection.execute(query).first() or ())


def counter(connection: Connection) -> int:
    found: int = connection.execute(select(counters.c.value)).scalar_one()
    return found


def test_an_account_has_the_limits_it_was_made_with(connection: Connection) -> None:
    made = acme(connection, FULL)
    assert made.limits == FULL
    assert find_account(connection, "acct_1") == made
    details = last_note(connection)[3]
    assert details == {
        "name": "acme inc",
        "tier": "pro",
        "rpm": 1,
        "tpm": 2,
        "concurrency": 3,
        "quota_tokens": 4,
        "quota_micro_usd": 5,
    }


def test_what_is_not_set_is_not_written(connection: Connection) -> None:
    acme(connection, Limits(rpm=7))
    assert connection.execute(select(accounts.c.limits)).scalar_one() == {"rpm": 7}
    change(connection, rpm=None)
    assert connection.execute(
        select(accounts.c.limits.is_(None)).select_from(accounts)
    ).scalar_one()
    assert find_account(connection, "acct_1").limits == Limits()


def test_some_limits_are_changed_and_the_others_stay(connection: Connection) -> None:
    acme(connection, FULL)
    changed = change(connection, rpm=10, tpm=None, quota_micro_usd=10**15)
    assert changed == Limits(
        rpm=10, concurrency=3, quota_tokens=4, quota_micro_usd=10**15
    )
    assert find_account(connection, "acct_1").limits == changed
    assert counter(connection) == 2
    assert last_note(connection) == (
        2.0,
        "account.limits",
        "acct_1",
        {"rpm": 10, "tpm": None, "quota_micro_usd": 10**15},
    )


@pytest.mark.parametrize("number", [0, -1, 10**15 + 1])
def test_a_limit_that_is_none_is_refused(connection: Connection, number: int) -> None:
    with pytest.raises(DirectoryProblem, match="from 1 to 10"):
        acme(connection, Limits(rpm=number))
    acme(connection)
    for refused in (
        lambda: change(connection, quota_tokens=number),
        lambda: a_key(connection, Limits(concurrency=number)),
    ):
        with pytest.raises(DirectoryProblem, match="from 1 to 10"):
            refused()


def test_a_tier_is_changed(connection: Connection) -> None:
    acme(connection)
    assert set_tier(connection, "acct_1", "beta", now=2.0, who="cli").tier == "beta"
    assert find_account(connection, "acct_1").tier == "beta"
    assert counter(connection) == 2
    assert last_note(connection) == (2.0, "account.tier", "acct_1", {"tier": "beta"})


# -- prepaid -----------------------------------------------------------------------


def test_top_ups_add_up(connection: Connection) -> None:
    acme(connection, Limits(rpm=7))
    assert add(connection, tokens=100) == Limits(rpm=7, quota_tokens=100, prepaid=True)
    both = add(connection, tokens=1, micro_usd=5)
    assert both == Limits(rpm=7, quota_tokens=101, quota_micro_usd=5, prepaid=True)
    assert find_account(connection, "acct_1").limits == both
    assert counter(connection) == 3
    assert last_note(connection) == (
        3.0,
        "account.top_up",
        "acct_1",
        {"tokens": 1, "micro_usd": 5},
    )


def test_a_quota_for_each_month_is_not_topped_up(connection: Connection) -> None:
    acme(connection, Limits(quota_micro_usd=5))
    with pytest.raises(DirectoryProblem) as caught:
        add(connection, tokens=1)
    assert str(caught.value) == (
        '"acme inc" has a quota for each month, to which nothing can be added: clear '
        "it first with 'lightweight accounts set acct_1 --quota-tokens none "
        "--quota-usd none'."
    )
    change(connection, quota_micro_usd=None)
    assert add(connection, tokens=1).prepaid


def test_a_prepaid_quota_is_not_made_one_for_each_month(connection: Connection) -> None:
    acme(connection)
    add(connection, tokens=5, micro_usd=6)
    with pytest.raises(DirectoryProblem, match=r"is prepaid: .* top-up acct_1', or"):
        change(connection, quota_tokens=7)
    assert change(connection, rpm=1).prepaid
    assert change(connection, quota_tokens=None).prepaid
    assert change(connection, quota_micro_usd=None) == Limits(rpm=1)
    assert change(connection, quota_tokens=7) == Limits(rpm=1, quota_tokens=7)


@pytest.mark.parametrize(
    "amounts", [{}, {"tokens": 0}, {"tokens": -1, "micro_usd": 5}, {"micro_usd": -1}]
)
def test_nothing_is_no_top_up(connection: Connection, amounts: dict[str, int]) -> None:
    acme(connection)
    with pytest.raises(DirectoryProblem, match="say how many"):
        add(connection, **amounts)


def test_top_ups_at_once_all_count(engine: Engine) -> None:
    """Each reads what there was and writes what there is: none may be lost."""
    with writing(engine) as connection:
        acme(connection)

    def pay() -> None:
        for _ in range(10):
            with writing(engine) as connection:
                add(connection, tokens=1)

    payers = [threading.Thread(target=pay) for _ in range(4)]
    for payer in payers:
        payer.start()
    for payer in payers:
        payer.join()
    with reading(engine) as connection:
        assert find_account(connection, "acct_1").limits.quota_tokens == 40
        assert counter(connection) == 41


# -- keys --------------------------------------------------------------------------


def test_a_key_has_limits_and_passes_them_on(connection: Connection) -> None:
    acme(connection)
    a_key(connection, Limits(rpm=5))
    assert last_note(connection)[3] == {"account": "acct_1", "name": "ci", "rpm": 5}
    changes = {"rpm": None, "tpm": 9}
    changed = set_key_limits(connection, "key_1", changes, now=2.0, who="cli")
    assert changed.limits == Limits(tpm=9)
    assert find_key(connection, "key_1") == changed
    assert counter(connection) == 3
    assert last_note(connection) == (2.0, "key.limits", "key_1", changes)
    new = rotate_key(
        connection,
        "key_1",
        new_key_id="key_2",
        secret=mint(lambda count: b"\x02" * count),
        pepper=PEPPER,
        grace=0.0,
        now=3.0,
        who="cli",
    )
    assert new.limits == Limits(tpm=9)
    assert find_key(connection, "key_2") == new
