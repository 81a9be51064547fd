"""What the garbage collector need not look at again and again."""

import gc

YOUNG = 10_000
"""Objects made before the collector looks at the young ones.

CPython's 700 is less than what one call makes and frees by itself: the collector would
run within each call and find what is only just in use.
"""


def settle() -> None:
    """Take what is there now, and lives long, out of the collector's sight.

    Call it once everything is loaded, and after a reload: what the reload replaced is
    given back first, also where it refers to itself.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    _, *older = gc.get_threshold()
    gc.set_threshold(YOUNG, *older)
