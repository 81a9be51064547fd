"""Brings prompts that are kept into the database, and forgets them in time."""

from collections.abc import Callable
from pathlib import Path

from twisted.internet.interfaces import IReactorTime

from lightweight.store.database import Database
from lightweight.store.kept import forget_kept, record_kept
from lightweight.store.problems import StoreUnusable
from lightweight.store.spool import read, tidy, waiting

FORGET_S = 60.0
"""Seconds from one look for what is to be forgotten to the next."""

AT_ONCE = 50
"""Files in one transaction."""


class Keeping:
    """What the bookkeeper does on each of its turns."""

    def __init__(
        self,
        database: Database,
        spool: Path,
        *,
        clock: IReactorTime,
        wall: Callable[[], float],
    ) -> None:
        """``spool`` is where the files are; ``wall`` gives seconds since the epoch."""
        self._database = database
        self._spool = spool
        self._clock = clock
        self._wall = wall
        self._forgot_at = float("-inf")

    async def turn(self) -> None:
        """Bring in what waits. Raises StoreUnusable; cancelling leaves the rest."""
        try:
            await self._bring_in()
            if self._clock.seconds() - self._forgot_at >= FORGET_S:
                await self._forget()
        except OSError as error:
            raise StoreUnusable(
                f"The prompts in {self._spool} cannot be read or cleared "
                f"({error.strerror})."
            ) from error

    async def _bring_in(self) -> None:
        files = waiting(self._spool, AT_ONCE)
        if not files:
            return
        now = self._wall()
        await self._database.run(lambda c: record_kept(c, read(files), now))
        # They are in the database: killed before this line, they come again.
        for path in files:
            path.unlink(missing_ok=True)

    async def _forget(self) -> None:
        now = self._wall()
        tidy(self._spool, now - FORGET_S)
        await self._database.run(lambda c: forget_kept(c, now))
        self._forgot_at = self._clock.seconds()
