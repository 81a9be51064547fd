"""What each account may still do: asked of its limits, remembered for the next answer.

The last verdict of every account in use is kept. Rate headers are made of it, and a
request whose refusal it proves is refused before its body is read.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from typing import TypeAlias, TypeVar

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

import msgspec
from msgspec import Struct

from lightweight.errors import Fault, Overloaded
from lightweight.policy.admission import Tier, subjects_of
from lightweight.policy.pace import Ask, Room, Settlement, Subject, Verdict
from lightweight.policy.refusal import fault_of
from lightweight.records import Account, ApiKey, Headers, Identity
from lightweight.store.limits.limiter import Limiter, LimitsUnavailable

REMEMBERED = 10_000
"""Verdicts that are kept, the latest ones; and keys whose limits are known."""

QUOTA_MS = 1000
"""For how long a quota that is used up refuses unasked: a top-up counts soon."""

CONCURRENCY_MS = 1000
"""What a refusal says of a place that another call may free at any moment."""

UNAVAILABLE = "The limits of this account cannot be checked. Try again in a moment."

_Whose: TypeAlias = tuple[str, str]
"""An account, and the subject of it whose verdicts these are."""

_Names: TypeAlias = tuple[str, str, str]
_REQUESTS: _Names = (
    "x-ratelimit-limit-requests",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-reset-requests",
)
_TOKENS: _Names = (
    "x-ratelimit-limit-tokens",
    "x-ratelimit-remaining-tokens",
    "x-ratelimit-reset-tokens",
)

_log = Logger()
_Name = TypeVar("_Name")
_Kept = TypeVar("_Kept")


class _Told(Struct):
    """A verdict and when it came, by the reactor's clock."""

    ask: Ask
    verdict: Verdict
    at: float


class _Limited(Struct):
    """Whose limits count for a key, as long as it, its account and their tier stay."""

    account: Account
    key: ApiKey
    tier: Tier
    subjects: tuple[Subject, ...]


class Rates:
    """The limits as the web sees them."""

    def __init__(
        self,
        limiter: Limiter,
        clock: IReactorTime,
        *,
        tiers: Callable[[], Mapping[str, Tier]],
    ) -> None:
        """``tiers`` gives those in force."""
        self._limiter = limiter
        self._clock = clock
        self._tiers = tiers
        self._told: OrderedDict[_Whose, _Told] = OrderedDict()
        self._subjects: OrderedDict[str, _Limited] = OrderedDict()
        """By the key's id."""
        self._strange: set[str] = set()
        self.decisions: Counter[str] = Counter()
        """What limits said so far: ``admitted``, ``unavailable``, or which refused."""

    def subjects(self, identity: Identity) -> tuple[Subject, ...]:
        """Give whose limits count for ``identity``; empty where there are none."""
        account, key, tiers = identity.account, identity.key, self._tiers()
        tier = tiers.get(account.tier)
        if tier is None:
            self._complain(account)
            return subjects_of(identity, tiers)
        known = self._subjects.get(key.id)
        if (
            known is not None
            and known.account is account
            and known.key is key
            and known.tier is tier
        ):
            # It was found from these very objects, which never change.
            return known.subjects
        subjects = subjects_of(identity, tiers)
        _keep(self._subjects, key.id, _Limited(account, key, tier, subjects))
        return subjects

    def _complain(self, account: Account) -> None:
        if account.tier in self._strange:
            return
        self._strange.add(account.tier)
        _log.warn(
            "The configuration has no tier {tier!r}, which account {account!r} is "
            "in: the strictest limits of all tiers hold for it. Add the tier or "
            "give the account another.",
            tier=account.tier,
            account=account.name,
        )

    async def admit(self, ask: Ask) -> None:
        """Take what ``ask`` wants; raise the Fault that says why it is refused.

        Raises Overloaded where nobody can say. Cancelling takes nothing.
        """
        try:
            verdict = await self._limiter.admit(ask)
        except LimitsUnavailable:
            self.decisions["unavailable"] += 1
            raise Overloaded(UNAVAILABLE) from None
        self._remember(ask, verdict)
        if verdict.refused is not None:
            self.decisions[verdict.refused.limit] += 1
            raise fault_of(verdict.refused, verdict, ask)
        self.decisions["admitted"] += 1

    def settle(self, settlement: Settlement) -> None:
        """End what ``admit`` took."""
        self._limiter.settle(settlement)

    async def look(self, identity: Identity, request_id: str) -> Verdict:
        """Give what is left, taking nothing; raise Overloaded where nobody can say."""
        verdict, _ = await self.foresee(identity, request_id, tokens=0)
        return verdict

    async def foresee(
        self, identity: Identity, request_id: str, *, tokens: int
    ) -> tuple[Verdict, Fault | None]:
        """Give what is left, and why a call of so many tokens would be refused now.

        Takes nothing. Raises Overloaded where nobody can say.
        """
        subjects = self.subjects(identity)
        if not subjects:
            return Verdict(), None
        ask = Ask(
            id=request_id,
            account=identity.account.id,
            subjects=subjects,
            tokens=tokens,
            micro_usd=0,
        )
        try:
            verdict = await self._limiter.look(ask)
        except LimitsUnavailable:
            raise Overloaded(UNAVAILABLE) from None
        self._remember(ask, verdict)
        if verdict.refused is None:
            return verdict, None
        return verdict, fault_of(verdict.refused, verdict, ask)

    async def recall(self, identity: Identity, request_id: str) -> None:
        """Look where nothing is remembered, for the headers; it may fail silently."""
        if self._last(identity) is None:
            try:
                await self.look(identity, request_id)
            except Overloaded:
                return

    def headers(self, identity: Identity) -> Headers:
        """Give the rate headers of an answer that leaves now."""
        # Where nothing is remembered nobody has limits.
        told = self._last(identity) if self._told else None
        if told is None:
            return {}
        passed = self._passed_ms(told)
        return {
            **_room(_REQUESTS, told.verdict.requests, passed),
            **_room(_TOKENS, told.verdict.tokens, passed),
        }

    def refusal(self, identity: Identity) -> Fault | None:
        """Say why any call must be refused now; None where only ``admit`` can say."""
        told = self._last(identity) if self._told else None
        if told is None or told.verdict.refused is None or told.verdict.local:
            return None
        left = self._closed_ms(told)
        if left <= 0 or self.subjects(identity) != told.ask.subjects:
            return None
        refused = told.verdict.refused
        if refused.limit == "requests":
            refused = msgspec.structs.replace(refused, retry_after_ms=left)
        self.decisions[refused.limit] += 1
        return fault_of(refused, told.verdict, told.ask)

    def _last(self, identity: Identity) -> _Told | None:
        subjects = self.subjects(identity)
        if not subjects:
            return None
        return self._told.get((identity.account.id, subjects[-1].name))

    def _remember(self, ask: Ask, verdict: Verdict) -> None:
        whose = (ask.account, ask.subjects[-1].name)
        _keep(self._told, whose, _Told(ask, verdict, self._clock.seconds()))

    def _passed_ms(self, told: _Told) -> int:
        return int((self._clock.seconds() - told.at) * 1000)

    def _closed_ms(self, told: _Told) -> int:
        """Give for how long the verdict refuses whatever may be asked, from now."""
        verdict = told.verdict
        refused = verdict.refused
        assert refused is not None
        closed = 0
        if refused.limit == "requests" and _nothing_else(told):
            closed = refused.retry_after_ms or 0
        elif refused.limit in ("quota_tokens", "quota_usd") and _used_up(verdict):
            closed = QUOTA_MS
        return closed - self._passed_ms(told)


