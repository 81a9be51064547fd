"""What the garbage collector need not look at again and again."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Keep the collector away while modules are loaded.

    All they make stays; a fifth of a start would go into looking for what does not.
    """
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def settle() -> None:
    """Take what is there now, and lives long, out of the collector's sight.

    A full collection stops the process for as long as it takes to look at everything:
    60 ms where all modules are loaded, next to nothing without them. Call it once
    everything is loaded, and after a reload: what the reload replaced is given back
    first, also where it refers to itself. A collector that was kept away comes back.

    The thresholds stay as they are: with a larger young generation the collector runs
    less often, but takes longer in all, since what it frees has left the caches.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.enable()
