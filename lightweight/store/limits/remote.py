"""The embedded home as a worker sees it: a link to the keeper in the parent.

All that one turn of the reactor asks goes in one write. No ask waits for ever: it ends
with the link, or after a time.
"""

from collections.abc import Iterable
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.protocols.basic import Int32StringReceiver
from twisted.python.failure import Failure

from msgspec import Struct
from msgspec.structs import replace

from lightweight.policy.pace import (
    Ask,
    Recent,
    Settlement,
    Subject,
    Used,
    Verdict,
    share,
)
from lightweight.store.limits.limiter import LimitsUnavailable
from lightweight.store.limits.pipe import Pipe
from lightweight.store.limits.turn import put_off_by
from lightweight.store.limits.wire import (
    KNOWN,
    LONGEST,
    MOST,
    VERSION,
    Admit,
    Hello,
    Look,
    Raise,
    Replayed,
    Seed,
    ToKeeper,
    Whose,
    Withdraw,
    WriterDone,
    answers_of,
    encode,
    settle_of,
)

PATIENCE_S = 5.0
"""Seconds that an answer is waited for, at least; at most twice as many."""

CLOSE_S = 2.0
"""Seconds in which all that was said must have left."""


class _Known(Struct, frozen=True):
    """Whom the keeper knows by a number."""

    number: int
    account: str
    subjects: tuple[Subject, ...]


