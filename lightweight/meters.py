"""Limits, journal and books of one process, as its configuration wants them.

A part of the composition root: it knows which home of limits belongs where.
"""

import os
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightweight.config.redis import parse_redis_url
from lightweight.config.schema import Config
from lightweight.daemon.bookkeeper import WINDOW_S, Bookkeeper
from lightweight.daemon.keeping import Keeping
from lightweight.daemon.metering import Books, Metering
from lightweight.daemon.telling import SharedVoice, Telling, Voice, counted, recents
from lightweight.policy.book import Book
from lightweight.policy.pace import Subject
from lightweight.store.connect import Connection
from lightweight.store.database import Database
from lightweight.store.journal import Journal
from lightweight.store.ledger import day_of
from lightweight.store.limits.guard import Guard
from lightweight.store.limits.keeper import Keeper
from lightweight.store.limits.remote import RemoteLimits, join
from lightweight.store.limits.shared import Seed, SharedAndTold
from lightweight.store.segments import JOURNAL
from lightweight.store.spool import KEPT
from lightweight.store.usage import recent_admissions, totals

DAY_S = 86_400


@dataclass(frozen=True, kw_only=True)
class Meters:
    """What a process measures with is made of this."""

    reactor: Any
    wall: Callable[[], float]
    config: Config
    directory: Path
    """The state directory."""
    generation: int
    limits_at: int | None
    """The descriptor of the limits that the parent keeps; None: there is no parent."""

    def of_server(self, database: Database) -> Metering:
        """Give what a serving process measures with; raises StoreProblem.

        Without a parent it keeps limits and books itself.
        """
        name = self._name()
        journal = Journal(
            self.directory / JOURNAL, name, from_thread=self.reactor.callFromThread
        )
        alone = self.limits_at is None
        keeper = Keeper(Book(), self.reactor, self.wall) if alone else None
        shared = self.config.redis.url is not None
        machines = self.config.redis.machines if shared else 1
        mine = RemoteLimits(name, self.reactor, machines=machines, fallback=shared)
        self._join(mine, keeper)
        books = self._books(database, keeper) if keeper is not None else None
        if not shared:
            return Metering(
                limits=mine,
                journal=journal,
                why_degraded=lambda: None,
                local_decisions=int,
                begin=_nothing_to_look_for,
                books=books,
            )
        guard = Guard(
            self._redis(database),
            mine,
            policy=self.config.redis.on_failure,
            clock=self.reactor,
        )
        return Metering(
            limits=guard,
            journal=journal,
            why_degraded=lambda: guard.why_degraded,
            local_decisions=lambda: guard.local_decisions,
            begin=guard.start,
            books=books,
        )

    def of_bookkeeper(self, database: Database) -> Books:
        """Give the books of a process that keeps nothing else."""
        return self._books(database, None)

    # -- the parts -----------------------------------------------------------------

    def _name(self) -> str:
        # Never used before, on any machine: the ledger knows journals by it.
        return f"{self.generation}-{os.getpid()}-{secrets.token_hex(6)}"

    def _join(self, limits: RemoteLimits, keeper: Keeper | None) -> None:
        descriptor = self.limits_at
        if keeper is not None:
            descriptor = keeper.connect(self.reactor).detach()
        assert descriptor is not None
        join(self.reactor, descriptor, limits)

    def _books(self, database: Database, keeper: Keeper | None) -> Books:
        mine = RemoteLimits(self._name(), self.reactor)
        self._join(mine, keeper)
        redis = None if self.config.redis.url is None else self._redis(database)
        voices: list[Voice] = [mine]
        if redis is not None:
            voices.append(SharedVoice(redis))
        telling = Telling(voices, self.reactor)
        kept = self.config.database
        bookkeeper = Bookkeeper(
            database,
            self.directory / JOURNAL,
            telling,
            clock=self.reactor,
            wall=self.wall,
            keep_uses_days=int(kept.keep_uses // DAY_S),
            keep_audit_days=int(kept.keep_audit // DAY_S),
            besides=Keeping(
                database,
                self.directory / KEPT,
                clock=self.reactor,
                wall=self.wall,
            ).turn,
        )

        async def begin() -> None:
            if redis is not None:
                await redis.start()

        async def end() -> None:
            telling.close()
            await mine.close()
            if redis is not None:
                await redis.close()
            if keeper is not None:
                keeper.close()

        return Books(bookkeeper, begin=begin, end=end)

    def _redis(self, database: Database) -> SharedAndTold:
        # Who has no Redis need not wait for a client of it.
        from lightweight.store.limits.redis import RedisLimits  # noqa: PLC0415 -- as it says
        from lightweight.upstream.eager import send_now  # noqa: PLC0415 -- for it alone

        url = self.config.redis.url
        assert url is not None

        async def seed_from(account: str, subjects: Sequence[Subject]) -> Seed:
            del subjects  # all of the account's are told
            now = self.wall()
            return await database.read(lambda c: seed_of(c, account, now))

        place = parse_redis_url(url.reveal())
        return RedisLimits(
            place, reactor=self.reactor, seed_from=seed_from, send=send_now
        )


def seed_of(connection: Connection, account: str, now: float) -> Seed:
    """Give what the ledger knows of an account at ``now``, seconds since the epoch."""
    one = [account]
    used = totals(connection, one, day_of(now)) + totals(connection, one, None)
    recent = recent_admissions(connection, now - WINDOW_S)
    mine = {owner: seconds for owner, seconds in recent.items() if owner[0] == account}
    return Seed(used=[counted(each) for each in used], recent=recents(mine))


async def _nothing_to_look_for() -> None:
    """Do nothing: the limits are within this machine."""
