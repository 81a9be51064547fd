"""Long-lived objects out of the collector's sight, without keeping old ones alive."""

import gc
import weakref

from lightweight.daemon.settle import settle


class Loop:
    """Refers to itself: only the collector can give it back."""

    def __init__(self) -> None:
        self.itself = self


def test_what_is_there_is_not_looked_at_again() -> None:
    settle()

    assert gc.get_freeze_count() > 10_000


def test_what_a_reload_replaced_is_given_back() -> None:
    loop = Loop()
    settle()
    seen = weakref.ref(loop)
    del loop
    gc.collect()
    assert seen() is not None

    settle()

    assert seen() is None
