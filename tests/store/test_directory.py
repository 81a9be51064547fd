"""What all verbs share: names, limits and the counter of changes.

That turns are taken is seen where accounts are topped up at once.
"""

import pytest
from support.keys import change_count

from lightweight.records import Limits
from lightweight.store.connect import Connection
from lightweight.store.directory import (
    MAX_LIMIT,
    DirectoryProblem,
    check_limits,
    check_name,
    next_change,
    read_limits,
    written_limits,
)


@pytest.mark.parametrize("name", ["", "a", "a b", "n" * 100, "\u00e9"])
def test_a_name_that_can_be_read(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize("name", [" a", "a ", "a\nb", "\x1b[31m", "n" * 101, "\ud800"])
def test_a_name_that_would_confuse_is_refused(name: str) -> None:
    with pytest.raises(DirectoryProblem, match="printable"):
        check_name(name)


@pytest.mark.parametrize("number", [0, -1, MAX_LIMIT + 1])
def test_a_limit_that_is_none_is_refused(number: int) -> None:
    check_limits(Limits())
    check_limits(Limits(rpm=1, quota_micro_usd=MAX_LIMIT, prepaid=True))
    for limits in (Limits(rpm=number), Limits(quota_tokens=number)):
        with pytest.raises(DirectoryProblem, match="from 1 to 10"):
            check_limits(limits)


def test_only_limits_that_are_set_are_written() -> None:
    assert written_limits(Limits()) is None
    assert read_limits(None) == Limits()
    some = Limits(rpm=7, quota_tokens=5, prepaid=True)
    row = {"rpm": 7, "quota_tokens": 5, "prepaid": True}
    assert written_limits(some) == row
    assert read_limits(row) == some


def test_changes_are_numbered(connection: Connection) -> None:
    assert [next_change(connection) for _ in range(3)] == [1, 2, 3]
    assert change_count(connection) == 3
