"""What one subject has taken: in the last minute, at this moment, of its quotas."""

from lightweight.policy.pace import Balance, Room
from lightweight.policy.period import start_of
from lightweight.policy.window import Clock, Window


class Pot:
    """One quota of one period: what is used and what is reserved."""

    __slots__ = ("reserved", "used")

    def __init__(self) -> None:
        self.used = 0
        self.reserved = 0

    @property
    def gone(self) -> int:
        """What nobody else may have."""
        return self.used + self.reserved


class Purse:
    """Both quotas of one period."""

    __slots__ = ("micro_usd", "tokens")

    def __init__(self) -> None:
        self.tokens = Pot()
        self.micro_usd = Pot()

    @property
    def gone(self) -> bool:
        """Whether anything is used or reserved."""
        return bool(self.tokens.gone or self.micro_usd.gone)


class Tally:
    """What one subject has taken, limited or not: a limit set later holds at once.

    A new month has a new purse. What was reserved from the old one is settled with the
    old one, and leaves the new month alone.
    """

    __slots__ = (
        "_second",
        "leases",
        "month",
        "monthly",
        "prepaid",
        "requests",
        "tokens",
    )

    def __init__(self, month: int) -> None:
        self._second = -1
        self.requests = Window()
        self.tokens = Window()
        self.leases: dict[str, int | None] = {}
        """When each ends, in milliseconds, the earliest first; None: never."""
        self.month = month
        """The latest month there was."""
        self.monthly = Purse()
        self.prepaid = Purse()

    def pass_to(self, time: int, month: int) -> None:
        """Let go of what no longer counts at ``time``; neither time goes back."""
        second = time // 1000
        if second != self._second:
            self._second = second
            self.requests.slide(second)
            self.tokens.slide(second)
        while self.leases:
            request_id, until = next(iter(self.leases.items()))
            if until is None or until > time:
                break
            del self.leases[request_id]
        if month > self.month:
            self.turn(month)

    def turn(self, month: int) -> None:
        """Begin ``month`` if it is later than the last one."""
        if month > self.month:
            self.month = month
            self.monthly = Purse()

    @property
    def idle(self) -> bool:
        """Whether a new tally would say the same; ``pass_to`` comes first."""
        return not (
            self.leases
            or self.requests.total
            or self.tokens.total
            or self.monthly.gone
            or self.prepaid.gone
        )

    def purse(self, *, prepaid: bool) -> Purse:
        """Give the purse that pays."""
        return self.prepaid if prepaid else self.monthly

    def resets_at(self, *, prepaid: bool) -> int | None:
        """Give when the quotas reset, in milliseconds since the epoch."""
        return None if prepaid else start_of(self.month + 1)


def room(window: Window, limit: int, clock: Clock, now: int) -> Room:
    """Say what ``window`` still takes."""
    empty = window.empty()
    return Room(
        limit=limit,
        remaining=max(0, limit - window.total),
        reset_ms=clock.wait(empty, now) if empty else 0,
    )


def balance(pot: Pot, limit: int, resets_at: int | None) -> Balance:
    """Say what is left of a quota."""
    return Balance(
        limit=limit, used=pot.used, reserved=pot.reserved, resets_at_ms=resets_at
    )
