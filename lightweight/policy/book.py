"""All accounts' limits: who may go on, decided in one step over all of an ask's limits.

Everything an ask takes is counted for each of its subjects, limited or not, and nothing
is counted of a refused one. Every method takes ``now``, in milliseconds since the
epoch. It may go back: windows and leases follow their account's ``Clock``, months
never return. A clock that ran ahead into another month leaves quotas in that month
until it comes or the book is made anew from the ledger.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from lightweight.policy.pace import Ask, Recent, Settlement, Used, Verdict
from lightweight.policy.period import PREPAID, month_of
from lightweight.policy.tally import Purse, Tally
from lightweight.policy.verdict import Standing, refusal, verdict
from lightweight.policy.window import Clock

LOOKED_AT = 2
"""Accounts that ``tidy`` looks at in one call."""

GIVE_UP_MS = 600_000
"""After its lease ended, in milliseconds, a reservation is nobody's."""


class _Reservation(Struct, gc=False):
    """What one open ask took."""

    second: int
    tokens: int
    micro_usd: int
    until: int | None
    """When its lease ends, in milliseconds; None: never."""
    taken: dict[Tally, Purse]


class _Account:
    __slots__ = ("clock", "open", "tallies")

    def __init__(self, now: int) -> None:
        self.clock = Clock(now)
        self.tallies: dict[str, Tally] = {}
        self.open: dict[str, _Reservation] = {}


