"""What the verbs on accounts, keys and people have in common.

Each takes a connection inside a transaction. One that changes something writes its row,
moves the counter of changes and writes an audit entry, so that the three are committed
together or not at all. Times are seconds since the epoch; ``who`` is who did it, for
the audit log. All raise DirectoryProblem for what cannot be done.

Whoever changes something takes its turn before it looks: two that change one thing at
once would else both start from what it was.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

from msgspec import convert
from msgspec.structs import asdict
from sqlalchemy import Connection, select, update

from lightweight.records import Limits
from lightweight.store.problems import StoreProblem
from lightweight.store.schema import KEYS_COUNTER, counters

MAX_NAME = 100
"""Characters in the name of an account or key."""

MAX_LIMIT = 10**15

UNLIMITED = Limits()

LimitChanges: TypeAlias = Mapping[str, int | None]
"""Some numbers of ``Limits`` by their names; None takes a limit away."""


class DirectoryProblem(StoreProblem):
    """It cannot be done to this one."""


class Missing(DirectoryProblem):
    """There is no such thing."""


def take_turn(connection: Connection) -> None:
    """Wait for those who change the directory now; what follows sees their work.

    On SQLite a writing transaction has had its turn since it began.
    """
    connection.execute(
        select(counters.c.value)
        .where(counters.c.name == KEYS_COUNTER)
        .with_for_update()
    )


def next_change(connection: Connection) -> int:
    """Move the counter; its row stays locked until the commit.

    So numbers become visible in their order, and who saw one missed none below it.
    """
    value: int = connection.execute(
        update(counters)
        .where(counters.c.name == KEYS_COUNTER)
        .values(value=counters.c.value + 1)
        .returning(counters.c.value)
    ).scalar_one()
    return value


def check_name(name: str) -> None:
    """Raise DirectoryProblem for what nobody could read or type as a name."""
    if len(name) > MAX_NAME or not name.isprintable() or name != name.strip():
        raise DirectoryProblem(
            f"A name has at most {MAX_NAME} printable characters and no space at its "
            "ends: choose another."
        )


# -- limits ------------------------------------------------------------------------


def check_limits(limits: Limits) -> None:
    """Raise DirectoryProblem for a number that is no limit."""
    numbers = [value for name, value in asdict(limits).items() if name != "prepaid"]
    if any(not 1 <= number <= MAX_LIMIT for number in numbers if number is not None):
        raise DirectoryProblem(
            "A limit is a whole number from 1 to 10^15, and dollars from a millionth "
            "to 10^9: leave it out for no limit."
        )


def written_limits(limits: Limits) -> dict[str, Any] | None:
    """Give what a row holds: only what is set, so that new limits need no migration."""
    return {name: value for name, value in asdict(limits).items() if value} or None


def read_limits(row: Mapping[str, Any] | None) -> Limits:
    """Read what ``written_limits`` gave."""
    return convert(row, Limits) if row else UNLIMITED
