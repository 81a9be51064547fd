"""What stands between a request and the shared limits: their troubles end here.

The first ask that the shared home cannot answer opens the guard. From then on nobody
waits for that home: the policy decides, and one cheap question in the background finds
out when it is back.
"""

from collections.abc import Iterable
from typing import Any, Literal, Protocol, TypeAlias

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from lightweight.policy.pace import (
    Ask,
    Balance,
    Settlement,
    Subject,
    Used,
    Verdict,
)
from lightweight.policy.period import PREPAID, month_of
from lightweight.store.limits.limiter import Limiter, LimitsUnavailable
from lightweight.store.limits.shared import Shared, UseUnknown

log = Logger()

Policy: TypeAlias = Literal["local", "open", "closed"]

PROBE_S = 0.5
"""From one probe to the next."""

QUOTA_S = 60.0
"""How long the last known balance of a quota is good for, once the guard is open."""

MOST_KNOWN = 10_000
"""Balances remembered: a few MB."""

_NEXT = {
    "local": "this machine's share holds until they are back",
    "open": "no limits hold until they are back",
    "closed": "requests are refused until they are back",
}

AWAY = (
    "The limits of this account cannot be checked at the moment: "
    "try again in a few seconds."
)
"""What a client is told."""


class Fallback(Limiter, Protocol):
    """A home on this machine that has a share of each rate and marks its verdicts."""

    def raise_used(self, used: Iterable[Used]) -> None:
        """Count as used at least so much."""


