"""The ledger's word in the limits' terms: what the bookkeeper learns, the limits count.

The ledger counts by account and key, days and months; the limits by account and
subject, where the account itself is one, and by numbered months.
"""

import math
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from lightweight.policy.pace import ACCOUNT, Recent, Settlement
from lightweight.policy.pace import Used as Counted
from lightweight.policy.period import PREPAID
from lightweight.records import Use
from lightweight.store.limits.limiter import LimitsUnavailable
from lightweight.store.limits.shared import SharedAndTold
from lightweight.store.usage import Owner, Used

MONTHS = 12

SETTLED_S = 5.0
"""Seconds after which a use that the ledger has is surely settled with the limits.

A sum that holds a use before its settlement arrives would count it twice.
"""


class Voice(Protocol):
    """A home of limits that listens to the ledger; every call returns at once."""

    def seed(self, recent: Iterable[Recent]) -> None:
        """Count at least what was accepted in the last minute."""

    def raise_used(self, used: Iterable[Counted]) -> None:
        """Count at least what the ledger holds."""

    def settled(self, settlements: Iterable[Settlement]) -> None:
        """End what processes that are gone left open."""

    def writer_done(self, name: str) -> None:
        """Release what this process still holds: all it used is settled."""

    def replayed(self) -> None:
        """Answer from now on: the ledger has told all it knows."""


class SharedVoice:
    """Limits in Redis, which workers fill from the ledger where it forgot them.

    What does not arrive is told again with the account's next use.
    """

    def __init__(self, limits: SharedAndTold) -> None:
        self._limits = limits

    def seed(self, recent: Iterable[Recent]) -> None:
        """Do nothing: Redis outlives this machine's processes."""

    def raise_used(self, used: Iterable[Counted]) -> None:
        """Count at least what the ledger holds, if Redis is there."""
        told = Deferred.fromCoroutine(self._limits.raise_used(list(used)))
        told.addErrback(lambda failure: failure.trap(LimitsUnavailable))

    def settled(self, settlements: Iterable[Settlement]) -> None:
        """End what processes that are gone left open."""
        for each in settlements:
            self._limits.settle(each)

    def writer_done(self, name: str) -> None:
        """Do nothing: what is not renewed expires."""

    def replayed(self) -> None:
        """Do nothing: nobody waits for this machine's ledger."""


class Telling:
    """The bookkeeper's Tellers, over one home of limits or several."""

    def __init__(self, voices: Sequence[Voice], clock: IReactorTime) -> None:
        self._voices = voices
        self._clock = clock
        self._held: deque[tuple[float, Callable[[Voice], None]]] = deque()
        self._next: IDelayedCall | None = None

    def admitted(self, recent: Mapping[Owner, Mapping[int, int]]) -> None:
        """Tell how many requests each key sent in each of the last seconds."""
        for voice in self._voices:
            voice.seed(recents(recent))

    def used(self, used: Sequence[Used]) -> None:
        """Tell what the ledger holds against quotas, when the limits know it too."""
        counted_used = [counted(each) for each in used]
        self._later(lambda voice: voice.raise_used(counted_used))

    def aborted(self, uses: Sequence[Use]) -> None:
        """Tell of calls whose process died."""
        settlements = [settlement(use) for use in uses]
        for voice in self._voices:
            voice.settled(settlements)

    def left(self, writer: str) -> None:
        """Tell that a writer is gone and settled, after what it used was told."""
        self._later(lambda voice: voice.writer_done(writer))

    def replayed(self) -> None:
        """Tell at once all that was said, and that the limits may answer."""
        self._say(until=math.inf)
        for voice in self._voices:
            voice.replayed()

    def close(self) -> None:
        """Say nothing more: whoever follows begins by saying all of it."""
        self._held.clear()
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _later(self, say: Callable[[Voice], None]) -> None:
        self._held.append((self._clock.seconds() + SETTLED_S, say))
        if self._next is None:
            self._next = self._clock.callLater(SETTLED_S, self._due)

    def _due(self) -> None:
        self._next = None
        now = self._clock.seconds()
        self._say(until=now)
        if self._held:
            self._next = self._clock.callLater(self._held[0][0] - now, self._due)

    def _say(self, *, until: float) -> None:
        while self._held and self._held[0][0] <= until:
            _, say = self._held.popleft()
            for voice in self._voices:
                say(voice)


def recents(by_key: Mapping[Owner, Mapping[int, int]]) -> list[Recent]:
    """Give the seconds of each key, and of each account over all its keys."""
    subjects: dict[Owner, Counter[int]] = {}
    for (account, key), seconds in by_key.items():
        for subject in (ACCOUNT, key):
            subjects.setdefault((account, subject), Counter()).update(seconds)
    return [
        Recent(account=account, subject=subject, requests=seconds)
        for (account, subject), seconds in subjects.items()
    ]


def counted(used: Used) -> Counted:
    """Give a sum of the ledger as a quota counts it."""
    return Counted(
        account=used.account_id,
        subject=used.key_id,
        month=PREPAID if used.month is None else numbered(used.month),
        tokens=used.tokens,
        micro_usd=used.micro_usd,
    )


def numbered(day: date) -> int:
    """Give the number of the month of ``day``, as ``period.month_of`` counts."""
    return day.year * MONTHS + day.month - 1


def settlement(use: Use) -> Settlement:
    """Give what ends the reservation of a use that its process could not end."""
    usage = use.outcome.usage
    return Settlement(
        id=use.outcome.request_id,
        account=use.outcome.account_id,
        subjects=(ACCOUNT, use.outcome.key_id),
        tokens=0 if usage is None else usage.total,
        micro_usd=use.micro_usd or 0,
    )
