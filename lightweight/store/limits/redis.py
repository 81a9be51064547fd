"""The shared home of limits: scripts inside Redis decide, one call for each ask.

All that is kept there expires. What Redis lost of quotas, by a flush or a restart, the
ledger knows.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import partial
from operator import attrgetter
from typing import Any, Final, TypeAlias

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as TookTooLong
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from msgspec import msgpack

from lightweight.config.redis import RedisPlace
from lightweight.policy.pace import (
    Ask,
    Settlement,
    Used,
    Verdict,
)
from lightweight.policy.period import PREPAID
from lightweight.store.limits.connection import Answer, Connection, Tell, Unanswered
from lightweight.store.limits.limiter import LimitsUnavailable
from lightweight.store.limits.reach import Reach
from lightweight.store.limits.scripts import (
    ADMIT,
    RAISE,
    RENEW,
    SETTLE,
    Call,
    call_of,
    verdict_of,
)
from lightweight.store.limits.shared import Seed, SeedFrom, UseUnknown
from lightweight.store.limits.speaker import Send, in_its_turn
from lightweight.store.problems import StoreProblem

log = Logger()

RENEW_S = 10.0
"""A third of what a lease lasts."""

PROBE_S = 1.0
"""Silence after which a connection is given up, in seconds."""

LEDGER_S = 5.0
"""The ledger's time to say what was used."""

CLOSE_S = 1.0
"""The time that the last settlements have."""

MOST_OWED = 10_000
"""Settlements kept while nobody takes them: a few MB."""

PAID_AT_ONCE = 200
"""Settlements sent together after a time without Redis: they take it some 10 ms."""

MOST_RENEWED = 1_000
"""Leases in one call, which holds Redis up for about a millisecond."""

_SERVER_TIME = b"0"

_UNSEEDED = "unseeded"
"""What ADMIT says where the ledger must tell first what was used."""

_packed: Final = msgpack.Encoder().encode
_name_of: Final = attrgetter("name")

_Group: TypeAlias = tuple[str, tuple[str, ...]]
"""An account and the names of subjects."""