class Book:
    """Keeps count for all accounts that have something to keep."""

    def __init__(self, lease_ms: int | None = None) -> None:
        """``lease_ms``: how long a lease lasts unless renewed; None: until settled.

        What was reserved is given up GIVE_UP_MS after its lease ended, as soon as
        somebody asks for the same subject.
        """
        self._lease_ms = lease_ms
        self._accounts: dict[str, _Account] = {}
        self._month = 0
        """The latest month of a tally that was dropped: none begins before it."""

    @property
    def size(self) -> int:
        """How many accounts something is kept of."""
        return len(self._accounts)

    # -- asking --------------------------------------------------------------------

    def admit(self, ask: Ask, now: int) -> Verdict:
        """Take all that ``ask`` wants of each subject, or nothing; say which and why.

        An id that is open already is allowed and takes nothing more.
        """
        account = self._account(ask.account, now)
        time = account.clock.read(now)
        standing = self._standing(account, ask, time, now)
        if ask.id in account.open:
            return verdict(standing, account.clock, now, None)
        refused = refusal(standing, ask, account.clock, now)
        if refused is None:
            self._take(account, standing, ask, time)
        return verdict(standing, account.clock, now, refused)

    def look(self, ask: Ask, now: int) -> Verdict:
        """Say what ``admit`` would, and what is left now; nothing is taken."""
        account = self._account(ask.account, now)
        standing = self._standing(account, ask, account.clock.read(now), now)
        refused = None
        if ask.id not in account.open:
            refused = refusal(standing, ask, account.clock, now)
        return verdict(standing, account.clock, now, refused)

    def _take(self, account: _Account, standing: Standing, ask: Ask, time: int) -> None:
        second = time // 1000
        until = None if self._lease_ms is None else time + self._lease_ms
        taken = {}
        for subject, tally in standing:
            purse = tally.purse(prepaid=subject.limits.prepaid)
            purse.tokens.reserved += ask.tokens
            purse.micro_usd.reserved += ask.micro_usd
            tally.requests.add(second, 1)
            tally.tokens.add(second, ask.tokens)
            tally.leases[ask.id] = until
            taken[tally] = purse
        account.open[ask.id] = _Reservation(
            second, ask.tokens, ask.micro_usd, until, taken
        )

    # -- what came of it -----------------------------------------------------------

    def settle(self, settlement: Settlement, now: int) -> None:
        """End what ``admit`` opened. An id that is not open changes nothing.

        Tokens that were estimated too high go back to the second of the admission while
        it counts; those estimated too low count now.
        """
        account = self._accounts.get(settlement.account)
        if account is None:
            return
        reservation = _close(account, settlement.id)
        if reservation is None:
            return
        second = account.clock.read(now) // 1000
        excess = settlement.tokens - reservation.tokens
        for tally, purse in reservation.taken.items():
            purse.tokens.used += settlement.tokens
            purse.micro_usd.used += settlement.micro_usd
            if excess > 0:
                tally.tokens.add(second, excess)
            else:
                tally.tokens.take_back(reservation.second, -excess)
            if settlement.refund:
                tally.requests.take_back(reservation.second, 1)

    def forget(self, account: str, ids: Iterable[str]) -> None:
        """Release what these reserve as unused; the last minute keeps them."""
        kept = self._accounts.get(account)
        if kept is not None:
            for each in ids:
                _close(kept, each)

    # -- leases --------------------------------------------------------------------

    def renew(self, account: str, ids: Iterable[str], now: int) -> None:
        """Let the leases of these last ``lease_ms`` from now; ended ones stay ended."""
        kept = self._accounts.get(account)
        if kept is None or self._lease_ms is None:
            return
        time = kept.clock.read(now)
        for each in ids:
            for tally in _leased(kept, each):
                until = tally.leases.pop(each)
                if until is not None and until > time:
                    tally.leases[each] = time + self._lease_ms
                    kept.open[each].until = time + self._lease_ms

    def drop_leases(self, account: str, ids: Iterable[str]) -> None:
        """End the leases of these at once: nobody works on them any more."""
        kept = self._accounts.get(account)
        if kept is not None:
            for each in ids:
                for tally in _leased(kept, each):
                    del tally.leases[each]

    # -- the ledger's word ---------------------------------------------------------

    def raise_used(self, used: Used, now: int) -> None:
        """Count as used at least what the ledger says; nothing of an earlier month.

        A call must not be in it whose settlement is still to come: it counts twice.
        """
        tally = self._tally(self._account(used.account, now), used.subject)
        if used.month != PREPAID:
            tally.turn(used.month)
            if used.month < tally.month:
                return
        purse = tally.purse(prepaid=used.month == PREPAID)
        purse.tokens.used = max(purse.tokens.used, used.tokens)
        purse.micro_usd.used = max(purse.micro_usd.used, used.micro_usd)

    def seed(self, recent: Recent, now: int) -> None:
        """Count in each of the last seconds at least what the ledger says."""
        account = self._account(recent.account, now)
        second = account.clock.read(now) // 1000
        window = self._tally(account, recent.subject).requests
        window.raise_to({s: n for s, n in recent.requests.items() if s <= second and n})
        window.slide(second)

    # -- memory --------------------------------------------------------------------

    def tidy(self, now: int) -> None:
        """Look at a few accounts, each in its turn, and drop what says nothing now.

        Each new account calls it: that bounds memory, and costs the others nothing.
        """
        month = month_of(now)
        for _ in range(min(LOOKED_AT, len(self._accounts))):
            name = next(iter(self._accounts))
            account = self._accounts.pop(name)
            if not account.open:
                self._drop_idle(account, account.clock.read(now), month)
            if account.tallies:
                self._accounts[name] = account

    def _drop_idle(self, account: _Account, time: int, month: int) -> None:
        for name, tally in list(account.tallies.items()):
            tally.pass_to(time, month)
            if tally.idle:
                # Were the clock set back, an earlier month would begin anew.
                self._month = max(self._month, tally.month)
                del account.tallies[name]

    # -- finding -------------------------------------------------------------------

    def _account(self, name: str, now: int) -> _Account:
        account = self._accounts.get(name)
        if account is None:
            self.tidy(now)
            account = self._accounts[name] = _Account(now)
        return account

    def _tally(self, account: _Account, name: str) -> Tally:
        tally = account.tallies.get(name)
        if tally is None:
            tally = account.tallies[name] = Tally(self._month)
        return tally

    def _standing(self, account: _Account, ask: Ask, time: int, now: int) -> Standing:
        month = month_of(now)
        standing = [(each, self._tally(account, each.name)) for each in ask.subjects]
        for _, tally in standing:
            tally.pass_to(time, month)
            if self._lease_ms is not None:
                _give_up(account, tally, time - GIVE_UP_MS)
        return standing


def _leased(account: _Account, request_id: str) -> Iterator[Tally]:
    reservation = account.open.get(request_id)
    if reservation is not None:
        for tally in reservation.taken:
            if request_id in tally.leases:
                yield tally


def _close(account: _Account, request_id: str) -> _Reservation | None:
    """End the lease and the reservation; what was used is for others to count."""
    reservation = account.open.pop(request_id, None)
    if reservation is not None:
        for tally, purse in reservation.taken.items():
            _release(reservation, request_id, tally, purse)
    return reservation


def _release(
    reservation: _Reservation, request_id: str, tally: Tally, purse: Purse
) -> None:
    tally.leases.pop(request_id, None)
    purse.tokens.reserved -= reservation.tokens
    purse.micro_usd.reserved -= reservation.micro_usd


def _give_up(account: _Account, tally: Tally, before: int) -> None:
    """Release what is reserved of ``tally`` by those whose lease ended ``before``."""
    for request_id, each in list(account.open.items()):
        if each.until is None or each.until > before or tally not in each.taken:
            continue
        _release(each, request_id, tally, each.taken.pop(tally))
        if not each.taken:
            del account.open[request_id]
