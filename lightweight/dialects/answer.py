"""What the readers and passages of every dialect share: an answer's way to its end."""

from collections.abc import Callable, Iterable
from typing import TypeAlias, TypeVar

import msgspec
from msgspec import Struct

from lightweight.dialects.sse import Block, Framing
from lightweight.errors import ProviderCut, ProviderFault, ProviderGarbage
from lightweight.records import Call, Target

MAX_ANSWER = 64 * 1024 * 1024
"""The largest whole answer that is accepted, in bytes."""

_Said = TypeVar("_Said")
_Hear: TypeAlias = Callable[[Block], Iterable[_Said]]


def cut_short() -> ProviderCut:
    """Give the fault of an answer without its end."""
    return ProviderCut("The provider's answer broke off before it was complete.")


def own_name(call: Call, target: Target) -> bytes | None:
    """Give the JSON of the model's name to set back; None where it is the same."""
    return None if call.model == target.model else msgspec.json.encode(call.model)


class Gathered(Struct):
    """A whole answer's bytes, up to ``limit`` of them; most come in one piece."""

    limit: int = MAX_ANSWER
    _first: bytes = b""
    _rest: bytearray | None = None

    def add(self, data: bytes) -> None:
        """Take more; raise ProviderGarbage when it is too much."""
        if not self._first:
            self._first = data
            size = len(data)
        else:
            if self._rest is None:
                self._rest = bytearray()
            self._rest += data
            size = len(self._first) + len(self._rest)
        if size > self.limit:
            raise ProviderGarbage("The provider's answer is too large.")

    @property
    def body(self) -> bytes:
        """All of it."""
        return self._first if self._rest is None else self._first + self._rest


class EventStream:
    """A stream's events, up to the one that ends it or to a fault.

    Where one piece of the body holds events and then a fault, what they say is given
    first and the fault is raised by the next call: what was said before does not depend
    on how the network cut it.

    ``hear`` gives what one block says; it raises ProviderFault on garbage, and sets
    ``complete`` at the end.
    """

    def __init__(self) -> None:
        self.complete = False
        """The end was heard: nothing after it counts."""
        self.faulty = False
        """A fault waits for the next call."""
        self._framing = Framing()
        self._fault: ProviderFault | None = None

    @property
    def leftover(self) -> bytes:
        """The lines of an event that never ended."""
        return self._framing.leftover

    def feed(self, data: bytes, hear: _Hear[_Said]) -> list[_Said]:
        """Give what the events say that ``data`` completes; raise ProviderFault."""
        if self._fault is not None:
            raise self._fault
        said: list[_Said] = []
        if self.complete:
            return said
        try:
            for block in self._framing.feed(data):
                # One by one: what a block says before its fault has been said. Where
                # nothing was, there is nothing to hold a fault back for.
                said.extend(filter(None, hear(block)))
                if self.complete:
                    break
        except ProviderFault as fault:
            if not said:
                raise
            self._fault = fault
            self.faulty = True
        return said

    def finish(self, hear: _Hear[_Said]) -> list[_Said]:
        """Give what the stream's end completes; raise the fault that waits.

        Whether the answer is whole is for the caller to say.
        """
        if self._fault is not None:
            raise self._fault
        if self.complete:
            return []
        return [each for block in self._framing.finish() for each in hear(block)]
