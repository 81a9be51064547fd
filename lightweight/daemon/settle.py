"""What the garbage collector need not look at again and again.

A full collection stops the process for as long as it takes to look at everything:
60 ms and more where all modules are loaded, next to nothing without them.

The thresholds stay as they are: with a larger young generation the collector runs less
often, but takes longer in all, since what it frees has left the caches.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Keep the collector away while modules are loaded, and from them ever after.

    Nearly all that they make stays: a fifth of a start would go into looking for what
    does not.
    """
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if before:
            gc.enable()


def settle() -> None:
    """Take what a start made, and lives long, out of the collector's sight.

    Call it once, when everything is loaded: a collector that was kept away comes back.
    What the start left in loops stays too: to find some thousand objects would take a
    tenth of a second from who waits for the server.
    """
    gc.freeze()
    gc.enable()


def resettle() -> None:
    """Do so after a reload: what it replaced is given back, also where it loops."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
