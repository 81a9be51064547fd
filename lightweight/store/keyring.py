"""All keys in memory: a request is let in without asking the database.

A counter in the database moves with every change of a key or an account. It is polled
each second and rows that changed since are read again, so a revoked key is dead within
two seconds. A key that memory does not know hastens the next poll, so a new key works
at once; however many strangers come with invented keys, one poll runs at a time and
twenty begin in a second.
"""

from collections.abc import Callable, Sequence

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from msgspec import Struct
from sqlalchemy import Connection, select

from lightweight.records import Account, ApiKey, Identity
from lightweight.store.accounts import account_of
from lightweight.store.api_keys import key_of
from lightweight.store.database import Database
from lightweight.store.keys import digester, plausible
from lightweight.store.problems import StoreUnusable
from lightweight.store.schema import KEYS_COUNTER, accounts, counters, keys

POLL_S = 1.0
"""Seconds from one poll to the next when nothing hurries."""

HURRY_S = 0.05
"""The least number of seconds from one poll to the next."""

AT_ONCE = 1000
"""Rows that are fetched together: one by one they take longer, all at once memory."""

log = Logger()


class Changes(Struct, frozen=True):
    """What is new in the database."""

    counter: int
    whole: bool
    """These are all rows there are, not only the changed ones."""
    accounts: Sequence[Account]
    keys: Sequence[tuple[bytes, ApiKey]]
    """Keys by the digest of their secret."""


def changes_since(connection: Connection, seen: int) -> Changes:
    """Give what changed after the counter was ``seen``; 0 for everything."""
    # The counter is read first: what is committed meanwhile comes again next time.
    counter: int = connection.execute(
        select(counters.c.value).where(counters.c.name == KEYS_COUNTER)
    ).scalar_one()
    if counter == seen:
        return Changes(counter, False, (), ())
    # A counter that went back means an older database: a backup was restored.
    whole = counter < seen
    since = 0 if whole else seen
    return Changes(
        counter,
        whole,
        [
            account_of(row)
            for row in connection.execute(
                select(accounts).where(accounts.c.changed > since)
            )
        ],
        [
            (row.digest, key_of(row))
            for some in connection.execute(
                select(keys).where(keys.c.changed > since)
            ).partitions(AT_ONCE)
            for row in some
        ],
    )


