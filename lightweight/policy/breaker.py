"""Whether a provider is worth asking: one breaker for each, told of every verdict.

Closed, it lets all through. It opens when requests fail in a row or when most of the
last seconds' requests failed; then nobody asks until some time has passed, and then one
request alone, the probe, which closes it or opens it for twice as long. What a client
did wrong, or a limit the provider told, is no failure of the provider: it answered.
"""

from collections import deque
from typing import Literal, TypeAlias

from msgspec import Struct

State: TypeAlias = Literal["closed", "open", "half-open"]

Pass: TypeAlias = int
"""The era of the breaker in which a request passed: a late verdict is no verdict."""

_GOOD, _BAD = 1, 2
"""Where the verdicts of a second are counted, behind the second itself."""


class Rules(Struct, frozen=True, kw_only=True):
    """When a breaker opens and for how long; durations in seconds."""

    in_a_row: int = 5
    share: float = 0.5
    """Of the requests in ``window``, how many may fail."""
    least: int = 20
    """Verdicts in ``window`` below which the share says nothing."""
    window: float = 30.0
    open_for: float = 5.0
    longest: float = 60.0
    probe_wait: float = 1.0
    """What is told as the wait while the probe is under way."""


class Breaker:
    """The breaker of one provider. ``now`` is any monotonic clock, in seconds."""

    def __init__(self, rules: Rules | None = None) -> None:
        self._rules = rules or Rules()
        self._in_a_row = 0
        self._seconds: deque[list[int]] = deque()
        self._until: float | None = None
        self._open_for = self._rules.open_for
        self._probing = False
        self._era = 0

    def state(self, now: float) -> State:
        """Say how the breaker stands."""
        if self._until is None:
            return "closed"
        return "open" if now < self._until else "half-open"

    def wait(self, now: float) -> float:
        """Give the seconds until a request may pass; 0 if one may now."""
        if self._until is None:
            return 0.0
        if now < self._until:
            return self._until - now
        return self._rules.probe_wait if self._probing else 0.0

    def enter(self, now: float) -> Pass:
        """Let a request through, which ``wait`` allowed; it owes a verdict."""
        if self._until is not None and now >= self._until:
            self._probing = True
            self._era += 1
        return self._era

    def succeeded(self, era: Pass, now: float) -> bool:
        """Take a good verdict; tell whether it closed the breaker."""
        if era != self._era:
            return False
        self._in_a_row = 0
        self._counts(now)[_GOOD] += 1
        if self._until is None:
            return False
        self._close()
        return True

    def failed(self, era: Pass, now: float) -> bool:
        """Take a bad verdict; tell whether it opened the breaker."""
        if era != self._era:
            return False
        if self._until is not None:
            self._open_longer(now)
            return True
        self._in_a_row += 1
        self._counts(now)[_BAD] += 1
        if self._in_a_row < self._rules.in_a_row and not self._too_many():
            return False
        self._open(now)
        return True

    def left(self, era: Pass) -> None:
        """Learn that there will be no verdict: the client left first."""
        if era == self._era:
            self._probing = False

    def probed(self, now: float, *, good: bool) -> None:
        """Take what a question found that was asked for no client.

        A good one ends the wait: the next request is let through, and its verdict
        counts. It does not close the breaker, since a server may answer questions while
        its calls fail. A bad one after the wait stands for a request that failed, so
        that no client's has to. It never opens a closed breaker: a server that serves
        calls well need not know the question.
        """
        if self._until is None or self._probing:
            return
        if good:
            self._until = min(self._until, now)
        elif now >= self._until:
            self._open_longer(now)

    def _open_longer(self, now: float) -> None:
        self._open_for = min(2 * self._open_for, self._rules.longest)
        self._open(now)

    def _open(self, now: float) -> None:
        self._until = now + self._open_for
        self._probing = False
        self._era += 1

    def _close(self) -> None:
        self._until = None
        self._probing = False
        self._open_for = self._rules.open_for
        self._seconds.clear()
        self._era += 1

    def _counts(self, now: float) -> list[int]:
        """Give what this second counts, and forget those out of the window."""
        seconds, second = self._seconds, int(now)
        if not seconds or seconds[-1][0] != second:
            seconds.append([second, 0, 0])
        while seconds[0][0] <= now - self._rules.window:
            seconds.popleft()
        return seconds[-1]

    def _too_many(self) -> bool:
        good = sum(each[_GOOD] for each in self._seconds)
        bad = sum(each[_BAD] for each in self._seconds)
        enough = good + bad >= self._rules.least
        return enough and bad >= self._rules.share * (good + bad)
