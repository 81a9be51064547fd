"""Open the listening sockets that endpoint strings name, before anything is served."""

import os
import socket
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twisted.internet import tcp, unix
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import (
    IListeningPort,
    IProtocolFactory,
    IStreamServerEndpoint,
)
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure

BACKLOG = 4096
"""Connections the kernel queues: with Twisted's 50 a burst of 51 loses a second."""


ANY = {"0.0.0.0", "::", ""}  # noqa: S104 -- compared with, not listened on
TLS = ("ssl:", "tls:")


class CannotListen(Exception):
    """One address cannot be served; the text says which, why and what to do."""


@dataclass(frozen=True)
class Opened:
    """One socket that listens, and the endpoint string it was opened for."""

    description: str
    port: IListeningPort

    @property
    def url(self) -> str:
        """Where a client on this machine finds it: a URL, or a socket's path."""
        host = self.port.getHost()
        if not isinstance(host, IPv4Address | IPv6Address):
            return self.description
        scheme = "https" if self.description.startswith(TLS) else "http"
        name = "127.0.0.1" if host.host in ANY else host.host
        return f"{scheme}://{f'[{name}]' if ':' in name else name}:{host.port}"

    @property
    def number(self) -> int | None:
        """The TCP port; None for what has none."""
        host = self.port.getHost()
        return host.port if isinstance(host, IPv4Address | IPv6Address) else None

    @property
    def descriptor(self) -> int:
        """What a worker inherits."""
        number: int = self.port.fileno()  # type: ignore[attr-defined]  # every Port is a FileDescriptor
        return number

    def hold(self) -> None:
        """Leave connections in the kernel's queue: nobody is refused meanwhile."""
        self.port.stopReading()  # type: ignore[attr-defined]  # every Port is a FileDescriptor

    def accept(self) -> None:
        """Take connections from the kernel's queue."""
        self.port.startReading()  # type: ignore[attr-defined]  # every Port is a FileDescriptor

    async def close(self) -> None:
        """Listen no more; connections live on. Cancelling changes nothing."""
        closing = self.port.stopListening()
        if closing is not None:
            await closing


class InheritedUnixPort(unix.Port):
    """A UNIX socket of the parent's: what is on disk is the parent's to change."""

    _shouldShutdown = False

    def connectionLost(self, reason: Failure) -> None:
        """Close this process's descriptor only."""
        tcp.Port.connectionLost(self, reason)


class Adopter:
    """Stands for the reactor before an endpoint: it listens on a given descriptor."""

    def __init__(self, reactor: Any, descriptor: int) -> None:
        self._reactor = reactor
        self._descriptor = descriptor

    def adopt(self, factory: IProtocolFactory) -> IListeningPort:
        """Serve ``factory`` on the inherited socket."""
        with socket.socket(fileno=os.dup(self._descriptor)) as inherited:
            family, name = inherited.family, inherited.getsockname()
        port: IListeningPort
        if family != socket.AF_UNIX:
            port = self._reactor.adoptStreamPort(self._descriptor, family, factory)
            return port
        own: Any = InheritedUnixPort._fromListeningDescriptor(  # noqa: SLF001 -- as adoptStreamPort does
            self._reactor, self._descriptor, factory
        )
        own.backlog = BACKLOG
        # Twisted sets the mode anew whenever it listens.
        own.mode = stat.S_IMODE(Path(os.fsdecode(name)).stat().st_mode)
        own.startListening()
        port = own
        return port

    def listenTCP(
        self, _port: int, factory: IProtocolFactory, **_: object
    ) -> IListeningPort:
        """Listen for a tcp: or tcp6: endpoint."""
        return self.adopt(factory)

    def listenUNIX(
        self, _path: str, factory: IProtocolFactory, **_: object
    ) -> IListeningPort:
        """Listen for a unix: endpoint."""
        return self.adopt(factory)

    def listenSSL(
        self,
        _port: int,
        factory: IProtocolFactory,
        contextFactory: Any,
        **_: object,
    ) -> IListeningPort:
        """Listen for an ssl: endpoint, with the certificates that are there now."""
        return self.adopt(TLSMemoryBIOFactory(contextFactory, False, factory))


def adopt_ports(
    reactor: Any, sockets: Iterable[tuple[str, int]], factory: IProtocolFactory
) -> Sequence[Opened]:
    """Listen on descriptors that the parent opened for endpoint strings.

    Raises CannotListen. Nothing is accepted before the reactor runs.
    """
    ports: list[Opened] = []
    for description, descriptor in sockets:
        adopter = Adopter(reactor, descriptor)
        if description.startswith("systemd:"):
            # Only the parent was given the descriptor's name.
            ports.append(Opened(description, adopter.adopt(factory)))
        else:
            ports += open_ports(adopter, [description], factory)
        os.close(descriptor)
    return ports


def endpoint(reactor: Any, description: str) -> IStreamServerEndpoint:
    """Make the endpoint of a Twisted endpoint string; raise CannotListen if none is."""
    kind = description.split(":", 1)[0]
    if kind in {"tcp", "unix", "ssl"} and ":backlog=" not in description:
        description += f":backlog={BACKLOG}"
    try:
        made: IStreamServerEndpoint = serverFromString(reactor, description)
    except Exception as problem:
        raise CannotListen(
            f"listen: {description!r} is no endpoint this server can open ({problem}); "
            "write it like 'tcp:8080:interface=127.0.0.1'."
        ) from problem
    return made


def open_ports(
    reactor: Any, descriptions: Iterable[str], factory: IProtocolFactory
) -> Sequence[Opened]:
    """Open every socket now; if one cannot be opened close the others and raise.

    Raises CannotListen. Nothing is accepted before the reactor runs.
    """
    ports: list[Opened] = []
    for description in descriptions:
        outcome: list[IListeningPort | Failure] = []
        listening: Deferred[IListeningPort] = endpoint(reactor, description).listen(
            factory
        )
        listening.addBoth(outcome.append)
        # Every server endpoint of Twisted binds within listen().
        opened = outcome[0] if outcome else None
        if isinstance(opened, Failure) or opened is None:
            for earlier in ports:
                earlier.port.stopListening()
            reason = opened.getErrorMessage() if opened else "it did not open at once"
            raise CannotListen(
                f"listen: cannot open {description!r}: {reason}. Stop what holds the "
                "address or change 'listen' in the configuration."
            )
        ports.append(Opened(description, opened))
    return ports
