"""Runs the handler of a request on the express lane, from one wait to the next.

As ``Deferred.fromCoroutine`` does, but for what no handler uses and each call would pay
for: a context of its own (contextvars), and a Deferred of the result.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from lightweight.errors import Fault


class Handling:
    """One handler, a coroutine that awaits Deferreds alone."""

    def __init__(
        self,
        handler: Coroutine[Any, Any, None],
        ended: Callable[[CancelledError | Fault | None], None],
    ) -> None:
        """``ended`` is called once with what it raised, possibly within ``run``.

        Anything else that it raises is raised where it happens.
        """
        self._handler = handler
        self._ended = ended
        self._waits_for: Deferred[Any] | None = None
        self._limit: IDelayedCall | None = None

    def run(self, error: BaseException | None = None) -> None:
        """Run it until it waits or ends; an ``error`` is raised where it waited."""
        try:
            if error is None:
                waits_for = self._handler.send(None)
            else:
                waits_for = self._handler.throw(error)
        except StopIteration:
            self._over(None)
        except (CancelledError, Fault) as raised:
            self._over(raised)
        else:
            self._waits_for = waits_for
            waits_for.addBoth(self._woken)

    def cancel(self) -> None:
        """Cancel what it waits for."""
        if self._waits_for is not None:
            self._waits_for.cancel()

    def leave(self, clock: IReactorTime, seconds: float) -> None:
        """Cancel it in so many seconds, at once for 0, unless it ends before."""
        if seconds <= 0:
            self.cancel()
        else:
            self._limit = clock.callLater(seconds, self.cancel)

    def _woken(self, result: object) -> None:
        # The handler reads any other result off the Deferred itself.
        self._waits_for = None
        self.run(result.value if isinstance(result, Failure) else None)

    def _over(self, error: CancelledError | Fault | None) -> None:
        if self._limit is not None and self._limit.active():
            self._limit.cancel()
        self._ended(error)
