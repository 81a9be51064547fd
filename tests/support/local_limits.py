"""Limits in the process of a test: a book and a clock."""

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from lightweight.policy.book import Book
from lightweight.policy.pace import Ask, Settlement, Used, Verdict, share


class LocalLimits:
    """A Limiter over ``book``, which others in this process may share."""

    def __init__(
        self,
        book: Book,
        wall: Callable[[], float],
        *,
        machines: int = 1,
        fallback: bool = False,
    ) -> None:
        """``wall`` gives seconds since the epoch; ``machines`` share each rate.

        ``fallback``: this home stands in for a shared one, and its verdicts say so.
        """
        self._book = book
        self._wall = wall
        self._machines = machines
        self._fallback = fallback

    @property
    def now(self) -> int:
        """Whole milliseconds since the epoch."""
        return round(self._wall() * 1000)

    async def admit(self, ask: Ask) -> Verdict:
        """Take all that ``ask`` wants, or nothing; nothing is awaited."""
        return self._marked(self._book.admit(share(ask, self._machines), self.now))

    async def look(self, ask: Ask) -> Verdict:
        """Say what ``admit`` would, taking nothing; nothing is awaited."""
        return self._marked(self._book.look(share(ask, self._machines), self.now))

    def settle(self, settlement: Settlement) -> None:
        """End what ``admit`` opened."""
        self._book.settle(settlement, self.now)

    def raise_used(self, used: Iterable[Used]) -> None:
        """Say what is known to be used."""
        for each in used:
            self._book.raise_used(each, self.now)

    async def close(self) -> None:
        """Do nothing: all has arrived."""

    def _marked(self, verdict: Verdict) -> Verdict:
        return replace(verdict, local=True) if self._fallback else verdict
