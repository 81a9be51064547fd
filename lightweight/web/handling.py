"""Runs the handler of a request on the express lane, from one wait to the next.

As ``Deferred.fromCoroutine`` does, but for what no handler uses and each call would pay
for: a context of its own (contextvars), and a Deferred of the result.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from msgspec import Struct


class Handling(Struct, eq=False):
    """One handler, a coroutine that awaits Deferreds alone."""

    handler: Coroutine[Any, Any, None]
    ended: Callable[[Exception | None], None]
    """Called once with what the handler raised, possibly within ``run``."""
    waits_for: Deferred[Any] | None = None
    """Cancelled when it fired already, it does nothing."""
    limit: IDelayedCall | None = None

    def run(self, result: object = None) -> None:
        """Run it until it waits or ends; a Failure is raised where it waited."""
        try:
            if isinstance(result, Failure):
                assert result.value is not None  # Twisted sets it
                waits_for = self.handler.throw(result.value)
            else:
                # It reads any other result off the Deferred itself.
                waits_for = self.handler.send(None)
        except StopIteration:
            self._over(None)
        except Exception as raised:  # noqa: BLE001 -- nothing is awaited, and it is told
            self._over(raised)
        else:
            self.waits_for = waits_for
            waits_for.addBoth(self.run)

    def cancel(self) -> None:
        """Cancel what it waits for."""
        if self.waits_for is not None:
            self.waits_for.cancel()

    def leave(self, clock: IReactorTime, seconds: float) -> None:
        """Cancel it in so many seconds, at once for 0, unless it ends before."""
        if seconds <= 0:
            self.cancel()
        else:
            self.limit = clock.callLater(seconds, self.cancel)

    def _over(self, error: Exception | None) -> None:
        if self.limit is not None and self.limit.active():
            self.limit.cancel()
        self.ended(error)
