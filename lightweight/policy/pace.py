"""How fast and how much: what is asked of limits and what they answer.

The arithmetic is in ``book``, over ``verdict``, ``tally``, ``window`` and ``period``.
Times are whole milliseconds since the epoch by the clock of whoever keeps the limits,
amounts whole tokens and whole micro-USD: Lua and Python then count alike. None can hold
itself, so the collector need not look at them; a verdict goes from process to process
with every call, so as an array.
"""

from collections.abc import Mapping
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from lightweight.records import Limits

LimitName: TypeAlias = Literal[
    "requests", "tokens", "concurrency", "quota_tokens", "quota_usd"
]

ACCOUNT = ""
"""The name of the subject that is the account itself; a key's is its id."""


class Subject(Struct, frozen=True, gc=False):
    """Whose limits count: the account (``ACCOUNT``), or one of its keys by id."""

    name: str
    limits: Limits


class Ask(Struct, frozen=True, kw_only=True, gc=False):
    """What a call wants at once, all or nothing, from each of its subjects."""

    id: str
    """The request id: asking twice with one id takes once."""
    account: str
    subjects: tuple[Subject, ...]
    """The account first."""
    tokens: int
    """The estimate: reserved of the quota, counted by TPM until it is corrected."""
    micro_usd: int


class Settlement(Struct, frozen=True, kw_only=True, gc=False):
    """What a call really took. Settling an id that is not open changes nothing."""

    id: str
    account: str
    subjects: tuple[str, ...]
    """The names of the Ask's subjects."""
    tokens: int
    micro_usd: int
    refund: bool = False
    """No provider was asked: give back the request itself too."""


class Room(Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """What a sliding window still takes, of the subject with the least of it left."""

    limit: int
    remaining: int
    reset_ms: int
    """Until the window is wholly empty again if nothing more comes; 0: it is."""


class Balance(Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """A quota and what is gone of it, of the subject with the least of it left."""

    limit: int
    used: int
    reserved: int
    resets_at_ms: int | None
    """The start of the next period; None: prepaid."""

    @property
    def remaining(self) -> int:
        """What is neither used nor reserved, at least 0."""
        return max(0, self.limit - self.used - self.reserved)


class Refusal(Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """Why not: the first limit that has no room, the account's before the key's."""

    subject: str
    limit: LimitName
    allowed: int
    """The limit itself."""
    retry_after_ms: int | None
    """Waiting so long succeeds unless others come first; None: it never will.

    That of all limits without room, not only of the one that is named.
    """


class Verdict(Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """The answer to an Ask, and what is left after it."""

    refused: Refusal | None = None
    requests: Room | None = None
    """None here and below: nobody limits it."""
    tokens: Room | None = None
    quota_tokens: Balance | None = None
    quota_usd: Balance | None = None
    local: bool = False
    """Decided by this machine's share while the shared limits are out of reach."""


class Used(Struct, frozen=True, kw_only=True, gc=False):
    """What the ledger knows a subject to have used; amounts only ever rise to it."""

    account: str
    subject: str
    month: int
    """As ``period.month_of`` counts them, or ``period.PREPAID``."""
    tokens: int
    micro_usd: int


class Recent(Struct, frozen=True, kw_only=True, gc=False):
    """What the ledger knows a subject to have asked for in the last minute."""

    account: str
    subject: str
    requests: Mapping[int, int]
    """How many were accepted in each second since the epoch."""


def share(ask: Ask, machines: int) -> Ask:
    """Give ``ask`` with one machine's part of each rate: ceil(limit / machines).

    Quotas stay whole: what is left of them cannot be divided without asking.
    """
    if machines == 1:
        return ask
    return replace(
        ask,
        subjects=tuple(
            Subject(
                subject.name,
                replace(
                    subject.limits,
                    rpm=_part(subject.limits.rpm, machines),
                    tpm=_part(subject.limits.tpm, machines),
                    concurrency=_part(subject.limits.concurrency, machines),
                ),
            )
            for subject in ask.subjects
        ),
    )


def _part(limit: int | None, machines: int) -> int | None:
    return None if limit is None else -(-limit // machines)
