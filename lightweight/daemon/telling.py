"""The ledger's word in the limits' terms: what the bookkeeper learns, the limits count.

The ledger counts by account and key, days and months; the limits by account and
subject, where the account itself is one, and by numbered months.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Protocol

from lightweight.policy.pace import ACCOUNT, Recent, Settlement
from lightweight.policy.pace import Used as Counted
from lightweight.policy.period import PREPAID
from lightweight.records import Use
from lightweight.store.usage import Owner, Used

MONTHS = 12


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


class Telling:
    """The bookkeeper's Tellers, over one home of limits or several."""

    def __init__(self, voices: Sequence[Voice]) -> None:
        self._voices = voices

    def admitted(self, recent: Mapping[Owner, Mapping[int, int]]) -> None:
        """Tell how many requests each key sent in each of the last seconds."""
        for voice in self._voices:
            voice.seed(recents(recent))

    def used(self, used: Sequence[Used]) -> None:
        """Tell what the ledger holds against quotas."""
        counted_used = [counted(each) for each in used]
        for voice in self._voices:
            voice.raise_used(counted_used)

    def aborted(self, uses: Sequence[Use]) -> None:
        """Tell of calls whose process died."""
        settlements = [settlement(use) for use in uses]
        for voice in self._voices:
            voice.settled(settlements)

    def left(self, writer: str) -> None:
        """Tell that a writer is gone and settled."""
        for voice in self._voices:
            voice.writer_done(writer)

    def replayed(self) -> None:
        """Tell that everything from before the start was told."""
        for voice in self._voices:
            voice.replayed()


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
