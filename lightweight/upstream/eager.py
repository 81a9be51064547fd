"""Writing to a socket without waiting for its readiness in the reactor's next turn."""

from typing import Any

from twisted.internet import tcp

_PLAIN = (tcp.Server, tcp.Client)


def send_now(transport: Any, data: bytes | memoryview) -> bool:
    """Send at once what the kernel takes, where nothing waits; the rest in its turn.

    Give whether all of it has left. A transport other than Twisted's own of TCP is
    written to. What waits is known to private places alone
    (twisted.internet.abstract.FileDescriptor).
    """
    if type(transport) in _PLAIN and not (
        transport.dataBuffer
        or transport._tempDataBuffer  # noqa: SLF001 -- no public way
        or transport.TLS
        or transport.disconnecting
        or not transport.connected
    ):
        sent = transport.writeSomeData(data)
        # Else an exception or a negative number: the next write meets it too.
        if isinstance(sent, int) and sent > 0:
            data = data[sent:]
            if not data:
                return True
    transport.write(bytes(data))
    return False
