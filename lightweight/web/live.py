"""The calls in flight: how many, when there are none, and how to end them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from twisted.internet.defer import Deferred

from lightweight.errors import Fault

End: TypeAlias = Callable[[Fault], None]
"""Ends a call: its client is told of the fault, as far as it still can be told."""


class Live:
    """Counts the calls in flight, so that a daemon can drain."""

    def __init__(self) -> None:
        self._ends: dict[object, End] = {}
        self._waiting: list[Deferred[None]] = []

    @property
    def count(self) -> int:
        """How many calls are in flight."""
        return len(self._ends)

    @contextmanager
    def call(self, end: End) -> Iterator[None]:
        """Count a call while the block runs; ``end`` is how to stop it."""
        token = object()
        self._ends[token] = end
        try:
            yield
        finally:
            del self._ends[token]
            self._tell_if_empty()

    async def empty(self) -> None:
        """Wait until no call is in flight; cancelling just stops waiting."""
        if not self._ends:
            return
        waiting: Deferred[None] = Deferred()
        self._waiting.append(waiting)
        try:
            await waiting
        finally:
            if waiting in self._waiting:
                self._waiting.remove(waiting)

    def end_all(self, fault: Fault) -> None:
        """End every call now: a stream gets its error event, others the error."""
        for end in list(self._ends.values()):
            end(fault)

    def _tell_if_empty(self) -> None:
        if self._ends:
            return
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            one.callback(None)
