"""Asking providers that are left alone whether they work, before a client does."""

from collections.abc import Awaitable, Callable, Iterable

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from msgspec import Struct

from lightweight.errors import ProviderFault
from lightweight.policy.breaker import Breaker

LOOK_SECONDS = 1.0


class Probed(Struct, frozen=True, kw_only=True):
    """A provider that is probed while its breaker is not closed."""

    name: str
    every: float
    """Seconds between probes, and from the breaker's opening to the first."""
    breaker: Breaker
    ask: Callable[[], Awaitable[None]]
    """Returns if the provider works; raises ProviderFault."""


class Probes:
    """Asks, from ``start`` to ``stop``; one question for each provider at a time."""

    log = Logger()

    def __init__(
        self, clock: IReactorTime, probed: Callable[[], Iterable[Probed]]
    ) -> None:
        self._clock = clock
        self._probed = probed
        self._due: dict[str, float] = {}
        self._asking: dict[str, Deferred[None]] = {}
        self._next: IDelayedCall | None = None

    def start(self) -> None:
        """Begin to look who is left alone."""
        self._next = self._clock.callLater(LOOK_SECONDS, self._look)

    def stop(self) -> None:
        """Ask no more, and wait for no answer."""
        if self._next is not None:
            self._next.cancel()
            self._next = None
        for asking in list(self._asking.values()):
            asking.cancel()

    def _look(self) -> None:
        self._next = self._clock.callLater(LOOK_SECONDS, self._look)
        now = self._clock.seconds()
        for each in self._probed():
            if each.breaker.state(now) == "closed":
                self._due.pop(each.name, None)
            elif each.name not in self._asking:
                due = self._due.setdefault(each.name, now + each.every)
                if now >= due:
                    self._begin(each)

    def _begin(self, each: Probed) -> None:
        asking = self._asking[each.name] = Deferred.fromCoroutine(self._ask(each))
        asking.addErrback(self._failed).addBoth(self._over, each)

    async def _ask(self, each: Probed) -> None:
        try:
            await each.ask()
        except ProviderFault:
            good = False
        else:
            good = True
            self.log.info(
                "Provider {name!r} answers again: the next call is let through.",
                name=each.name,
            )
        each.breaker.probed(self._clock.seconds(), good=good)

    def _failed(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            self.log.failure("A probe failed.", failure=failure)

    def _over(self, _result: None, each: Probed) -> None:
        del self._asking[each.name]
        self._due[each.name] = self._clock.seconds() + each.every
