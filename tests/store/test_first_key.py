import threading
from pathlib import Path

import pytest

from lightweight.store.accounts import create_account, find_account, list_accounts
from lightweight.store.api_keys import list_keys
from lightweight.store.connect import Connection, Engine, reading, writing
from lightweight.store.first_key import first_run
from lightweight.store.first_run import FirstRun, write_first_run
from lightweight.store.invites import invite_of_secret
from lightweight.store.keys import mint
from lightweight.store.problems import StoreUnusable

SECRET = mint(bytes)


def run(connection: Connection, number: int = 1) -> FirstRun | None:
    return first_run(
        connection,
        account_id=f"acct_{number}",
        key_id=f"key_{number}",
        secret=SECRET,
        invite_id=f"invite_{number}",
        invite=f"first {number}",
        pepper=b"p" * 64,
        now=5.0,
    )


def test_an_empty_directory_gets_an_account_and_a_key(engine: Engine) -> None:
    with writing(engine) as connection:
        made = run(connection)
    assert made is not None
    assert (made.account.name, made.account.tier) == ("default", "enterprise")
    assert (made.key.name, made.key.models, made.key.expires_at) == (
        "first",
        None,
        None,
    )
    assert made.secret == SECRET
    with reading(engine) as connection:
        assert list_accounts(connection) == [made.account]
        assert list_keys(connection, "default") == [made.key]
        invite = invite_of_secret(connection, "first 1", pepper=b"p" * 64, now=5.0)
        assert (invite.role, invite.account_id) == ("operator", made.account.id)


def test_it_happens_once(engine: Engine) -> None:
    with writing(engine) as connection:
        run(connection)
    with writing(engine) as connection:
        assert run(connection, 2) is None
        assert len(list_keys(connection)) == 1


def test_machines_that_start_at_once_make_one(engine: Engine) -> None:
    made: list[FirstRun | None] = []
    barrier = threading.Barrier(4)

    def start(number: int) -> None:
        barrier.wait()
        with writing(engine) as connection:
            made.append(run(connection, number))

    machines = [threading.Thread(target=start, args=(n,)) for n in range(4)]
    for machine in machines:
        machine.start()
    for machine in machines:
        machine.join()
    assert len(made) == 4
    assert made.count(None) == 3
    with reading(engine) as connection:
        assert len(list_accounts(connection)) == 1


def test_an_operator_who_was_first_is_not_disturbed(engine: Engine) -> None:
    with writing(engine) as connection:
        create_account(
            connection, account_id="a", name="acme", tier="pro", now=1.0, who="cli"
        )
        assert run(connection) is None
        assert list_keys(connection) == []
        assert find_account(connection, "acme").tier == "pro"


def test_a_file_that_cannot_be_written_undoes_the_key(
    engine: Engine, tmp_path: Path
) -> None:
    with (
        pytest.raises(StoreUnusable, match=r"first-run\.txt cannot be written"),
        writing(engine) as connection,
    ):
        assert run(connection)
        write_first_run(tmp_path / "none", "text")
    with reading(engine) as connection:
        assert list_accounts(connection) == []
