"""Prompts that are kept: whose, for how long, and gone when they should be."""

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine, func, select
from support.keys import a_kept_key, notes
from support.people import PEPPER, trail

from lightweight.records import ApiKey, Kept
from lightweight.store.api_keys import find_key, revoke_key, rotate_key
from lightweight.store.connect import Connection, reading, writing
from lightweight.store.directory import DirectoryProblem
from lightweight.store.kept import (
    DAY_S,
    forget_kept,
    keep_prompts,
    kept_until,
    read_kept,
    record_kept,
)
from lightweight.store.problems import StoreUnusable
from lightweight.store.schema import kept_prompts

NOW = 1_000_000.0


def kept(name: str = "req_1", key_id: str = "key_1", at: float = NOW) -> Kept:
    return Kept(
        request_id=name,
        key_id=key_id,
        at=at,
        prompt="Hi\0",
        prompt_bytes=3,
        answer="Ho",
        answer_bytes=99_999,
    )


def switched(connection: Connection, days: int | None) -> ApiKey:
    return keep_prompts(connection, "key_1", days, now=NOW, who="boss")


def count(connection: Connection) -> int:
    query = select(func.count()).select_from(kept_prompts)
    found: int = connection.execute(query).scalar_one()
    return found


def test_the_switch_is_off_and_each_turn_of_it_is_written_down(engine: Engine) -> None:
    with writing(engine) as connection:
        a_kept_key(connection, None)
        assert find_key(connection, "key_1").keep_prompts_days is None
        assert switched(connection, 30).keep_prompts_days == 30
        assert find_key(connection, "key_1").keep_prompts_days == 30
        for wrong in (0, 31):
            with pytest.raises(DirectoryProblem, match="1 to 30 days"):
                switched(connection, wrong)
        assert trail(connection)[-1] == ("boss", "key.keep_prompts", "key_1")


def test_what_is_kept_is_there_once_until_its_time(engine: Engine) -> None:
    with writing(engine) as connection:
        a_kept_key(connection, 7)
        record_kept(connection, [kept(), kept()], NOW)
        record_kept(connection, [kept()], NOW)
        assert count(connection) == 1
    ends_at = NOW + 7 * DAY_S
    with reading(engine) as connection:
        assert kept_until(connection, "req_1", NOW) == ends_at
        assert kept_until(connection, "req_1", ends_at) is None
        assert kept_until(connection, "req_2", NOW) is None
    with writing(engine) as connection:
        told = read_kept(connection, "req_1", now=NOW, who="boss")
        assert told == replace(kept(), prompt="Hi")
        assert read_kept(connection, "req_1", now=ends_at, who="boss") is None
        assert read_kept(connection, "req_2", now=NOW, who="boss") is None
        assert forget_kept(connection, ends_at - 1) == 0
        assert forget_kept(connection, ends_at) == 1


def test_whoever_reads_it_is_noted_each_time(engine: Engine) -> None:
    with writing(engine) as connection:
        a_kept_key(connection, 7)
        record_kept(connection, [kept()], NOW)
        before = notes(connection)
        for reader in ("ann (person_1)", "cli"):
            assert read_kept(connection, "req_1", now=NOW, who=reader) is not None
        assert read_kept(connection, "req_2", now=NOW, who="cli") is None
        assert kept_until(connection, "req_1", NOW) is not None
        assert notes(connection)[len(before) :] == [
            (NOW, "ann (person_1)", "prompt.read", "req_1", {"key": "key_1"}),
            (NOW, "cli", "prompt.read", "req_1", {"key": "key_1"}),
        ]


def test_who_cannot_be_noted_reads_nothing(engine: Engine) -> None:
    with writing(engine) as connection:
        a_kept_key(connection, 7)
        record_kept(connection, [kept()], NOW)
    with pytest.raises(StoreUnusable), reading(engine) as connection:
        read_kept(connection, "req_1", now=NOW, who="boss")


def test_nothing_is_kept_of_a_key_that_is_not_switched_on(engine: Engine) -> None:
    with writing(engine) as connection:
        a_kept_key(connection, None)
        record_kept(connection, [kept(), kept("req_2", "key_none")], NOW)
        assert count(connection) == 0


def test_who_switches_it_off_has_it_gone_at_once(engine: Engine) -> None:
    with writing(engine) as connection:
        a_kept_key(connection, 7)
        record_kept(connection, [kept()], NOW)
        switched(connection, None)
        assert count(connection) == 0


def test_another_time_holds_for_what_is_there_too(engine: Engine) -> None:
    with writing(engine) as connection:
        a_kept_key(connection, 7)
        record_kept(connection, [kept()], NOW)
        switched(connection, 1)
        assert kept_until(connection, "req_1", NOW + DAY_S) is None
        assert forget_kept(connection, NOW + DAY_S) == 1


def test_it_goes_with_its_key(engine: Engine) -> None:
    with writing(engine) as connection:
        a_kept_key(connection, 7)
        record_kept(connection, [kept()], NOW)
        revoke_key(connection, "key_1", now=NOW + 5, who="t")
        assert kept_until(connection, "req_1", NOW + 4) is not None
        assert kept_until(connection, "req_1", NOW + 5) is None
        record_kept(connection, [kept("req_late")], NOW + 6)
        assert count(connection) == 1
        assert forget_kept(connection, NOW + 5) == 1


def test_the_key_that_follows_is_kept_as_the_old_one_was(engine: Engine) -> None:
    with writing(engine) as connection:
        a_kept_key(connection, 3)
        new = rotate_key(
            connection,
            "key_1",
            new_key_id="key_2",
            secret="lw-" + "y" * 49,
            pepper=PEPPER,
            grace=60,
            now=NOW,
            who="t",
        )
        assert new.keep_prompts_days == 3
        assert find_key(connection, "key_2").keep_prompts_days == 3
