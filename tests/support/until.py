"""Waiting for a condition, with a bound."""

from collections.abc import Callable
from time import monotonic

from twisted.internet.task import deferLater

PATIENCE = 30.0
"""Seconds."""


async def until(condition: Callable[..., object]) -> None:
    """Wait until ``condition`` gives something true; fail after PATIENCE."""
    from twisted.internet import reactor

    end = monotonic() + PATIENCE
    while not condition():
        assert monotonic() < end, "it did not come true"
        await deferLater(reactor, 0.01)
