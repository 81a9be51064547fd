"""Accounts: made, found, changed, limited and topped up, on both databases."""

import threading

import pytest
from sqlalchemy import select
from support.keys import acme, change_count, notes

from lightweight.records import Account, Limits
from lightweight.store.accounts import (
    find_account,
    list_accounts,
    set_disabled,
    set_limits,
    set_tier,
    top_up,
)
from lightweight.store.connect import Connection, Engine, reading, writing
from lightweight.store.directory import DirectoryProblem
from lightweight.store.schema import accounts

FULL = Limits(
    rpm=1, tpm=2, concurrency=3, quota_tokens=4, quota_micro_usd=5, prepaid=False
)


def change(connection: Connection, **changes: int | None) -> Limits:
    return set_limits(connection, "acct_1", changes, now=2.0, who="cli").limits


def add(connection: Connection, **amounts: int) -> Limits:
    return top_up(connection, "acct_1", **amounts, now=3.0, who="cli").limits


def test_an_account_is_made_found_and_noted(connection: Connection) -> None:
    made = acme(connection)
    assert made == Account(id="acct_1", name="acme", tier="pro", created_at=1000.0)
    assert find_account(connection, "acme") == made
    assert find_account(connection, "acct_1") == made
    assert change_count(connection) == 1
    details = {"name": "acme", "tier": "pro"}
    assert notes(connection) == [(1000.0, "cli", "account.create", "acct_1", details)]


def test_a_second_account_of_a_name_is_refused(engine: Engine) -> None:
    with writing(engine) as connection:
        acme(connection)
    with (
        pytest.raises(DirectoryProblem, match='"acme" already: choose another name'),
        writing(engine) as connection,
    ):
        acme(connection, account_id="acct_2")
    with reading(engine) as connection:
        assert [a.id for a in list_accounts(connection)] == ["acct_1"]
        assert change_count(connection) == 1
        assert len(notes(connection)) == 1


@pytest.mark.parametrize(
    "name", ["", " a", "a ", "a\nb", "\x1b[31m", "n" * 101, "\ud800"]
)
def test_a_name_that_would_confuse_is_refused(
    connection: Connection, name: str
) -> None:
    with pytest.raises(DirectoryProblem):
        acme(connection, name=name)
    assert list_accounts(connection) == []


def test_accounts_are_listed_by_name(connection: Connection) -> None:
    for number, name in enumerate(["b", "c", "a"]):
        acme(connection, account_id=f"acct_{number}", name=name)
    assert [a.name for a in list_accounts(connection)] == ["a", "b", "c"]


@pytest.mark.parametrize("impostor", ["acct_1", "acct_3"])
def test_an_id_goes_before_a_name(connection: Connection, impostor: str) -> None:
    """Nobody takes over an account by taking its id for a name."""
    acme(connection, account_id=impostor, name="acct_2")
    made = acme(connection, account_id="acct_2", name="zeta")
    assert find_account(connection, "acct_2") == made


@pytest.mark.parametrize("name", ["nobody", "' OR 1=1 --", "\ud800", "", "ACME"])
def test_an_unknown_account_is_told(connection: Connection, name: str) -> None:
    acme(connection)
    with pytest.raises(DirectoryProblem, match="no account .* accounts list"):
        find_account(connection, name)


def test_an_account_is_disabled_and_enabled(connection: Connection) -> None:
    acme(connection)
    shut = set_disabled(connection, "acme", disabled=True, now=5.0, who="cli")
    assert shut.disabled
    assert find_account(connection, "acme") == shut
    assert change_count(connection) == 2
    set_disabled(connection, "acct_1", disabled=False, now=6.0, who="cli")
    assert not find_account(connection, "acme").disabled
    assert notes(connection)[1:] == [
        (5.0, "cli", "account.disable", "acct_1", {}),
        (6.0, "cli", "account.enable", "acct_1", {}),
    ]


def test_a_tier_is_changed(connection: Connection) -> None:
    acme(connection)
    assert set_tier(connection, "acct_1", "beta", now=2.0, who="cli").tier == "beta"
    assert find_account(connection, "acct_1").tier == "beta"
    assert change_count(connection) == 2
    assert notes(connection)[-1] == (
        2.0,
        "cli",
        "account.tier",
        "acct_1",
        {"tier": "beta"},
    )


# -- limits ------------------------------------------------------------------------


def test_an_account_has_the_limits_it_was_made_with(connection: Connection) -> None:
    made = acme(connection, limits=FULL)
    assert made.limits == FULL
    assert find_account(connection, "acct_1") == made
    details = notes(connection)[-1][-1]
    assert details == {
        "name": "acme",
        "tier": "pro",
        "rpm": 1,
        "tpm": 2,
        "concurrency": 3,
        "quota_tokens": 4,
        "quota_micro_usd": 5,
    }


def test_what_is_not_set_is_not_written(connection: Connection) -> None:
    acme(connection, limits=Limits(rpm=7))
    assert connection.execute(select(accounts.c.limits)).scalar_one() == {"rpm": 7}
    change(connection, rpm=None)
    assert connection.execute(
        select(accounts.c.limits.is_(None)).select_from(accounts)
    ).scalar_one()
    assert find_account(connection, "acct_1").limits == Limits()


def test_some_limits_are_changed_and_the_others_stay(connection: Connection) -> None:
    acme(connection, limits=FULL)
    changed = change(connection, rpm=10, tpm=None, quota_micro_usd=10**15)
    assert changed == Limits(
        rpm=10, concurrency=3, quota_tokens=4, quota_micro_usd=10**15
    )
    assert find_account(connection, "acct_1").limits == changed
    assert change_count(connection) == 2
    assert notes(connection)[-1] == (
        2.0,
        "cli",
        "account.limits",
        "acct_1",
        {"rpm": 10, "tpm": None, "quota_micro_usd": 10**15},
    )


@pytest.mark.parametrize("number", [0, -1, 10**15 + 1])
def test_a_limit_that_is_none_is_refused(connection: Connection, number: int) -> None:
    with pytest.raises(DirectoryProblem, match="from 1 to 10"):
        acme(connection, limits=Limits(rpm=number))
    acme(connection)
    with pytest.raises(DirectoryProblem, match="from 1 to 10"):
        change(connection, quota_tokens=number)


# -- prepaid -----------------------------------------------------------------------


def test_top_ups_add_up(connection: Connection) -> None:
    acme(connection, limits=Limits(rpm=7))
    assert add(connection, tokens=100) == Limits(rpm=7, quota_tokens=100, prepaid=True)
    both = add(connection, tokens=1, micro_usd=5)
    assert both == Limits(rpm=7, quota_tokens=101, quota_micro_usd=5, prepaid=True)
    assert find_account(connection, "acct_1").limits == both
    assert change_count(connection) == 3
    assert notes(connection)[-1] == (
        3.0,
        "cli",
        "account.top_up",
        "acct_1",
        {"tokens": 1, "micro_usd": 5},
    )


def test_a_quota_for_each_month_is_not_topped_up(connection: Connection) -> None:
    acme(connection, limits=Limits(quota_micro_usd=5))
    with pytest.raises(DirectoryProblem) as caught:
        add(connection, tokens=1)
    assert str(caught.value) == (
        '"acme" has a quota for each month, to which nothing can be added: clear '
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
        assert change_count(connection) == 41
