"""Long-lived objects out of the collector's sight, without keeping old ones alive."""

import gc
import weakref

import pytest

from lightweight.daemon.settle import loading, resettle, settle


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

    resettle()

    assert seen() is None


def test_nothing_is_collected_while_modules_are_loaded() -> None:
    with pytest.raises(ImportError), loading():
        assert not gc.isenabled()
        raise ImportError
    assert gc.isenabled()


def test_who_was_started_without_a_collector_gets_it_in_the_end() -> None:
    gc.disable()
    try:
        with loading():
            pass
        assert not gc.isenabled()
        settle()
        assert gc.isenabled()
    finally:
        gc.enable()
