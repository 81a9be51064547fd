"""The embedded home in the parent: one book for all workers, over a socket to each.

It answers once the ledger has said what was used and accepted before; until then asks
wait. A worker that is gone works on nothing: its leases end at once. What it reserved
stays until the ledger has settled what it left, for a time at most.
"""

import socket
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.protocols.basic import Int32StringReceiver
from twisted.python.failure import Failure

from msgspec import MsgspecError, Struct

from lightweight.policy.book import Book
from lightweight.policy.pace import Ask, Recent, Settlement, Used
from lightweight.store.limits.pipe import Pipe
from lightweight.store.limits.wire import (
    LONGEST,
    VERSION,
    Admit,
    Answer,
    Hello,
    Look,
    Raise,
    Replayed,
    Seed,
    Settle,
    ToKeeper,
    Whose,
    Withdraw,
    WriterDone,
    encode,
    hello_of,
    to_keeper_of,
)

ORPHANED_S = 60.0
"""Seconds that the reservations of a worker that is gone wait for the ledger."""


class _Orphans(Struct):
    """What a worker that is gone had open, by account."""

    ids: Mapping[str, Iterable[str]]
    forgotten: IDelayedCall


class Keeper:
    """Keeps one book for every process that has a link to it."""

    log = Logger()

    def __init__(
        self, book: Book, clock: IReactorTime, wall: Callable[[], float]
    ) -> None:
        """``wall`` gives seconds since the epoch; ``clock`` times the orphans."""
        self.book = book
        self.opened = False
        self._clock = clock
        self._wall = wall
        self._links: set[KeeperLink] = set()
        self._orphans: dict[str, _Orphans] = {}

    @property
    def now(self) -> int:
        """Whole milliseconds since the epoch."""
        return round(self._wall() * 1000)

    def connect(self, reactor: Any) -> socket.socket:
        """Give a new link's other end, for a child to inherit; the caller closes it.

        The child makes its end of it with ``remote.join``.
        """
        ours, theirs = socket.socketpair()
        Pipe(reactor, ours.detach(), KeeperLink(self))
        return theirs

    def open(self) -> None:
        """Answer from now on, those who wait first."""
        if not self.opened:
            self.opened = True
            for link in list(self._links):
                link.answer_held()

    def close(self) -> None:
        """End every link and wait for nothing more."""
        links, self._links = self._links, set()
        for link in links:
            link.abort()
        for orphans in self._orphans.values():
            orphans.forgotten.cancel()
        self._orphans.clear()

    # -- the ledger's word ---------------------------------------------------------

    def seed(self, recent: Iterable[Recent]) -> None:
        """Count at least what was accepted in the last minute."""
        now = self.now
        for each in recent:
            self.book.seed(each, now)

    def raise_used(self, used: Iterable[Used]) -> None:
        """Count at least what the ledger holds."""
        now = self.now
        for each in used:
            self.book.raise_used(each, now)

    def settled(self, settlements: Iterable[Settlement]) -> None:
        """End what others left open."""
        now = self.now
        for each in settlements:
            self.book.settle(each, now)

    def writer_done(self, name: str) -> None:
        """Release what this worker still holds: the ledger has settled all it used."""
        self._release(name)
        # The ledger may know of a worker's end before its link does.
        for link in self._links:
            if link.name == name:
                link.done = True

    # -- for links -----------------------------------------------------------------

    def joined(self, link: "KeeperLink") -> None:
        """Learn of a link."""
        self._links.add(link)

    def parted(self, link: "KeeperLink", ids: Mapping[str, Iterable[str]]) -> None:
        """Learn that a link is lost with these asks open, by account."""
        if link not in self._links:
            return  # the keeper is closed
        self._links.discard(link)
        if not ids:
            return
        for account, each in ids.items():
            self.book.drop_leases(account, each)
        if link.done:
            self._forget(ids)
            return
        self._release(link.name)
        self._orphans[link.name] = _Orphans(
            ids, self._clock.callLater(ORPHANED_S, self._give_up, link.name)
        )

    def _give_up(self, name: str) -> None:
        self.log.warn(
            "The ledger has not settled what worker {name} left; it is released.",
            name=name,
        )
        self._release(name)

    def _release(self, name: str) -> None:
        orphans = self._orphans.pop(name, None)
        if orphans is not None:
            if orphans.forgotten.active():
                orphans.forgotten.cancel()
            self._forget(orphans.ids)

    def _forget(self, ids: Mapping[str, Iterable[str]]) -> None:
        for account, each in ids.items():
            self.book.forget(account, each)


