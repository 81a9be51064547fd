"""When a client leaves: its handler is stopped, or goes on for a while without it."""

from collections.abc import Callable
from typing import TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

_log = Logger()
_Result = TypeVar("_Result")


def not_at_all() -> float:
    """Linger for no time: what most handlers do."""
    return 0.0


def leave(handling: Deferred[None], clock: IReactorTime, seconds: float) -> None:
    """Cancel a handler whose client left, so many seconds from now; at once for 0."""
    if seconds <= 0:
        handling.cancel()
        return
    limit = clock.callLater(seconds, handling.cancel)

    def ended(result: _Result) -> _Result:
        if limit.active():
            limit.cancel()
        return result

    handling.addBoth(ended)


async def outlived(
    handling: Deferred[None], clock: IReactorTime, lingers: Callable[[], float]
) -> None:
    """Wait for ``handling`` and raise what it raises.

    Cancelling means that the client left: ``lingers`` then says for how many seconds
    the handler may go on.
    """
    watching: Deferred[None] = Deferred()
    handling.addBoth(_tell, watching)
    try:
        await watching
    except CancelledError:
        if not handling.called:
            leave(handling, clock, lingers())
        raise


def _tell(result: Failure | None, watching: Deferred[None]) -> None:
    if not isinstance(result, Failure):
        if not watching.called:
            watching.callback(None)
    elif not watching.called:
        watching.errback(result)
    elif not result.check(CancelledError):
        # Nobody waits any more, and it must not be lost.
        _log.failure(
            "Failed to end a call whose client left", failure=result, wordless=True
        )
