"""A keeper and the links to it, over real socket pairs in one process."""

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import Clock

from support.limits_contract import NOW
from support.sink import turns

from lightweight.policy.book import Book
from lightweight.store.limits.keeper import Keeper
from lightweight.store.limits.remote import RemoteLimits, join


class LinkedHome:
    """A keeper whose wall clock and timers stand still, with links to it."""

    def __init__(self) -> None:
        from twisted.internet import reactor

        self.reactor = reactor
        self.now = NOW
        self.timers = Clock()
        self.book = Book()
        self.keeper = Keeper(self.book, self.timers, lambda: self.now / 1000)
        self.links: list[RemoteLimits] = []
        self.limits = self.link("worker_1")

    def advance(self, ms: int) -> None:
        self.now += ms

    def link(
        self,
        name: str,
        clock: IReactorTime | None = None,
        *,
        machines: int = 1,
        fallback: bool = False,
    ) -> RemoteLimits:
        """Give one more link, as a child makes it of what it inherits."""
        made = RemoteLimits(
            name, clock or self.reactor, machines=machines, fallback=fallback
        )
        other_end = self.keeper.connect(self.reactor)
        join(self.reactor, other_end.detach(), made)
        self.links.append(made)
        return made

    async def until(self, what: Callable[[], bool]) -> None:
        """Let the reactor go round until ``what`` holds; the test's limit bounds it."""
        while not what():
            await turns(self.reactor, 1)

    async def crash(self, link: RemoteLimits) -> None:
        """Let a worker die without a word; return when the keeper knows."""
        before = len(self.keeper._links)
        link.transport.abortConnection()  # type: ignore[union-attr]  # a socket's can
        await self.until(lambda: len(self.keeper._links) < before)

    async def close(self) -> None:
        for link in self.links:
            await link.close()
        self.keeper.close()