class KeeperLink(Int32StringReceiver):
    """One process's link to the keeper, at the keeper's end."""

    log = Logger()
    MAX_LENGTH = LONGEST

    def __init__(self, keeper: Keeper) -> None:
        self.name = ""
        self.done = False
        """All that this process left is settled."""
        self._keeper = keeper
        self._greeted = False
        self._open: dict[str, set[str]] = {}
        self._whose: dict[int, Whose] = {}
        self._held: dict[int, tuple[Admit | Look, Ask]] = {}

    def connectionMade(self) -> None:
        """Learn that the link stands."""
        self._keeper.joined(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: ARG002 -- Twisted's
        """Learn that the process is gone."""
        self._keeper.parted(self, self._open)

    def abort(self) -> None:
        """End the link at once."""
        transport: Any = self.transport
        transport.abortConnection()

    def stringReceived(self, string: bytes) -> None:
        """Do what one frame says."""
        try:
            if self._greeted:
                self._do(to_keeper_of(string))
            else:
                self._greet(hello_of(string))
        except MsgspecError as problem:
            self.log.error(
                "Worker {name} speaks nonsense about limits ({problem}); its link is "
                "ended. Restart the service so that all of it is one release.",
                name=self.name,
                problem=str(problem),
            )
            self.abort()

    def _greet(self, hello: Hello) -> None:
        self._greeted = True
        self.name = hello.name
        if hello.version != VERSION:
            self.log.error(
                "Worker {name} speaks version {theirs} about limits, this process "
                "{ours}: restart the service so that all of it is one release.",
                name=hello.name,
                theirs=hello.version,
                ours=VERSION,
            )
            self.abort()

    def _do(self, messages: Iterable[ToKeeper]) -> None:
        keeper = self._keeper
        now = keeper.now
        answers = []
        for message in messages:
            match message:
                case Admit() | Look():
                    ask = self._ask(message)
                    if keeper.opened:
                        answers.append(self._answer(message, ask, now))
                    else:
                        self._held[message.number] = message, ask
                case Settle():
                    self._settle(_settlement(message), now)
                case Whose():
                    self._whose[message.number] = message
                case Withdraw(number, refund):
                    if self._held.pop(number, None) is None and refund is not None:
                        self._settle(refund, now)
                case _:
                    self._learn(message)
        self._send(answers)

    def _ask(self, message: Admit | Look) -> Ask:
        whose = self._whose.get(message.whose)
        if whose is None:
            raise MsgspecError("nobody was said to be asked for")
        return Ask(
            id=message.id,
            account=whose.account,
            subjects=whose.subjects,
            tokens=message.tokens,
            micro_usd=message.micro_usd,
        )

    def _learn(self, message: Raise | Seed | WriterDone | Replayed) -> None:
        """Take the ledger's word."""
        match message:
            case Raise(used):
                self._keeper.raise_used([used])
            case Seed(recent):
                self._keeper.seed([recent])
            case WriterDone(name):
                self._keeper.writer_done(name)
            case Replayed():
                self._keeper.open()

    def answer_held(self) -> None:
        """Answer who waited for the keeper to open."""
        now = self._keeper.now
        held, self._held = self._held, {}
        self._send([self._answer(*each, now) for each in held.values()])

    def _answer(self, message: Admit | Look, ask: Ask, now: int) -> Answer:
        book = self._keeper.book
        if isinstance(message, Look):
            return Answer(message.number, book.look(ask, now))
        verdict = book.admit(ask, now)
        if verdict.refused is None:
            self._open.setdefault(ask.account, set()).add(ask.id)
        return Answer(message.number, verdict)

    def _settle(self, settlement: Settlement, now: int) -> None:
        self._keeper.book.settle(settlement, now)
        mine = self._open.get(settlement.account)
        if mine is not None:
            mine.discard(settlement.id)
            if not mine:
                del self._open[settlement.account]

    def _send(self, answers: list[Answer]) -> None:
        if answers:
            self.sendString(encode(answers))


def _settlement(message: Settle) -> Settlement:
    return Settlement(
        id=message.id,
        account=message.account,
        subjects=(),
        tokens=message.tokens,
        micro_usd=message.micro_usd,
        refund=message.refund,
    )
