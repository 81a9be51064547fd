"""Files in the state directory that nobody else may read, whole or not there at all."""

import os
import tempfile
from pathlib import Path


def write_private(path: Path, data: bytes) -> None:
    """Put ``data`` at ``path`` with mode 0600, in place of what was there.

    A reader finds the old file or the new one, never a part. Raises OSError.
    """
    fresh = _written_beside(path, data)
    try:
        fresh.replace(path)
    except OSError:
        fresh.unlink()
        raise
    _remember_names(path.parent)


def create_private(path: Path, data: bytes) -> bool:
    """Put ``data`` at ``path`` with mode 0600 unless there is a file already.

    Tell whether it was put there; of several processes exactly one gets True, and all
    find the same whole file afterwards. Raises OSError.
    """
    fresh = _written_beside(path, data)
    try:
        # Unlike a rename, a link does not replace what another process was quicker at.
        path.hardlink_to(fresh)
    except FileExistsError:
        return False
    finally:
        fresh.unlink()
    _remember_names(path.parent)
    return True


def _written_beside(path: Path, data: bytes) -> Path:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        Path(name).unlink()
        raise
    return Path(name)


def _remember_names(directory: Path) -> None:
    """Make the directory's entries last through a loss of power."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
