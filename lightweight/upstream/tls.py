"""TLS to providers, by the standard library's ``ssl`` over buffers in memory.

Twisted's own layer works record by record through two exceptions each; here a read of
the socket is decrypted in one go. Verification is OpenSSL's, on by default and never
off: a chain to a trusted authority, and the name in subjectAltName (RFC 9525).
"""

from contextlib import suppress
from ssl import (
    OP_NO_RENEGOTIATION,
    PROTOCOL_TLS_CLIENT,
    MemoryBIO,
    SSLContext,
    SSLError,
    SSLWantReadError,
    TLSVersion,
)
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IProducer
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from lightweight.upstream.eager import send_now

RECORD_BYTES = 16384
"""The most that a record holds (RFC 8446 section 5.1)."""


def make_trust(authorities: str | None = None) -> SSLContext:
    """Give what connections of TLS 1.2 and newer are made with.

    ``authorities`` are the only certificates to trust, as PEM; the system's where it is
    None. Reading those takes milliseconds.
    """
    context = SSLContext(PROTOCOL_TLS_CLIENT)
    context.minimum_version = TLSVersion.TLSv1_2
    context.options |= OP_NO_RENEGOTIATION
    context.hostname_checks_common_name = False
    if authorities is None:
        context.load_default_certs()
    else:
        context.load_verify_locations(cadata=authorities)
    return context


class Secured(Protocol):
    """The protocol of a TCP connection, and the transport of what it carries.

    A peer that closes without saying so in TLS has not closed in order: the carried
    protocol is told ConnectionLost, since an attacker could have cut what was said.
    """

    transport: Any

    def __init__(self, context: SSLContext, host: str, carried: Protocol) -> None:
        """``carried`` is connected when the peer proved that it is ``host``."""
        self.carried = carried
        self.handshaken: Deferred[None] = Deferred(lambda _: self.abortConnection())
        """Fails with ssl.SSLError or how the connection ended; cancelling resets it."""
        self._received = MemoryBIO()
        self._sent = MemoryBIO()
        self._tls = context.wrap_bio(self._received, self._sent, server_hostname=host)
        self._shaken = False
        self._over = False

    # -- what TCP tells ------------------------------------------------------------

    def connectionMade(self) -> None:
        """Begin the handshake."""
        self.transport.setTcpNoDelay(True)
        self._shake()

    def dataReceived(self, data: bytes) -> None:
        """Take records, or parts of them."""
        if self._over:
            return
        self._received.write(data)
        if not self._shaken:
            self._shake()
        if self._shaken:
            self._read()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell the end, which is none in order: TLS would have said so before."""
        if reason.check(ConnectionDone):
            reason = Failure(ConnectionLost())
        self._end(reason)

    # -- what the carried protocol does --------------------------------------------

    def write(self, data: bytes) -> bool:
        """Send bytes; tell whether they have left, since no producer is asked then."""
        if self._over:
            return False
        self._tls.write(data)
        return self._flush()

    def loseConnection(self) -> None:
        """Close in order, without waiting for the peer (RFC 8446 section 6.1)."""
        if not self._over:
            # It says that the peer has not closed yet.
            with suppress(SSLError):
                self._tls.unwrap()
            self._flush()
        self.transport.loseConnection()

    def abortConnection(self) -> None:
        """Reset the connection."""
        self.transport.abortConnection()

    def pauseProducing(self) -> None:
        """Read no more."""
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Read again."""
        self.transport.resumeProducing()

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:  # noqa: FBT001 -- Twisted's
        """Ask a producer for more whenever what was written has left."""
        self.transport.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        """Ask it no more."""
        self.transport.unregisterProducer()

    # -- inside --------------------------------------------------------------------

    def _shake(self) -> None:
        try:
            self._tls.do_handshake()
        except SSLWantReadError:
            self._flush()
        except SSLError as error:
            # With the alert that says why.
            self._flush()
            self.transport.loseConnection()
            self._end(Failure(error))
        else:
            self._flush()
            self._shaken = True
            self.carried.makeConnection(self)
            self.handshaken.callback(None)

    def _read(self) -> None:
        """Decrypt what is there, and hand it on at once."""
        pieces: list[bytes] = []
        reason: Failure | None = None
        try:
            # An exception tells that there is no more; mostly it can be known without.
            while self._received.pending or self._tls.pending():
                piece = self._tls.read(RECORD_BYTES)
                if not piece:
                    reason = Failure(ConnectionDone())
                    break
                pieces.append(piece)
        except SSLWantReadError:
            pass
        except SSLError as error:
            reason = Failure(error)
        self._flush()
        if pieces:
            self.carried.dataReceived(
                pieces[0] if len(pieces) == 1 else b"".join(pieces)
            )
        if reason is not None:
            # Who closes reads no more either: nothing of ours is worth waiting for.
            self.transport.abortConnection()
            self._end(reason)

    def _flush(self) -> bool:
        return not self._sent.pending or send_now(self.transport, self._sent.read())

    def _end(self, reason: Failure) -> None:
        if self._over:
            return
        self._over = True
        if self._shaken:
            self.carried.connectionLost(reason)
        elif not self.handshaken.called:
            self.handshaken.errback(reason)
