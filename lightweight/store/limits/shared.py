"""The contract of limits that several machines share, and what is told to them.

Apart from the home itself, which brings a client of Redis: who has none need not wait
for its import.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeAlias

from msgspec import Struct

from lightweight.policy.pace import Recent, Subject, Used
from lightweight.store.limits.limiter import Limiter, LimitsUnavailable


class UseUnknown(LimitsUnavailable):
    """Redis lost what an account used, and the ledger cannot say it."""


class Seed(Struct, frozen=True, kw_only=True):
    """What the ledger knows of subjects; who is not named used nothing."""

    used: Sequence[Used] = ()
    recent: Sequence[Recent] = ()


SeedFrom: TypeAlias = Callable[[str, Sequence[Subject]], Awaitable[Seed]]
"""Gives the ledger's word on subjects of an account; raises StoreProblem."""


class Shared(Limiter, Protocol):
    """A home that may be away: each ask is answered or refused in bounded time."""

    async def start(self) -> None:
        """Look for the home once; it is sought until ``close``."""

    async def probe(self) -> None:
        """Return if the home answers asks. Raises LimitsUnavailable."""


class SharedAndTold(Shared, Protocol):
    """One that the ledger tells of what was used."""

    async def raise_used(self, used: Sequence[Used]) -> None:
        """Count as used at least what the ledger says.

        A call must not be in it whose settlement is still to come: it counts twice.
        Raises LimitsUnavailable when some or all of it may not have been taken: telling
        it again is harmless. Cancelling does not take it back.
        """
