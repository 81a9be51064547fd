"""The calls in flight: which, how many, when there are none, and how to end them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeAlias

from twisted.internet.defer import Deferred

from msgspec import Struct

from lightweight.errors import Fault

End: TypeAlias = Callable[[Fault], None]
"""Ends a call: its client is told of the fault, as far as it still can be told."""


class InFlight(Struct, frozen=True, kw_only=True):
    """One call that has not ended, for the operator."""

    request_id: str
    account_id: str
    key_id: str
    model: str
    provider: str | None
    """Who is asked now; None where nobody is."""
    attempts: int
    """How many were asked."""
    stream: bool
    answering: bool
    """The first byte of its answer has left."""
    seconds: float
    """Since it arrived."""


Tell: TypeAlias = Callable[[], InFlight]


class Live:
    """Counts the calls in flight, so that a daemon can drain."""

    def __init__(self) -> None:
        self._calls: dict[object, tuple[End, Tell | None]] = {}
        self._waiting: list[Deferred[None]] = []

    @property
    def count(self) -> int:
        """How many calls are in flight."""
        return len(self._calls)

    def in_flight(self) -> Sequence[InFlight]:
        """Give the calls that say what they are, the oldest first."""
        return [tell() for _, tell in self._calls.values() if tell is not None]

    def began(self, end: End, tell: Tell | None = None) -> object:
        """Count a call until ``ended`` is given what this returns.

        ``end`` is how to stop it, ``tell`` says what it is and how far it came.
        """
        token = object()
        self._calls[token] = (end, tell)
        return token

    def ended(self, token: object) -> None:
        """Learn that a call is over."""
        del self._calls[token]
        if self._waiting and not self._calls:
            self._tell_waiting()

    @contextmanager
    def call(self, end: End, tell: Tell | None = None) -> Iterator[None]:
        """Count a call while the block runs."""
        token = self.began(end, tell)
        try:
            yield
        finally:
            self.ended(token)

    async def empty(self) -> None:
        """Wait until no call is in flight; cancelling just stops waiting."""
        if not self._calls:
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
        for end, _ in list(self._calls.values()):
            end(fault)

    def _tell_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            one.callback(None)
