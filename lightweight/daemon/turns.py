"""The reactor of our children: Twisted's for epoll, with less to do in each turn.

Twisted copies its context of logging for every event of a socket, to name the protocol
in messages of the legacy log that no line of ours shows: a tenth of what a call costs.
"""

from collections import deque
from collections.abc import Callable
from select import EPOLLIN

from twisted.internet.epollreactor import EPollReactor
from twisted.internet.main import installReactor
from twisted.python.log import err


class Turns(EPollReactor):
    """Asks and runs whatever is ready, one event after the other."""

    def __init__(self) -> None:
        self._put_off: deque[Callable[[], object]] = deque()
        super().__init__()

    def at_end(self, call: Callable[[], object]) -> None:
        """Call it after the events of this turn, or of the next.

        As ``callLater(0, call)`` does, without an entry in the heap of timed calls,
        where each comparison is a call of Python.
        """
        self._put_off.append(call)

    def runUntilCurrent(self) -> None:
        """Run what was put off to now, then all timed calls that are due."""
        put_off = self._put_off
        for _ in range(len(put_off)):
            # Where one raises, Twisted logs it and begins the next turn at once.
            put_off.popleft()()
        super().runUntilCurrent()

    def timeout(self) -> float | None:
        """Give for how many seconds to wait; None: for ever."""
        return 0 if self._put_off else super().timeout()

    def doPoll(self, timeout: float | None) -> None:
        """Wait so many seconds for events, or for ever, and see to them all.

        What one of them raises is logged and ends its connection alone.
        """
        selectables = self._selectables
        wait = -1 if timeout is None else timeout
        for descriptor, event in self._poller.poll(wait, len(selectables)):
            # One event may close what the next is about.
            selectable = selectables.get(descriptor)
            if selectable is None:
                continue
            if event != EPOLLIN:
                self._doReadOrWrite(selectable, descriptor, event)
                continue
            # As Twisted does it, for what nearly all events are.
            try:
                why = selectable.doRead()
            except BaseException as error:  # noqa: BLE001 -- as Twisted does
                err()
                why = error
            if why:
                self._disconnectSelectable(selectable, why, isRead=True)

    doIteration = doPoll


def install() -> None:
    """Make it the reactor of this process, which must not have one yet."""
    installReactor(Turns())
