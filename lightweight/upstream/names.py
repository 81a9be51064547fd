"""Host names to addresses, off the way of requests: known addresses serve at once.

The system's resolver runs in threads and may take seconds. What it said last serves
while it is asked again in the background, and goes on to serve while it is silent.
"""

from typing import Any

from twisted.internet.interfaces import (
    IAddress,
    IHostnameResolver,
    IHostResolution,
    IReactorPluggableNameResolver,
    IResolutionReceiver,
)
from zope.interface import implementer

FRESH_SECONDS = 30.0
"""Age from which an answer is asked for again, in the background."""

STALE_SECONDS = 600.0
"""Age from which it serves only where no newer one can be had."""


def with_remembered_names(reactor: Any) -> Any:
    """Give a view of the reactor that remembers addresses; for one provider."""
    return _Reactor(reactor)


@implementer(IReactorPluggableNameResolver)
class _Reactor:
    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self.nameResolver = RememberedNames(reactor)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)

    def installNameResolver(self, resolver: IHostnameResolver) -> IHostnameResolver:
        """Pass it on: what is remembered stays."""
        installed: IHostnameResolver = self._reactor.installNameResolver(resolver)
        return installed


@implementer(IHostnameResolver)
class RememberedNames:
    """The reactor's own resolver and what it said."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._known: dict[tuple[str, int], tuple[float, list[IAddress]]] = {}
        self._asked: dict[tuple[str, int], list[IResolutionReceiver]] = {}

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: object = None,  # noqa: ARG002 -- providers take any
        transportSemantics: str = "TCP",  # noqa: ARG002 -- providers speak TCP
    ) -> IHostResolution:
        """Give the receiver the addresses, at once where they are known."""
        key = (hostName, portNumber)
        resolution = _Resolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)
        known_at, addresses = self._known.get(key, (0.0, []))
        age = self._reactor.seconds() - known_at
        if addresses and age < STALE_SECONDS:
            _tell(resolutionReceiver, addresses)
            if age >= FRESH_SECONDS:
                self._ask(key)
        else:
            self._ask(key, resolutionReceiver)
        return resolution

    def _ask(self, key: tuple[str, int], *waiting: IResolutionReceiver) -> None:
        if key in self._asked:
            self._asked[key] += waiting
            return
        self._asked[key] = [*waiting]
        receiver = _Receiver(lambda addresses: self._answered(key, addresses))
        self._reactor.nameResolver.resolveHostName(receiver, key[0], key[1])

    def _answered(self, key: tuple[str, int], addresses: list[IAddress]) -> None:
        if addresses:
            self._known[key] = (self._reactor.seconds(), addresses)
        _, addresses = self._known.get(key, (0.0, []))
        for waiting in self._asked.pop(key):
            _tell(waiting, addresses)


def _tell(receiver: IResolutionReceiver, addresses: list[IAddress]) -> None:
    for address in addresses:
        receiver.addressResolved(address)
    receiver.resolutionComplete()


@implementer(IHostResolution)
class _Resolution:
    def __init__(self, name: str) -> None:
        self.name = name

    def cancel(self) -> None:
        """Do nothing: others may wait for the same name."""


@implementer(IResolutionReceiver)
class _Receiver:
    def __init__(self, answered: Any) -> None:
        self._answered = answered
        self._addresses: list[IAddress] = []

    def resolutionBegan(self, _resolution: IHostResolution) -> None:
        """Wait."""

    def addressResolved(self, address: IAddress) -> None:
        self._addresses.append(address)

    def resolutionComplete(self) -> None:
        self._answered(self._addresses)