class RemoteLimits(Int32StringReceiver):
    """A Limiter that asks the keeper in the parent, and the ledger's voice there."""

    MAX_LENGTH = LONGEST

    def __init__(
        self,
        name: str,
        clock: IReactorTime,
        *,
        machines: int = 1,
        fallback: bool = False,
    ) -> None:
        """``name`` is what the ledger calls this process; ``machines`` share each rate.

        ``fallback``: this home stands in for a shared one, and its verdicts say so.
        """
        self._name = name
        self._clock = clock
        self._machines = machines
        self._fallback = fallback
        self._outbox: list[ToKeeper] = []
        self._put_off = put_off_by(clock)
        self._known: dict[int, _Known] = {}
        """By the identity of their subjects: comparing them would cost more."""
        self._named = 0
        self._waiting: dict[int, Deferred[Verdict]] = {}
        self._asked = 0
        self._overdue = 0
        self._watching: IDelayedCall | None = None
        self.lost = False
        """The keeper is gone and does not come back."""
        self._ended: Deferred[None] = Deferred()

    # -- asking --------------------------------------------------------------------

    async def admit(self, ask: Ask) -> Verdict:
        """Take all that ``ask`` wants, or nothing.

        Raises LimitsUnavailable when the keeper is gone or silent. Then, and when it is
        cancelled, what was or will be taken is given back.
        """
        number, waiting = self._ask(Admit, ask)
        try:
            verdict = await waiting
        except (CancelledError, LimitsUnavailable):
            self._withdraw(number, _refund(ask))
            raise
        return replace(verdict, local=True) if self._fallback else verdict

    async def look(self, ask: Ask) -> Verdict:
        """Say what ``admit`` would; raises LimitsUnavailable as it does."""
        number, waiting = self._ask(Look, ask)
        try:
            verdict = await waiting
        except (CancelledError, LimitsUnavailable):
            self._withdraw(number)
            raise
        return replace(verdict, local=True) if self._fallback else verdict

    def _ask(
        self, kind: type[Admit | Look], ask: Ask
    ) -> tuple[int, "Deferred[Verdict]"]:
        """Send what asks; give its number and what fires with the answer."""
        if self.lost:
            raise _gone()
        known = self._known.get(id(ask.subjects))
        if known is None or known.account != ask.account:
            known = self._introduce(ask)
        self._asked = number = self._asked + 1
        waiting = self._waiting[number] = Deferred()
        self._send(kind(number, known.number, ask.id, ask.tokens, ask.micro_usd))
        if self._watching is None:
            self._watch()
        return number, waiting

    def _introduce(self, ask: Ask) -> "_Known":
        if self._named == KNOWN:
            self._known.clear()
            self._named = 0
        known = _Known(self._named, ask.account, ask.subjects)
        self._named += 1
        # An identity is theirs as long as they are kept here.
        self._known[id(ask.subjects)] = known
        subjects = share(ask, self._machines).subjects
        self._send(Whose(known.number, ask.account, subjects))
        return known

    def _withdraw(self, number: int, refund: Settlement | None = None) -> None:
        self._waiting.pop(number, None)
        self._send(Withdraw(number, refund))

    def settle(self, settlement: Settlement) -> None:
        """End what ``admit`` opened; it leaves within this turn of the reactor."""
        self._send(settle_of(settlement))

    async def close(self) -> None:
        """Send what is to be sent and end the link; cancelling ends it at once."""
        if self.lost:
            return
        self._flush()
        transport: Any = self.transport
        transport.loseConnection()
        slow = self._clock.callLater(CLOSE_S, transport.abortConnection)
        try:
            await self._ended
        finally:
            if slow.active():
                slow.cancel()
            transport.abortConnection()

    # -- the ledger's voice --------------------------------------------------------

    def seed(self, recent: Iterable[Recent]) -> None:
        """Say what was accepted in the last minute."""
        for each in recent:
            self._send(Seed(each))

    def raise_used(self, used: Iterable[Used]) -> None:
        """Say what the ledger holds."""
        for each in used:
            self._send(Raise(each))

    def settled(self, settlements: Iterable[Settlement]) -> None:
        """End what processes that are gone left open."""
        for each in settlements:
            self._send(settle_of(each))

    def writer_done(self, name: str) -> None:
        """Say that all the process of this name used is settled."""
        self._send(WriterDone(name))

    def replayed(self) -> None:
        """Say that the ledger has told all it knows: the keeper may answer."""
        self._send(Replayed())

    # -- the link ------------------------------------------------------------------

    def connectionMade(self) -> None:
        """Say who this is."""
        self.sendString(encode(Hello(VERSION, self._name)))

    def stringReceived(self, string: bytes) -> None:
        """Pass on the answers of one frame."""
        for answer in answers_of(string):
            waiting = self._waiting.pop(answer.number, None)
            if waiting is not None:
                waiting.callback(answer.verdict)

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: ARG002 -- Twisted's
        """Tell everybody who waits."""
        self.lost = True
        self._outbox.clear()
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None
        self._fail(list(self._waiting), _gone())
        self._ended.callback(None)

    def _send(self, message: ToKeeper) -> None:
        if self.lost:
            return
        if not self._outbox:
            self._put_off(self._flush)
        self._outbox.append(message)

    def _flush(self) -> None:
        outbox, self._outbox = self._outbox, []
        for first in range(0, len(outbox), MOST):
            self.sendString(encode(outbox[first : first + MOST]))

    def _watch(self) -> None:
        # One call for all of them: one for each would cost more than the asking.
        self._overdue = self._asked
        self._watching = self._clock.callLater(PATIENCE_S, self._look_after)

    def _look_after(self) -> None:
        self._watching = None
        overdue = [number for number in self._waiting if number <= self._overdue]
        if len(overdue) < len(self._waiting):
            self._watch()
        self._fail(
            overdue,
            LimitsUnavailable(
                "The process that keeps the limits does not answer; look into its log "
                "or restart the service."
            ),
        )

    def _fail(self, numbers: Iterable[int], problem: LimitsUnavailable) -> None:
        for number in numbers:
            waiting = self._waiting.pop(number, None)
            if waiting is not None:
                waiting.errback(problem)


def _refund(ask: Ask) -> Settlement:
    return Settlement(
        id=ask.id,
        account=ask.account,
        subjects=tuple(subject.name for subject in ask.subjects),
        tokens=0,
        micro_usd=0,
        refund=True,
    )


def _gone() -> LimitsUnavailable:
    return LimitsUnavailable(
        "The process that keeps the limits is gone; start the service again."
    )


def join(reactor: Any, descriptor: int, limits: RemoteLimits) -> RemoteLimits:
    """Connect ``limits`` by the inherited ``descriptor``, which is used up."""
    Pipe(reactor, descriptor, limits)
    return limits
