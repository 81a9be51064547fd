"""The secret that stored digests of keys are made with.

The pepper is text: the bytes that count are those of the file without the white space
around them. So a copy of ``STATE/pepper``, given to another machine as ``keys.pepper``,
is the same pepper.
"""

from collections.abc import Callable
from pathlib import Path

from lightweight.store.private import create_private
from lightweight.store.problems import StoreProblem

FILE = "pepper"

_RANDOM_BYTES = 32
_SHORTEST = 32


class PepperProblem(StoreProblem):
    """The pepper cannot be read, or should not be trusted."""


def read_or_make_pepper(state: Path, random_bytes: Callable[[int], bytes]) -> bytes:
    """Give the pepper of ``STATE/pepper``; make it (256 bits, mode 0600) if missing.

    Processes that start at once agree on one. Raises PepperProblem, also for a file
    that others can read: who has it and the database can test guesses at keys, so the
    operator must close it rather than overlook a warning.
    """
    path = state / FILE
    try:
        if not path.exists():
            create_private(path, f"{random_bytes(_RANDOM_BYTES).hex()}\n".encode())
        mode = path.stat().st_mode & 0o777
        if mode & 0o077:
            raise PepperProblem(
                f"Others can read the pepper {path} (mode {mode:04o}): "
                f"run 'chmod 600 {path}' and start again."
            )
        text = path.read_text("utf-8")
    except OSError as error:
        raise PepperProblem(
            f"The pepper {path} cannot be used: {error.strerror}."
        ) from error
    except UnicodeDecodeError as error:
        raise PepperProblem(
            f"The pepper {path} is damaged: restore it from a backup."
        ) from error
    return pepper_of(text, str(path))


def pepper_of(text: str, origin: str) -> bytes:
    """Give the pepper that ``text`` holds; ``origin`` is where it stands, for people.

    Raises PepperProblem for one too short to be a secret.
    """
    pepper = text.strip().encode()
    if len(pepper) < _SHORTEST:
        raise PepperProblem(
            f"The pepper {origin} has {len(pepper)} characters, fewer than "
            f"{_SHORTEST}: restore it from a backup, since keys made with the lost one "
            "no longer work."
        )
    return pepper
