"""Reloads one at a time: who asks during one is served by the one after it."""

from collections.abc import Awaitable, Callable

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure


class Reloads:
    """Runs a job on demand, never twice at once; many demands make one more run."""

    def __init__(self, run: Callable[[], Awaitable[str | None]]) -> None:
        """``run`` gives None, or why it changed nothing."""
        self._run = run
        self._busy = False
        self._asked: list[Deferred[str | None]] = []

    async def first(self, job: Callable[[], Awaitable[None]]) -> None:
        """Do ``job`` as if it were a run: demands wait for its end."""
        self._busy = True
        try:
            await job()
        finally:
            self._busy = False
            self._next()

    async def ask(self) -> str | None:
        """Wait for a run that begins now or later; give what it gave.

        Raises what the run raised. Cancelling just stops waiting.
        """
        asked: Deferred[str | None] = Deferred()
        self._asked.append(asked)
        self._next()
        return await asked

    def _next(self) -> None:
        if self._busy or not self._asked:
            return
        self._busy = True
        asked, self._asked = self._asked, []
        Deferred.fromCoroutine(_awaited(self._run())).addBoth(self._done, asked)

    def _done(
        self, outcome: str | Failure | None, asked: "list[Deferred[str | None]]"
    ) -> None:
        self._busy = False
        for each in asked:
            if not each.called:
                # A Failure fails it.
                each.callback(outcome)
        self._next()


async def _awaited(run: Awaitable[str | None]) -> str | None:
    return await run
