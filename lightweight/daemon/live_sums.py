"""What is under way in all workers, for the dashboard."""

from collections.abc import Awaitable, Callable, Mapping

from twisted.internet.interfaces import IReactorTime

from msgspec.structs import replace

from lightweight.errors import Overloaded
from lightweight.web.dashboard.views import LiveNow

FRESH_S = 0.9
"""Seconds that an answer counts: workers tell their figures each second."""


class LiveSums:
    """Asks the parent once a second at most, however many pages are open."""

    def __init__(
        self,
        clock: IReactorTime,
        own: Callable[[], LiveNow],
        ask: Callable[[], Awaitable[Mapping[str, float]]],
    ) -> None:
        """``own`` gives this process's figures, which count while ``ask`` fails."""
        self._clock = clock
        self._own = own
        self._ask = ask
        self._asked_at = float("-inf")
        self._sums: Mapping[str, float] | None = None

    async def __call__(self) -> LiveNow:
        """Give the figures. Cancelling stops asking."""
        now = self._clock.seconds()
        if now - self._asked_at >= FRESH_S:
            # Who comes while it is asked has the last answer.
            self._asked_at = now
            try:
                self._sums = await self._ask()
            except Overloaded:
                self._sums = None
        own, sums = self._own(), self._sums
        if sums is None:
            return replace(own, whole=own.workers == 1)
        return LiveNow(
            calls=int(sums.get("calls", 0)),
            streams=int(sums.get("streams", 0)),
            workers=own.workers,
        )
