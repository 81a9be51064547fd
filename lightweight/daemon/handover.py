"""How a worker gets the configuration that its parent read, not what is on disk by now.

A worker that is replaced hours later must not meet a file that somebody is editing.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from lightweight.config.load import Loaded


@contextmanager
def handed_over(loaded: Loaded) -> Iterator[int]:
    """Give a descriptor of the texts of ``loaded``, open while the block runs.

    A file without a name: secrets may stand in it (memfd_create(2)).
    """
    pairs = zip(loaded.files, loaded.texts, strict=True)
    content = msgspec.json.encode({str(file): text.reveal() for file, text in pairs})
    with os.fdopen(os.memfd_create("lightweight-configuration"), "wb") as file:
        file.write(content)
        file.flush()
        yield file.fileno()


def texts_at(descriptor: int) -> Mapping[Path, str]:
    """Give what was handed over at ``descriptor``, and close it."""
    # Opened anew: its position is shared with everyone who has it.
    content = Path(f"/proc/self/fd/{descriptor}").read_bytes()
    os.close(descriptor)
    texts = msgspec.json.decode(content, type=dict[str, str])
    return {Path(file): text for file, text in texts.items()}