class Keyring:
    """Tells who presents a key, from ``start`` to ``stop``."""

    def __init__(
        self,
        database: Database,
        pepper: bytes,
        *,
        clock: IReactorTime,
        wall: Callable[[], float],
    ) -> None:
        """``clock`` times the polls; ``wall`` gives seconds since the epoch."""
        self._database = database
        self._digest = digester(pepper)
        self._clock = clock
        self._wall = wall
        self._accounts: dict[str, Account] = {}
        self._keys: dict[bytes, ApiKey] = {}
        self._lasting: dict[bytes, Identity] = {}
        """Who asked since the last change, with a key that no moment ends."""
        self._counter = 0
        self._running = False
        self._failing = False
        self._began = 0.0
        self._next: IDelayedCall | None = None
        self._polling: Deferred[None] | None = None
        self._waiting: list[Deferred[None]] = []

    async def start(self) -> None:
        """Load all keys and begin to poll.

        Raises StoreUnusable. Cancelling leaves the keyring stopped.
        """
        self._began = self._clock.seconds()
        await self._refresh()
        self._running = True
        self._plan()

    def stop(self) -> None:
        """Poll no more; who waits in ``identify`` is answered from memory."""
        self._running = False
        if self._next is not None:
            self._next.cancel()
            self._next = None
        if self._polling is not None:
            self._polling.cancel()
        self._answer(self._take_waiting())

    def digest(self, presented: str) -> bytes:
        """Give what ``holder`` knows a key by. Any text is safe."""
        return self._digest(presented)

    def holder(self, digest: bytes) -> Identity | None:
        """Give who presents the key of this digest, out of memory; None for nobody.

        Malformed, unknown, revoked, expired and disabled are told apart by none.
        """
        # Nobody without the pepper can choose a digest, so the time that a dictionary
        # takes to compare it tells nothing about the keys in it.
        identity = self._lasting.get(digest)
        return self._judged(digest) if identity is None else identity

    def plausible(self, presented: str) -> bool:
        """Tell whether this has the form of a key; touches neither memory nor store."""
        return plausible(presented)

    async def identify(self, presented: str) -> Identity | None:
        """Give who presents this key, asking the database for one that memory lacks.

        Waits for at most one poll begun after the call, and only with a key of the
        right form. While the database fails only keys in memory are known. Cancelling
        leaves the poll to the others that wait for it.
        """
        if not plausible(presented):
            return None
        digest = self._digest(presented)
        if digest in self._keys:
            return self.holder(digest)
        if not self._running:
            return None
        waiter: Deferred[None] = Deferred()
        self._waiting.append(waiter)
        self._hurry()
        await waiter
        return self.holder(digest)

    def _judged(self, digest: bytes) -> Identity | None:
        key = self._keys.get(digest)
        account = None if key is None else self._accounts.get(key.account_id)
        if key is None or account is None or account.disabled:
            return None
        identity = Identity(account, key)
        ends = [end for end in (key.revoked_at, key.expires_at) if end is not None]
        if not ends:
            self._lasting[digest] = identity
        elif min(ends) <= self._wall():
            return None
        return identity

    def _plan(self) -> None:
        """Set the next poll, counted from the beginning of the last one."""
        now = self._clock.seconds()
        due = self._began + (HURRY_S if self._waiting else POLL_S)
        self._next = self._clock.callLater(max(0.0, due - now), self._poll)

    def _hurry(self) -> None:
        if self._next is None:
            return  # a poll runs; the one after it will be for those who wait
        left = self._began + HURRY_S - self._clock.seconds()
        if left <= 0:
            self._next.cancel()
            self._poll()
        elif self._next.getTime() > self._clock.seconds() + left:
            self._next.reset(left)

    def _poll(self) -> None:
        self._next = None
        self._began = self._clock.seconds()
        asked = self._take_waiting()
        self._polling = Deferred.fromCoroutine(self._refresh_or_complain())
        self._polling.addBoth(self._polled, asked)

    def _polled(
        self, result: Failure | None, asked: Sequence["Deferred[None]"]
    ) -> None:
        self._polling = None
        if isinstance(result, Failure) and not result.check(CancelledError):
            # Whatever it is, polling must go on: revocations depend on it.
            log.failure("Keys could not be refreshed", result)
        if self._running:
            self._plan()
        self._answer(asked)

    async def _refresh_or_complain(self) -> None:
        try:
            await self._refresh()
        except StoreUnusable as problem:
            self._complain(problem)
            return
        if self._failing:
            log.info("Changes of keys arrive again.")
        self._failing = False

    def _complain(self, problem: StoreUnusable) -> None:
        if not self._failing:
            log.error(
                "Changes of keys do not arrive; those in memory work on. {problem}",
                problem=str(problem),
            )
        self._failing = True

    async def _refresh(self) -> None:
        seen = self._counter
        changes = await self._database.read(lambda c: changes_since(c, seen))
        if changes.counter != seen:
            self._lasting.clear()
        if changes.whole:
            self._accounts.clear()
            self._keys.clear()
        self._accounts.update((account.id, account) for account in changes.accounts)
        self._keys.update(changes.keys)
        self._counter = changes.counter

    def _take_waiting(self) -> Sequence["Deferred[None]"]:
        waiting, self._waiting = self._waiting, []
        return waiting

    def _answer(self, waiting: Sequence["Deferred[None]"]) -> None:
        for waiter in waiting:
            # A waiter that was cancelled meanwhile takes one call and ignores it.
            waiter.callback(None)