class Guard:
    """A Limiter that asks ``shared`` while it answers, and else does as it is told."""

    def __init__(
        self, shared: Shared, local: Fallback, *, policy: Policy, clock: Any
    ) -> None:
        """``clock`` is monotonic and calls later (IReactorTime)."""
        self._shared = shared
        self._local = local
        self._policy = policy
        self._clock = clock
        self._open_since: float | None = None
        self._why = ""
        self._probing: Deferred[None] | None = None
        self._next_probe: IDelayedCall | None = None
        self._closed = False
        self._elsewhere: dict[str, Limiter | None] = {}
        """By request id who admitted what the shared home knows nothing of."""
        self._known: dict[tuple[str, str], tuple[tuple[Subject, ...], Verdict]] = {}
        """The last balances of accounts and keys with quotas, the latest last."""
        self._raised: set[tuple[str, str]] = set()
        self._unknown = False
        """Whether it was told already that the use of quotas is not known."""
        self.local_decisions = 0
        """Asks that were answered without the shared home."""

    @property
    def why_degraded(self) -> str | None:
        """One sentence for the operator while the shared home is away."""
        return None if self._open_since is None else self._why

    async def start(self) -> None:
        """Wait until the shared home was looked for once, however that ended.

        Cancelling stops waiting; the home is sought until ``close``.
        """
        await self._shared.start()
        try:
            await self._shared.probe()
        except LimitsUnavailable as problem:
            self._open(problem)

    async def close(self) -> None:
        """Stop probing and close both homes."""
        self._closed = True
        if self._next_probe is not None:
            self._next_probe.cancel()
            self._next_probe = None
        if self._probing is not None:
            self._probing.cancel()
        await self._shared.close()
        await self._local.close()

    # -- asking --------------------------------------------------------------------

    async def admit(self, ask: Ask) -> Verdict:
        """Take all that ``ask`` wants, or nothing; say which and why.

        Raises LimitsUnavailable with a sentence for the client: by policy, or where the
        balance of a quota is not known. Cancelling gives back what was or will be
        taken.
        """
        if self._open_since is None:
            try:
                verdict = await self._shared.admit(ask)
            except LimitsUnavailable as problem:
                self._failed(problem)
            else:
                return self._heard(ask, verdict)
        self.local_decisions += 1
        home = self._fallback(ask)
        verdict = Verdict(local=True) if home is None else await home.admit(ask)
        if verdict.refused is None:
            self._elsewhere[ask.id] = home
        return verdict

    async def look(self, ask: Ask) -> Verdict:
        """Say what ``admit`` would, taking nothing. Raises as it does."""
        if self._open_since is None:
            try:
                verdict = await self._shared.look(ask)
            except LimitsUnavailable as problem:
                self._failed(problem)
            else:
                return self._heard(ask, verdict)
        home = self._fallback(ask)
        return Verdict(local=True) if home is None else await home.look(ask)

    def _failed(self, problem: LimitsUnavailable) -> None:
        """Return where the policy decides; raise where it may not."""
        if isinstance(problem, UseUnknown):
            self._complain(problem)
            raise LimitsUnavailable(AWAY) from problem
        self._open(problem)

    def settle(self, settlement: Settlement) -> None:
        """End what ``admit`` opened, with whoever admitted it."""
        home = self._elsewhere.pop(settlement.id, self._shared)
        if home is not None:
            home.settle(settlement)

    # -- alone ---------------------------------------------------------------------

    def _fallback(self, ask: Ask) -> Limiter | None:
        """Give who decides by policy; None: all is allowed."""
        if self._policy == "closed":
            raise LimitsUnavailable(AWAY)
        if self._policy == "open":
            return None
        if _has_quota(ask):
            self._tell_balance(ask)
        return self._local

    def _tell_balance(self, ask: Ask) -> None:
        """Let the local home count what was gone of the quotas when last heard of.

        All on this machine share that home, so together they use no more than was left.
        """
        since = self._open_since
        subjects, known = self._known.get(_who(ask), ((), None))
        if (
            since is None
            or known is None
            or subjects != ask.subjects
            or self._clock.seconds() - since > QUOTA_S
        ):
            raise LimitsUnavailable(AWAY)
        if _who(ask) not in self._raised:
            self._raised.add(_who(ask))
            self._local.raise_used(_gone_of(ask, known))

    def _heard(self, ask: Ask, verdict: Verdict) -> Verdict:
        """Remember the balances of the shared home's verdict, and give it."""
        if verdict.quota_tokens is not None or verdict.quota_usd is not None:
            self._unknown = False
            who = _who(ask)
            self._known.pop(who, None)
            self._known[who] = (ask.subjects, verdict)
            if len(self._known) > MOST_KNOWN:
                del self._known[next(iter(self._known))]
        return verdict

    def _complain(self, problem: UseUnknown) -> None:
        if not self._unknown:
            log.error("Quotas cannot be checked: {problem}", problem=str(problem))
        self._unknown = True

    # -- open and closed -----------------------------------------------------------

    def _open(self, problem: LimitsUnavailable) -> None:
        if self._open_since is not None or self._closed:
            return
        self._open_since = self._clock.seconds()
        self._why = f"The shared limits are out of reach: {_NEXT[self._policy]}."
        log.error("{why} ({problem})", why=self._why, problem=str(problem))
        self._plan()

    def _plan(self) -> None:
        self._next_probe = self._clock.callLater(PROBE_S, self._probe)

    def _probe(self) -> None:
        self._next_probe = None
        self._probing = Deferred.fromCoroutine(self._shared.probe())
        self._probing.addCallbacks(self._back, self._still_away)

    def _back(self, _result: None) -> None:
        self._probing = None
        self._open_since = None
        self._raised.clear()
        log.info("The shared limits are back: they hold again.")

    def _still_away(self, failure: Failure) -> None:
        self._probing = None
        if self._closed:
            return
        if not failure.check(LimitsUnavailable):
            # Whatever it is, probing must go on.
            log.failure("The shared limits could not be probed", failure)
        self._plan()


def _who(ask: Ask) -> tuple[str, str]:
    # Hashing all limits, for each ask, would cost more than comparing them when needed.
    return ask.account, ask.subjects[-1].name


def _has_quota(ask: Ask) -> bool:
    return any(
        subject.limits.quota_tokens is not None
        or subject.limits.quota_micro_usd is not None
        for subject in ask.subjects
    )


def _gone_of(ask: Ask, known: Verdict) -> Iterable[Used]:
    """Give what may not be used again of each subject's quotas.

    Verdicts tell of the subject with the least left; the others get no more than it.
    """
    for subject in ask.subjects:
        limits = subject.limits
        tokens = _gone(limits.quota_tokens, known.quota_tokens)
        micro_usd = _gone(limits.quota_micro_usd, known.quota_usd)
        yield Used(
            account=ask.account,
            subject=subject.name,
            month=PREPAID if limits.prepaid else _month(known),
            tokens=tokens,
            micro_usd=micro_usd,
        )


def _gone(limit: int | None, known: Balance | None) -> int:
    if limit is None or known is None:
        return 0
    return max(0, limit - known.remaining)


def _month(known: Verdict) -> int:
    """Give the month of which the balances are."""
    ends = [
        balance.resets_at_ms
        for balance in (known.quota_tokens, known.quota_usd)
        if balance is not None and balance.resets_at_ms is not None
    ]
    return month_of(ends[0]) - 1 if ends else PREPAID
