"""Long-lived objects out of the collector's sight, without keeping old ones alive."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from lightweight.daemon.settle import YOUNG, settle


class Loop:
    """Refers to itself: only the collector can give it back."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)


def test_what_is_there_is_not_looked_at_again(as_before: None) -> None:
    settle()

    assert gc.get_freeze_count() > 10_000
    assert gc.get_threshold()[0] == YOUNG


def test_what_a_reload_replaced_is_given_back(as_before: None) -> None:
    loop = Loop()
    settle()
    seen = weakref.ref(loop)
    del loop
    gc.collect()
    assert seen() is not None

    settle()

    assert seen() is None
