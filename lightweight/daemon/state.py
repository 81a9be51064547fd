"""The state directory: where it is, and that nobody else can read it.

The daemon and the command line work on the same state. Who only asks where it is, as
the parent does, needs no database for that: it is ``prepare`` that opens it.
"""

import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lightweight.config.schema import Config, state_directory
from lightweight.store.first_run import FILE as FIRST_RUN
from lightweight.store.pepper import FILE as PEPPER
from lightweight.store.pepper import pepper_of, read_or_make_pepper
from lightweight.store.problems import StoreProblem
from lightweight.store.segments import JOURNAL
from lightweight.store.whereabouts import FILE as DATABASE
from lightweight.store.whereabouts import file_url

ID_BYTES = 8

PRIVATE = (
    "",
    DATABASE,
    f"{DATABASE}-wal",
    f"{DATABASE}-shm",
    PEPPER,
    FIRST_RUN,
    JOURNAL,
)
"""What of the state directory is nobody's but the daemon's."""


@dataclass(frozen=True, kw_only=True)
class State:
    """Where this server's memory is, open for use."""

    directory: Path
    database: str
    """The database's URL, with its password: never log it."""
    pepper: bytes


def new_id(prefix: str, random_bytes: Callable[[int], bytes]) -> str:
    """Make an id such as ``acct_3f9c01d2a4b5e6f7``."""
    return f"{prefix}_{random_bytes(ID_BYTES).hex()}"


def open_state(
    config: Config, environ: Mapping[str, str], random_bytes: Callable[[int], bytes]
) -> State:
    """Find or make the state directory (0700) and the pepper in it.

    Raises StoreProblem, in a sentence that says what to do.
    """
    try:
        directory = config.state or state_directory(environ)
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except ValueError as problem:
        raise StoreProblem(str(problem)) from problem
    except OSError as problem:
        raise StoreProblem(
            f"The state directory {directory} cannot be made ({problem.strerror}): "
            "make it writable for this user or set 'state' in the configuration."
        ) from problem
    too_open = open_to_others(directory)
    if too_open:
        names = " ".join(map(str, too_open))
        raise StoreProblem(
            f"Others may read or write {names}: run 'chmod go= {names}' and start "
            "again."
        )
    if config.keys.pepper is not None:
        pepper = pepper_of(config.keys.pepper.reveal(), "keys.pepper")
    else:
        pepper = read_or_make_pepper(directory, random_bytes)
    url = config.database.url
    return State(
        directory=directory,
        database=file_url(directory) if url is None else url.reveal(),
        pepper=pepper,
    )


def open_to_others(directory: Path) -> Sequence[Path]:
    """Give what of the state directory its group or others may read or write.

    What is not there, or may not be looked at, is not told.
    """
    found = []
    for name in PRIVATE:
        path = directory / name
        try:
            mode = path.stat().st_mode
        except OSError:
            continue
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            found.append(path)
    return found
