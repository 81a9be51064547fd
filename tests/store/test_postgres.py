"""PostgreSQL alone: its sentences, its clocks, its restarts, many machines on it."""

import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator

import pytest
from sqlalchemy import make_url, select
from support.postgres import OWNER, PASSWORD, PostgresServer

from lightweight.store import connect, postgres
from lightweight.store.accounts import create_account, list_accounts, set_tier
from lightweight.store.connect import Engine, open_engine, reading, writing
from lightweight.store.directory import take_turn
from lightweight.store.migrate import upgrade
from lightweight.store.problems import StoreProblem, StoreUnusable
from lightweight.store.schema import accounts, audit, counters

MAKE = """
import sys
from lightweight.store.connect import open_engine, writing
from lightweight.store.accounts import create_account
from lightweight.store.directory import DirectoryProblem
engine = open_engine(sys.argv[1])
for number in range(20):
    try:
        with writing(engine) as c:
            create_account(
                c, account_id=f"acct_{sys.argv[2]}_{number}", name=f"name {number}",
                tier="pro", now=1.0, who=sys.argv[2],
            )
    except DirectoryProblem:
        print(number)
"""
"""Makes accounts and prints those whose name somebody had already."""


@pytest.fixture
def engine(postgres_url: str) -> Iterator[Engine]:
    opened = open_engine(postgres_url)
    upgrade(opened)
    yield opened
    opened.dispose()


def sentence(url: str) -> str:
    """Give what is told of a database that cannot be used; it has no secret in it."""
    engine = open_engine(url)
    with pytest.raises(StoreUnusable) as caught, reading(engine):
        pass
    engine.dispose()
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def over_tcp(server: PostgresServer, password: str, port: int | None = None) -> str:
    return (
        f"postgresql://{OWNER}:{password}@127.0.0.1:{port or server.port}/"
        f"{make_url(server.new_database()).database}"
    )


# -- reaching it -------------------------------------------------------------------


def test_every_way_to_write_a_url(postgres_server: PostgresServer) -> None:
    by_query = postgres_server.new_database()
    name = make_url(by_query).database
    directory = str(postgres_server.directory).replace("/", "%2F")
    for url in (
        by_query,
        by_query.replace("postgresql://", "postgresql+psycopg://"),
        f"postgresql://{OWNER}@{directory}:{postgres_server.port}/{name}",
        over_tcp(postgres_server, PASSWORD),
    ):
        engine = open_engine(url)
        with reading(engine) as connection:
            assert connection.exec_driver_sql("SELECT 1").scalar_one() == 1
        engine.dispose()


def test_what_is_wrong_is_one_sentence(postgres_server: PostgresServer) -> None:
    assert "password authentication failed" in sentence(
        over_tcp(postgres_server, "wrong")
    )
    refused = sentence(over_tcp(postgres_server, PASSWORD, port=1))
    assert refused == (
        "The database cannot be reached (connection failed: connection to server at "
        '"127.0.0.1", port 1 failed: Connection refused): start it, or correct '
        "database.url."
    )
    url = make_url(over_tcp(postgres_server, PASSWORD)).set(database="nobody")
    assert 'database "nobody" does not exist' in sentence(
        url.render_as_string(hide_password=False)
    )
    assert "No such file or directory" in sentence("postgresql://u@/x?host=/nowhere")


def test_an_option_that_is_none_is_told_at_once() -> None:
    url = f"postgresql://u:{PASSWORD}@host/name?sslmod=require"
    with pytest.raises(StoreProblem) as caught:
        open_engine(url)
    assert str(caught.value) == (
        'database.url has an invalid connection option "sslmod".'
    )
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))


def test_without_the_driver_it_is_said_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreProblem, match=r"install 'lightweight-gateway\[postgres"):
        open_engine("postgresql://u@host/name")


def test_sqlite_needs_no_driver() -> None:
    program = (
        "import sys, lightweight.daemon.state, lightweight.store.database\n"
        "print('psycopg' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", program]) == b"False\n"


def test_a_role_that_may_not_is_one_sentence(
    engine: Engine, postgres_server: PostgresServer
) -> None:
    with writing(engine) as connection:
        connection.exec_driver_sql("DROP ROLE IF EXISTS stranger")
        connection.exec_driver_sql("CREATE ROLE stranger LOGIN")
    other = open_engine(engine.url.set(username="stranger"))
    with (
        pytest.raises(StoreUnusable, match=r"permission denied for table accounts\.$"),
        reading(other) as connection,
    ):
        list_accounts(connection)
    other.dispose()


# -- clocks ------------------------------------------------------------------------


