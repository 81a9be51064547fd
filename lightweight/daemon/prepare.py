"""The database of a state, made ready: migrated, and with a first key in it.

No reactor is needed here: the daemon prepares before it serves, and the command line
works whether a daemon runs or not.
"""

from collections.abc import Callable
from pathlib import Path

from lightweight.daemon.state import State, new_id
from lightweight.store.connect import Engine, open_engine, writing
from lightweight.store.first_key import first_run
from lightweight.store.first_run import FirstRun, write_first_run
from lightweight.store.keys import mint
from lightweight.store.migrate import upgrade
from lightweight.store.tokens import mint_token


def open_database(state: State) -> Engine:
    """Open the database and bring it to this version's schema; dispose of it after.

    Raises StoreProblem.
    """
    engine = open_engine(state.database)
    try:
        upgrade(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def make_first_key(
    state: State,
    describe: Callable[[FirstRun], str],
    *,
    now: float,
    random_bytes: Callable[[int], bytes],
) -> Path | None:
    """Migrate, and where there is no account make one with a key to begin with.

    ``describe`` words what STATE/first-run.txt says. Give its path if it was written
    now. Raises StoreProblem; then nothing was made.
    """
    engine = open_database(state)
    try:
        with writing(engine) as connection:
            made = first_run(
                connection,
                account_id=new_id("acct", random_bytes),
                key_id=new_id("key", random_bytes),
                secret=mint(random_bytes),
                invite_id=new_id("invite", random_bytes),
                invite=mint_token(random_bytes),
                pepper=state.pepper,
                now=now,
            )
            if made is None:
                return None
            # Inside the transaction: a key that nobody can read is not made.
            return write_first_run(state.directory, describe(made))
    finally:
        engine.dispose()