class RedisLimits:
    """A Limiter shared by all who use one Redis, from ``start`` to ``close``.

    Answers within the time that ``connection`` sets and never waits for a server that
    is away. Settlements wait here until Redis has taken them.
    """

    def __init__(
        self,
        place: RedisPlace,
        *,
        reactor: Any,
        seed_from: SeedFrom,
        trust_root: Any = None,
        send: Send = in_its_turn,
        now: Callable[[], int] | None = None,
    ) -> None:
        """``trust_root`` is for TLS, the system's store if None.

        ``now`` gives milliseconds since the epoch; None for the server's own time,
        which alone is the same for all: anything else is for tests.
        """
        self._reactor = reactor
        self._seed_from = seed_from
        self._now = now
        reach = Reach(place, reactor=reactor, trust_root=trust_root, send=send)
        self._connection = Connection(reach, reactor=reactor, up=self._catch_up)
        self._chores = LoopingCall(self._catch_up)
        self._chores.clock = reactor
        self._open: dict[str, _Group] = {}
        """By request id what this process admitted: whose leases it renews."""
        self._owed: dict[str, Settlement] = {}
        """By request id what Redis has not acknowledged, the oldest first."""
        self._full = False
        self._paying: Deferred[None] | None = None
        self._settled: list[Deferred[None]] = []
        self._seeding: dict[_Group, list[Deferred[None]]] = {}

    async def start(self) -> None:
        """Begin to connect and wait for the first attempt, however it ends.

        That takes a second at most. Cancelling stops waiting, not connecting.
        """
        self._chores.start(RENEW_S, now=False)
        await self._connection.start()

    async def close(self) -> None:
        """Wait for settlements to arrive, CLOSE_S at most, and end the connection.

        Cancelling ends it at once.
        """
        try:
            if self._owed and self._connection.connected:
                settled: Deferred[None] = Deferred()
                self._settled.append(settled)
                await settled.addTimeout(CLOSE_S, self._reactor, lambda *_: None)
        finally:
            if self._chores.running:
                self._chores.stop()
            self._connection.close()

    # -- asking --------------------------------------------------------------------

    async def admit(self, ask: Ask) -> Verdict:
        """Take all that ``ask`` wants, or nothing, in one step; say which and why.

        Raises LimitsUnavailable. Cancelled, or without an answer, what was or will be
        taken is given back.
        """
        names = _names(ask)
        call = call_of(ADMIT, ask.account, names, _packed(ask), self._time(), b"take")
        try:
            line = await self._connection.asked(call)
            if type(line) is not str or line == _UNSEEDED:
                line = await self._again(ask, call, line)
        except (CancelledError, Unanswered):
            self.settle(
                Settlement(
                    id=ask.id,
                    account=ask.account,
                    subjects=names,
                    tokens=0,
                    micro_usd=0,
                    refund=True,
                )
            )
            raise
        verdict = verdict_of(line)
        if verdict.refused is None:
            self._open[ask.id] = (ask.account, names)
        return verdict

    async def look(self, ask: Ask) -> Verdict:
        """Say what ``admit`` would, taking nothing. Raises LimitsUnavailable."""
        call = call_of(
            ADMIT, ask.account, _names(ask), _packed(ask), self._time(), b"look"
        )
        return verdict_of(
            await self._again(ask, call, await self._connection.asked(call))
        )

    async def probe(self) -> None:
        """Return if asks can be answered again; a silent connection is given up.

        Raises LimitsUnavailable within PROBE_S. Cancelling is harmless.
        """
        # Renewing nothing still writes: a server that can only be read fails here.
        renewed = Deferred.fromCoroutine(self._renew("probe", {"": []}))
        try:
            await renewed.addTimeout(PROBE_S, self._reactor)
        except TookTooLong:
            self._connection.drop()
            raise LimitsUnavailable(f"Redis did not answer for {PROBE_S:g} s") from None

    async def _again(self, ask: Ask, call: Call, answer: Answer) -> str:
        """Give the verdict's line: the answer, or the next once the ledger has said."""
        if answer == _UNSEEDED:
            await self._seed(ask)
            answer = await self._connection.run(call)
        if answer == _UNSEEDED:
            raise UseUnknown("Redis forgets quotas as fast as they are told")
        if isinstance(answer, LimitsUnavailable):
            raise answer
        return answer

    # -- what came of it -----------------------------------------------------------

    def settle(self, settlement: Settlement) -> None:
        """End what ``admit`` opened, now or as soon as Redis is back."""
        self._open.pop(settlement.id, None)
        self._owed[settlement.id] = settlement
        if len(self._owed) > MOST_OWED:
            del self._owed[next(iter(self._owed))]
            if not self._full:
                log.warn(
                    "Redis is away for so long that settlements are dropped: what "
                    "those calls used counts there when the ledger tells it."
                )
            self._full = True
        self._send(settlement)

    def _send(self, settlement: Settlement, told: Tell | None = None) -> None:
        call = call_of(
            SETTLE,
            settlement.account,
            settlement.subjects,
            _packed(settlement),
            self._time(),
        )
        self._connection.tell(call, told or partial(self._sent, settlement))

    def _sent(self, settlement: Settlement, answer: Answer) -> None:
        if isinstance(answer, LimitsUnavailable):
            return  # it stays owed, and is sent again
        if self._owed.get(settlement.id) is settlement:
            del self._owed[settlement.id]
        if not self._owed:
            self._full = False
            waiting, self._settled = self._settled, []
            for waiter in waiting:
                waiter.callback(None)

    async def _pay(self) -> None:
        """Send what is owed, a part at a time: asks do not wait behind all of it."""
        owed = list(self._owed.values())
        for at in range(0, len(owed), PAID_AT_ONCE):
            *some, last = owed[at : at + PAID_AT_ONCE]
            for settlement in some:
                self._send(settlement)
            # Answers keep their order: with the last one's all have come.
            answer: Deferred[Answer] = Deferred()
            self._send(last, answer.callback)
            self._sent(last, await answer)

    def _paid(self, result: None) -> None:
        self._paying = None
        return result

    # -- leases --------------------------------------------------------------------

    def _catch_up(self) -> None:
        """Renew all leases and send what is owed: what is sent twice counts once."""
        if not self._connection.connected:
            return
        if self._paying is None:
            self._paying = Deferred.fromCoroutine(self._pay())
            self._paying.addBoth(self._paid)
        held: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for request_id, (account, names) in self._open.items():
            for name in names:
                held[account][name].append(request_id)
        for account, leases in held.items():
            for at in range(0, max(map(len, leases.values())), MOST_RENEWED):
                some = {
                    name: ids[at : at + MOST_RENEWED] for name, ids in leases.items()
                }
                _unless_unavailable(self._renew(account, some))

    async def _renew(self, account: str, leases: Mapping[str, Sequence[str]]) -> None:
        await self._connection.run(
            call_of(
                RENEW,
                account,
                tuple(leases),
                _packed(tuple(leases.values())),
                self._time(),
            ),
            patient=True,
        )

    def _time(self) -> bytes:
        return _SERVER_TIME if self._now is None else b"%d" % self._now()

    # -- the ledger's word ---------------------------------------------------------

    async def raise_used(self, used: Sequence[Used]) -> None:
        """Count as used at least what the ledger says.

        A call must not be in it whose settlement is still to come: it counts twice.
        Raises LimitsUnavailable when some or all of it may not have been taken: telling
        it again is harmless. Cancelling does not take it back.
        """
        accounts: dict[str, list[Used]] = defaultdict(list)
        for each in used:
            accounts[each.account].append(each)
        for account, theirs in accounts.items():
            names = {each.subject: each.month == PREPAID for each in theirs}
            await self._raise(account, names, Seed(used=theirs))

    async def _seed(self, ask: Ask) -> None:
        """Let the ledger say what Redis lost, once for all who wait for it."""
        group = (ask.account, _names(ask))
        waiter: Deferred[None] = Deferred()
        if group in self._seeding:
            self._seeding[group].append(waiter)
        else:
            self._seeding[group] = [waiter]
            asked = Deferred.fromCoroutine(self._ask_ledger(ask))
            asked.addBoth(self._seeded, group)
        await waiter

    def _seeded(self, result: Failure | None, group: _Group) -> None:
        for waiter in self._seeding.pop(group):
            waiter.callback(result)

    async def _ask_ledger(self, ask: Ask) -> None:
        answer = self._seed_from(ask.account, ask.subjects)
        asked = Deferred.fromCoroutine(_awaited(answer))
        try:
            seed = await asked.addTimeout(LEDGER_S, self._reactor)
        except (StoreProblem, TookTooLong) as problem:
            raise UseUnknown(f"the ledger cannot say what was used: {problem}") from (
                problem
            )
        prepaid = {each.name: each.limits.prepaid for each in ask.subjects}
        await self._raise(ask.account, prepaid, seed)

    async def _raise(
        self, account: str, prepaid: Mapping[str, bool], seed: Seed
    ) -> None:
        """Tell ``seed`` of the subjects named in ``prepaid``: which purse they need."""
        told = [
            {
                "prepaid": of_prepaid,
                "used": [each for each in seed.used if each.subject == name],
                "recent": [each for each in seed.recent if each.subject == name],
            }
            for name, of_prepaid in prepaid.items()
        ]
        await self._connection.run(
            call_of(RAISE, account, tuple(prepaid), _packed(told), self._time()),
        )


def _names(ask: Ask) -> tuple[str, ...]:
    return tuple(map(_name_of, ask.subjects))


def _unless_unavailable(work: Coroutine[Any, Any, None]) -> Deferred[None]:
    """Let ``work`` happen; it is repeated anyway when Redis is back."""

    def forgive(failure: Failure) -> None:
        failure.trap(LimitsUnavailable)

    return Deferred.fromCoroutine(work).addErrback(forgive)


async def _awaited(answer: Awaitable[Seed]) -> Seed:
    return await answer
