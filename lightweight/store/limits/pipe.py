"""A pair of sockets between two processes, as fast as Twisted lets it be.

Twisted's own transport for such sockets asks the kernel for descriptors with each read,
and sends what is written in the reactor's next turn, for which it changes twice what it
waits for. For frames of some hundred bytes that is most of what they cost.
"""

import socket
from typing import Any

from twisted.internet import main
from twisted.internet.abstract import FileDescriptor
from twisted.internet.error import ConnectionAborted
from twisted.internet.interfaces import IProtocol
from twisted.python.failure import Failure

READ_BYTES = 64 * 1024


class Pipe(FileDescriptor):
    """One end of the pair: the transport of a protocol."""

    def __init__(self, reactor: Any, descriptor: int, protocol: IProtocol) -> None:
        """Use up ``descriptor``, a connected stream; begins to read at once."""
        super().__init__(reactor)
        self._clock = reactor
        self._socket = socket.socket(fileno=descriptor)
        self._socket.setblocking(False)
        # A child that had it too would keep the other end from seeing this one die.
        self._socket.set_inheritable(False)
        self._protocol = protocol
        self._aborted = False
        self.connected = 1
        protocol.makeConnection(self)
        self.startReading()

    def fileno(self) -> int:
        """Give the descriptor; -1 once it is closed."""
        return self._socket.fileno()

    def doRead(self) -> Failure | Exception | None:
        """Pass on what has arrived."""
        try:
            data = self._socket.recv(READ_BYTES)
        except BlockingIOError:
            return None
        except OSError:
            return main.CONNECTION_LOST
        if not data:
            return main.CONNECTION_DONE
        self._protocol.dataReceived(data)
        return None

    def write(self, data: bytes) -> None:
        """Send at once what the kernel takes, and the rest in its turn."""
        if self._aborted:
            return
        if not (
            self.dataBuffer
            or self._tempDataBuffer  # no public way
            or self.disconnecting
            or not self.connected
        ):
            sent = self.writeSomeData(data)
            if isinstance(sent, int):
                data = data[sent:]
        if data:
            super().write(data)

    def writeSomeData(self, data: bytes) -> int | Exception:
        """Give how many bytes the kernel took; an error ends the connection."""
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0
        except OSError:
            return main.CONNECTION_LOST

    def abortConnection(self) -> None:
        """End it at once; what was not sent is lost. The protocol hears of it later."""
        if self.connected and not self._aborted:
            self._aborted = True
            self.stopReading()
            self.stopWriting()
            reason = Failure(ConnectionAborted())
            self._clock.callLater(0, self.connectionLost, reason)

    def connectionLost(self, reason: Failure) -> None:
        """Close the socket and tell the protocol, once."""
        if self.connected:
            super().connectionLost(reason)
            self._socket.close()
            self._protocol.connectionLost(reason)
