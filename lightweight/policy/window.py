"""What was taken in the last 60 s, counted by the second, and the time of counting.

A second counts as long as any part of it is within the last 60 s: with the one that is
running they are 61. Never more than the limit is therefore taken in any 60 s, whatever
their beginning, at the price that room comes back up to one second late.
"""

SPAN_MS = 60_000

_KEPT = 61
"""Seconds that count, the running one among them."""


class Clock:
    """The time of one account: it never goes back, and never stands still for long.

    Set back by up to 60 s it stands until it is caught up with. Set back by more it
    goes on from where it was at the pace of the clock it is given: what was taken keeps
    its age, so nothing reopens, and a clock that ran ahead by hours and was put right
    freezes nothing.
    """

    __slots__ = ("_ahead", "time")

    def __init__(self, now: int) -> None:
        self.time = now
        self._ahead = 0

    def read(self, now: int) -> int:
        """Give the time at ``now``, in milliseconds."""
        time = now + self._ahead
        if time < self.time - SPAN_MS:
            self._ahead = self.time - now
        elif time > self.time:
            self.time = time
        return self.time

    def wait(self, until: int, now: int) -> int:
        """Give the milliseconds from ``now`` until the time is ``until``."""
        return until - now - self._ahead


class Window:
    """Amounts by second. Give seconds that never go back, and ``slide`` before reading.

    At most 61 of them are kept, oldest first, and only those with an amount.
    """

    __slots__ = ("_amounts", "total")

    def __init__(self) -> None:
        self._amounts: dict[int, int] = {}
        self.total = 0

    def slide(self, second: int) -> None:
        """Drop what no longer counts in ``second``."""
        oldest = second - _KEPT
        amounts = self._amounts
        while amounts:
            first = next(iter(amounts))
            if first > oldest:
                break
            self.total -= amounts.pop(first)

    def add(self, second: int, amount: int) -> None:
        """Count ``amount`` in ``second``, which is now."""
        if amount:
            self._amounts[second] = self._amounts.get(second, 0) + amount
            self.total += amount

    def take_back(self, second: int, amount: int) -> None:
        """Count ``amount`` less in ``second``, if that still counts."""
        counted = self._amounts.get(second, 0)
        less = min(amount, counted)
        self.total -= less
        if counted > less:
            self._amounts[second] = counted - less
        elif counted:
            del self._amounts[second]

    def raise_to(self, amounts: dict[int, int]) -> None:
        """Count in each second at least what is given."""
        merged = {
            second: max(self._amounts.get(second, 0), amounts.get(second, 0))
            for second in sorted(self._amounts.keys() | amounts.keys())
        }
        self._amounts = merged
        self.total = sum(merged.values())

    def frees(self, amount: int) -> int:
        """Give the time, in milliseconds, at which ``amount`` will have left.

        ``amount`` is at most ``total`` and more than 0.
        """
        left = 0
        for second, counted in self._amounts.items():
            left += counted
            if left >= amount:
                return _gone(second)
        raise AssertionError(f"{amount} of {self.total} cannot leave")

    def empty(self) -> int:
        """Give the time, in milliseconds, at which all will have left; 0: it has."""
        return _gone(next(reversed(self._amounts))) if self._amounts else 0


def _gone(second: int) -> int:
    return (second + _KEPT) * 1000
