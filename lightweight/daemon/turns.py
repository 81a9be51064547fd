"""The reactor of our children: Twisted's for epoll, with less to do for each event.

Twisted copies its context of logging for every event of a socket, to name the protocol
in messages of the legacy log that no line of ours shows: a tenth of what a call costs.
"""

from twisted.internet.epollreactor import EPollReactor
from twisted.internet.main import installReactor


class Turns(EPollReactor):
    """Asks and runs whatever is ready, one event after the other."""

    def doPoll(self, timeout: float | None) -> None:
        """Wait so many seconds for events, or for ever, and see to them all.

        What one of them raises is logged and ends its connection alone.
        """
        selectables = self._selectables
        wait = -1 if timeout is None else timeout
        for descriptor, event in self._poller.poll(wait, len(selectables)):
            # One event may close what the next is about.
            selectable = selectables.get(descriptor)
            if selectable is not None:
                self._doReadOrWrite(selectable, descriptor, event)

    doIteration = doPoll


def install() -> None:
    """Make it the reactor of this process, which must not have one yet."""
    installReactor(Turns())