def _keep(table: OrderedDict[_Name, _Kept], name: _Name, kept: _Kept) -> None:
    """Put into ``table`` what is the latest now, and drop the oldest of too many."""
    table[name] = kept
    table.move_to_end(name)
    if len(table) > REMEMBERED:
        # A dict would look for its first entry behind thousands that were dropped.
        table.popitem(last=False)


def _nothing_else(told: _Told) -> bool:
    """Whether only the requests were too many: the wait is that of all limits.

    Another request may want less of the others, so theirs proves nothing of it.
    """
    ask, verdict, refused = told.ask, told.verdict, told.verdict.refused
    assert refused is not None
    rooms = [verdict.tokens, verdict.quota_tokens]
    if any(room is not None and room.remaining < ask.tokens for room in rooms):
        return False
    money = verdict.quota_usd
    if money is not None and money.remaining < ask.micro_usd:
        return False
    # Of the calls at the same time a verdict does not say how many are left.
    counted = any(subject.limits.concurrency for subject in ask.subjects)
    return not counted or (refused.retry_after_ms or 0) > CONCURRENCY_MS


def _used_up(verdict: Verdict) -> bool:
    """Whether no call at all has room in a quota, even one that costs nothing.

    What is only reserved may come back at any moment.
    """
    tokens, money = verdict.quota_tokens, verdict.quota_usd
    return (tokens is not None and tokens.used >= tokens.limit) or (
        money is not None and money.used > money.limit
    )


def _room(names: _Names, room: Room | None, passed_ms: int) -> Headers:
    if room is None:
        return {}
    limit, remaining, reset = names
    left_ms = max(0, room.reset_ms - passed_ms)
    return {
        limit: str(room.limit),
        remaining: str(room.remaining if left_ms else room.limit),
        reset: span(left_ms),
    }


def span(milliseconds: int) -> str:
    """Give a duration as OpenAI writes it: ``12ms``, ``1s``, ``6m0s``, ``1h0m0s``."""
    if 0 < milliseconds < 1000:  # noqa: PLR2004 -- a second
        return f"{milliseconds}ms"
    minutes, seconds = divmod(-(-milliseconds // 1000), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{seconds}s"
    return f"{minutes}m{seconds}s" if minutes else f"{seconds}s"
