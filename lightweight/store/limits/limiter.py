"""The contract of a home of limits; its suite runs over every one of them."""

from typing import Protocol

from lightweight.policy.pace import Ask, Settlement, Verdict
from lightweight.store.problems import StoreProblem


class LimitsUnavailable(StoreProblem):
    """Nobody can say whether there is room, and ``on_failure`` says not to guess."""


class Limiter(Protocol):
    """Decides who may go on, and learns what came of it."""

    async def admit(self, ask: Ask) -> Verdict:
        """Take all that ``ask`` wants, or nothing, in one step; say which and why.

        Raises LimitsUnavailable. Cancelling gives back what was or will be taken.
        """

    async def look(self, ask: Ask) -> Verdict:
        """Say what ``admit`` would, taking nothing.

        Raises LimitsUnavailable. Cancelling is harmless.
        """

    def settle(self, settlement: Settlement) -> None:
        """End what ``admit`` opened; returns at once and arrives as soon as it can."""

    async def close(self) -> None:
        """Send what is to be sent and let go of the home."""
