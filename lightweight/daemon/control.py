"""The control socket: the command line asks, one JSON line each way."""

import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory, connectionDone
from twisted.logger import Logger
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure

import msgspec

from lightweight.daemon.listen import BACKLOG, InheritedUnixPort
from lightweight.daemon.messages import (
    LONGEST,
    VERSION,
    Misunderstood,
    Request,
    decode,
)

Deed: TypeAlias = Callable[[], Awaitable[Mapping[str, object]]]
"""What a request does; its answer."""

OWNER_ONLY = 0o600


class Asked(LineOnlyReceiver):
    """One connection: answers each line in turn."""

    log = Logger()
    delimiter = b"\n"
    MAX_LENGTH = LONGEST

    def __init__(self, deeds: Mapping[str, Deed], open_ones: "set[Asked]") -> None:
        self._deeds = deeds
        self._open_ones = open_ones

    def connectionMade(self) -> None:
        """Be counted as open."""
        self._open_ones.add(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: ARG002 -- Twisted's
        """Be forgotten."""
        self._open_ones.discard(self)

    def lineReceived(self, line: bytes) -> None:
        """Do what is asked and answer."""
        try:
            request = decode(line, Request)
        except Misunderstood as problem:
            self._answer({"error": str(problem)})
            return
        answer = self._deeds[request.do]()
        Deferred.fromCoroutine(_awaited(answer)).addCallbacks(
            self._answer, self._failed
        )

    def _failed(self, failure: Failure) -> None:
        self.log.failure("A control request failed.", failure=failure)
        self._answer({"error": "It failed; the log says more."})

    def _answer(self, answer: Mapping[str, object]) -> None:
        if self in self._open_ones:
            self.sendLine(msgspec.json.encode({"version": VERSION, **answer}))


async def _awaited(answer: Awaitable[Mapping[str, object]]) -> Mapping[str, object]:
    return await answer


class Control:
    """Listens at ``path``, for its owner only, until it is closed."""

    def __init__(self, reactor: Any, path: Path, deeds: Mapping[str, Deed]) -> None:
        """Take the place over from whoever had it before; raises OSError."""
        self._path = path
        self._open_ones: set[Asked] = set()
        factory = Factory.forProtocol(lambda: Asked(deeds, self._open_ones))
        factory.noisy = False
        listening = _bound(path)
        self._inode = path.stat().st_ino
        port: Any = InheritedUnixPort._fromListeningDescriptor(  # noqa: SLF001 -- as Twisted's adoptStreamPort does
            reactor, listening.fileno(), factory
        )
        listening.close()
        port.backlog = BACKLOG
        # Its name is relative to a directory that is closed: nothing to chmod there.
        port._bindPath = b"\0"  # noqa: SLF001 -- there is no other way
        port.startListening()
        self._port = port

    async def close(self) -> None:
        """Listen no more and hang up; the name goes if it is still ours."""
        await self._port.stopListening()
        for each in list(self._open_ones):
            transport: Any = each.transport
            transport.loseConnection()
        try:
            if self._path.stat().st_ino == self._inode:
                self._path.unlink()
        except OSError:
            return


def _bound(path: Path) -> socket.socket:
    """Bind beside ``path`` and move there: never a moment open to others.

    A path may be longer than the 108 bytes of unix(7): bound by its directory.
    """
    directory = os.open(path.parent, os.O_PATH | os.O_CLOEXEC)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        new.unlink(missing_ok=True)
        listening.bind(f"/proc/self/fd/{directory}/{new.name}")
        new.chmod(OWNER_ONLY)
        # Nobody can connect before listen().
        new.rename(path)
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    finally:
        os.close(directory)
    return listening