def test_statements_locks_and_the_pool_are_not_waited_for_without_end(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect, "BUSY_S", 1.0)
    monkeypatch.setattr(postgres, "CONNECTIONS", 2)
    engine = open_engine(postgres_url)
    upgrade(engine)
    with (
        pytest.raises(StoreUnusable, match="due to statement timeout"),
        reading(engine) as connection,
    ):
        connection.exec_driver_sql("SELECT pg_sleep(60)")
    with writing(engine) as first:
        take_turn(first)
        with pytest.raises(StoreUnusable, match="timeout"), writing(engine) as second:
            take_turn(second)
        with (
            reading(engine),
            pytest.raises(StoreUnusable, match="every connection to it is in use"),
            reading(engine),
        ):
            raise AssertionError("a third connection")
    engine.dispose()


def test_our_clocks_stand_beside_the_operators_options(
    postgres_server: PostgresServer,
) -> None:
    url = (
        f"{postgres_server.new_database()}&application_name=mine"
        "&options=-c%20lock_timeout%3D7s"
    )
    engine = open_engine(url)
    with reading(engine) as connection:
        told = [
            connection.exec_driver_sql(f"SHOW {name}").scalar_one()
            for name in (
                "statement_timeout",
                "lock_timeout",
                "application_name",
                "transaction_isolation",
                "transaction_read_only",
            )
        ]
    assert told == ["5s", "7s", "mine", "repeatable read", "on"]
    with writing(engine) as connection:
        level = connection.exec_driver_sql("SHOW transaction_isolation").scalar_one()
        read_only = connection.exec_driver_sql("SHOW transaction_read_only")
        assert (level, read_only.scalar_one()) == ("read committed", "off")
    engine.dispose()


# -- many machines -----------------------------------------------------------------


def test_processes_that_make_the_same_names(engine: Engine) -> None:
    """Each name is made once; counters never skip or repeat."""
    url = engine.url.render_as_string(hide_password=False)
    makers = [
        subprocess.Popen(
            [sys.executable, "-c", MAKE, url, who], stdout=subprocess.PIPE, text=True
        )
        for who in ("one", "two")
    ]
    told = [maker.communicate()[0].split() for maker in makers]
    assert [maker.returncode for maker in makers] == [0, 0]
    with reading(engine) as connection:
        made = list_accounts(connection)
        numbers = connection.execute(
            select(accounts.c.changed).order_by(accounts.c.changed)
        )
        assert list(numbers.scalars()) == list(range(1, 21))
        assert connection.execute(select(counters.c.value)).scalar_one() == 20
        assert len(connection.execute(select(audit)).all()) == 20
    assert sorted(account.name for account in made) == sorted(
        f"name {number}" for number in range(20)
    )
    losers = {f"acct_one_{n}" for n in told[0]} | {f"acct_two_{n}" for n in told[1]}
    assert losers.isdisjoint(account.id for account in made)
    assert len(losers) == 20


def test_a_restart_between_two_uses_is_not_noticed(
    engine: Engine, postgres_server: PostgresServer
) -> None:
    with reading(engine) as one, reading(engine) as other:
        assert list_accounts(one) == list_accounts(other) == []
    postgres_server.stop()
    postgres_server.start()
    for transaction in (reading, writing):
        with transaction(engine) as connection:
            assert list_accounts(connection) == []


def test_a_restart_of_the_server_under_load_is_survived(
    engine: Engine, postgres_server: PostgresServer
) -> None:
    """Who is at work is told so; the same engine works again by itself."""
    with writing(engine) as connection:
        create_account(
            connection, account_id="a", name="acme", tier="pro", now=1.0, who="t"
        )
    stop = threading.Event()
    counts: list[int] = []
    problems: list[StoreUnusable] = []
    first = threading.Event()

    def work() -> None:
        done = 0
        while not stop.is_set():
            try:
                with writing(engine) as connection:
                    set_tier(connection, "acme", "beta", now=1.0, who="t")
                done += 1
                first.set()
            except StoreUnusable as problem:
                problems.append(problem)
        counts.append(done)

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    assert first.wait(20)
    postgres_server.stop()
    first.clear()
    postgres_server.start()
    assert first.wait(20)
    stop.set()
    for worker in workers:
        worker.join()
    assert problems
    assert all(str(each).startswith("The database cannot be ") for each in problems)
    with reading(engine) as connection:
        value = connection.execute(select(counters.c.value)).scalar_one()
        # A commit whose answer was lost in the restart may have happened.
        assert sum(counts) + 1 <= value <= sum(counts) + 1 + len(problems)
        assert len(connection.execute(select(audit)).all()) == value
