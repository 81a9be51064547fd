"""What the first start makes so that a first request can be sent (SPEC section 8).

Who makes the rows of it is ``first_key``: to know the file takes no database.
"""

from pathlib import Path

from msgspec import Struct

from lightweight.records import Account, ApiKey
from lightweight.store.private import write_private
from lightweight.store.problems import StoreUnusable

FILE = "first-run.txt"


class FirstRun(Struct, frozen=True):
    """What was made; ``secret`` and ``invite`` are shown this once."""

    account: Account
    key: ApiKey
    secret: str
    """The key's."""
    invite: str
    """That of an invite for the first operator."""


def write_first_run(state: Path, text: str) -> Path:
    """Write ``STATE/first-run.txt``, mode 0600, and give its path.

    Raises StoreUnusable.
    """
    path = state / FILE
    try:
        write_private(path, text.encode())
    except OSError as error:
        raise StoreUnusable(f"{path} cannot be written: {error.strerror}.") from error
    return path
