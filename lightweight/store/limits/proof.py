"""Proof that a home of limits holds them: for each kind one ask too many is refused.

A throw-away account that nobody has asks in its own name for more than it may, and
gives back what it got. Nothing of it is a use: no journal and no bill knows of it.
"""

from collections.abc import Callable, Collection, Iterable, Mapping

from twisted.internet.defer import Deferred, FirstError, gatherResults

from msgspec.structs import replace

from lightweight.policy.pace import (
    ACCOUNT,
    Ask,
    LimitName,
    Settlement,
    Subject,
    Verdict,
)
from lightweight.records import Limits
from lightweight.store.limits.limiter import Limiter, LimitsUnavailable

KINDS: Mapping[str, LimitName] = {
    "rpm": "requests",
    "tpm": "tokens",
    "concurrency": "concurrency",
    "quota_tokens": "quota_tokens",
    "quota_micro_usd": "quota_usd",
}
"""The fields of ``Limits``, and what a refusal calls them."""


def kinds_of(limits: Iterable[Limits]) -> Collection[str]:
    """Give the kinds of limits that are set in any of these."""
    known = list(limits)
    return [
        kind for kind in KINDS if any(getattr(each, kind) is not None for each in known)
    ]


async def prove(
    limiter: Limiter, kinds: Collection[str], new_id: Callable[[str], str]
) -> list[str]:
    """Give a sentence for each kind of limit that does not hold at this home.

    ``new_id`` makes ids that nobody had. It takes three answers of the home, for all
    kinds at once. Cancelling gives back what was taken.
    """
    trials = [
        Deferred.fromCoroutine(_Trial(limiter, kind, new_id).run()) for kind in kinds
    ]
    try:
        told: list[str | None] = await gatherResults(trials, consumeErrors=True)
    except FirstError as first:
        raise first.subFailure.value from None  # type: ignore[misc]  # it has one
    finally:
        for each in trials:
            each.cancel()
    return [problem for problem in told if problem is not None]


class _Trial:
    """One kind of limit, set to one for an account that there is not."""

    def __init__(
        self, limiter: Limiter, kind: str, new_id: Callable[[str], str]
    ) -> None:
        self._limiter = limiter
        self._kind = kind
        self._new_id = new_id
        self._account = new_id("selftest")
        self._subject = Subject(ACCOUNT, replace(Limits(), **{kind: 1}))
        self._open: list[str] = []

    async def run(self) -> str | None:
        try:
            return await self._why_not()
        except LimitsUnavailable:
            return f"The limit {self._kind} cannot be asked for."
        finally:
            self._give_back()

    async def _why_not(self) -> str | None:
        first = await self._ask()
        if first.refused is not None:
            return f"The limit {self._kind} refuses what it has room for."
        second = await self._ask()
        if second.refused is None:
            return f"The limit {self._kind} does not hold: it lets more pass."
        if second.refused.limit != KINDS[self._kind]:
            return f"The limit {self._kind} refuses in the name of another."
        self._give_back()
        third = await self._ask()
        if third.refused is not None:
            return f"The limit {self._kind} keeps what was given back."
        return None

    async def _ask(self) -> Verdict:
        ask = Ask(
            id=self._new_id("selftest"),
            account=self._account,
            subjects=(self._subject,),
            tokens=1,
            micro_usd=1,
        )
        verdict = await self._limiter.admit(ask)
        if verdict.refused is None:
            self._open.append(ask.id)
        return verdict

    def _give_back(self) -> None:
        while self._open:
            self._limiter.settle(
                Settlement(
                    id=self._open.pop(),
                    account=self._account,
                    subjects=(ACCOUNT,),
                    tokens=0,
                    micro_usd=0,
                    refund=True,
                )
            )
