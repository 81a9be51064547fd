"""When a client leaves: its call is stopped, or goes on for a while without it."""

from collections.abc import Callable

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

_log = Logger()


async def outlived(
    call: Deferred[None], clock: IReactorTime, left: Callable[[], float]
) -> None:
    """Wait for ``call`` and raise what it raises.

    Cancelling means that the client left: ``left`` then says for how many seconds the
    call may go on. After them, at once for 0, the call is cancelled.
    """
    watching: Deferred[None] = Deferred()
    call.addBoth(_tell, watching)
    try:
        await watching
    except CancelledError:
        if not call.called:
            _bound(call, clock, left())
        raise


def _bound(call: Deferred[None], clock: IReactorTime, seconds: float) -> None:
    if seconds <= 0:
        call.cancel()
        return
    limit = clock.callLater(seconds, call.cancel)

    def ended(_: object) -> None:
        if limit.active():
            limit.cancel()

    call.addBoth(ended)


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
