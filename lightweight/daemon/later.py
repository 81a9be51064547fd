"""What a process makes once it serves: whoever waits for the start waits for less."""

from collections.abc import Callable
from functools import cache
from typing import TypeVar

from twisted.internet.interfaces import IDelayedCall, IReactorTime

T = TypeVar("T")

PAUSE_S = 1.0
"""Seconds from the start to the first piece, and from one to the next: each may take
some hundredths of a second, in which nobody else is served."""


class Later:
    """Pieces that are made one by one, or when they are first asked for.

    Not only then: code that is loaded a week later may be another release's by that
    time.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._pieces: list[Callable[[], object]] = []
        self._call: IDelayedCall | None = None

    def once(self, make: Callable[[], T]) -> Callable[[], T]:
        """Give what makes a piece when it is first called, and then gives that one."""
        piece = cache(make)
        self._pieces.append(piece)
        return piece

    def start(self) -> None:
        """Begin, now that this process serves."""
        self._call = self._clock.callLater(PAUSE_S, self._next)

    def stop(self) -> None:
        """Make nothing more but what is asked for."""
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _next(self) -> None:
        self._call = None
        if self._pieces:
            self.start()
            self._pieces.pop(0)()
