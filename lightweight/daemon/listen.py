"""Open the listening sockets that endpoint strings name, before anything is served."""

from collections.abc import Iterable, Sequence

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import (
    IListeningPort,
    IReactorCore,
    IStreamServerEndpoint,
)
from twisted.internet.protocol import ServerFactory
from twisted.python.failure import Failure

BACKLOG = 4096
"""Connections the kernel queues: with Twisted's 50 a burst of 51 loses a second."""


class CannotListen(Exception):
    """One address cannot be served; the text says which, why and what to do."""


def endpoint(reactor: IReactorCore, description: str) -> IStreamServerEndpoint:
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
    reactor: IReactorCore, descriptions: Iterable[str], factory: ServerFactory
) -> Sequence[IListeningPort]:
    """Open every socket now; if one cannot be opened close the others and raise.

    Raises CannotListen. Nothing is accepted before the reactor runs.
    """
    ports: list[IListeningPort] = []
    for description in descriptions:
        outcome: list[IListeningPort | Failure] = []
        listening: Deferred[IListeningPort] = endpoint(reactor, description).listen(
            factory
        )
        listening.addBoth(outcome.append)
        # Every server endpoint of Twisted binds within listen().
        opened = outcome[0] if outcome else None
        if isinstance(opened, Failure) or opened is None:
            for port in ports:
                port.stopListening()
            reason = opened.getErrorMessage() if opened else "it did not open at once"
            raise CannotListen(
                f"listen: cannot open {description!r}: {reason}. Stop what holds the "
                "address or change 'listen' in the configuration."
            )
        ports.append(opened)
    return ports
