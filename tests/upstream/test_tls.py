"""TLS without a socket: who is believed, how it ends, and what a read brings."""

import re
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

import pytest
from support.tls import ServerContext, authority, make_authority

from lightweight.upstream.tls import RECORD_BYTES, Secured, make_trust


class Carried(Protocol):
    """Keeps what it is told."""

    transport: Any

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.ends: list[Failure] = []

    def dataReceived(self, data: bytes) -> None:
        self.pieces.append(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.ends.append(reason)


class Tcp(StringTransport):
    """What a TCP transport has besides."""

    def setTcpNoDelay(self, enabled: bool) -> None:  # noqa: FBT001 -- Twisted's
        assert enabled


class Pair:
    """A client of ours and a server of the standard library, connected by hand."""

    def __init__(
        self, server: ssl.SSLContext, trust: ssl.SSLContext, host: str
    ) -> None:
        self.tcp = Tcp()
        self.refused: list[ssl.SSLError] = []
        self.carried = Carried()
        self.ours = Secured(trust, host, self.carried)
        self.failures: list[Failure] = []
        self.ours.handshaken.addErrback(self.failures.append)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.theirs = server.wrap_bio(self._in, self._out, server_side=True)

    def shake(self) -> None:
        """Go through the handshake, wherever it ends."""
        self.ours.makeConnection(self.tcp)
        for _ in range(4):
            self.to_server()
            try:
                self.theirs.do_handshake()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError as refused:
                self.refused.append(refused)
            self.to_client()

    def to_server(self) -> None:
        self._in.write(self.tcp.value())
        self.tcp.clear()

    def to_client(self, size: int | None = None) -> None:
        """Deliver what the server said, in pieces of ``size``."""
        data = self._out.read()
        step = size or max(1, len(data))
        for at in range(0, len(data), step):
            self.ours.dataReceived(data[at : at + step])

    def close_server(self) -> None:
        """Let the server say that it closes."""
        with pytest.raises(ssl.SSLWantReadError):
            self.theirs.unwrap()


MakePair = Callable[..., Pair]


@pytest.fixture
def pair(tmp_path: Path) -> MakePair:
    def make(
        certificate: ServerContext | None = None,
        host: str = "127.0.0.1",
        trust: ssl.SSLContext | None = None,
        prepare: Callable[[ssl.SSLContext], None] = lambda _: None,
    ) -> Pair:
        pem = tmp_path / "server.pem"
        pem.write_bytes((certificate or authority().server()).pem)
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(pem)
        prepare(server)
        return Pair(server, trust or make_trust(authority().pem.decode()), host)

    return make


@pytest.fixture
def shaken(pair: MakePair) -> Pair:
    made = pair()
    made.shake()
    assert made.failures == []
    return made


# -- who is believed -------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "a.example.org"])
def test_a_name_that_was_signed_for_is_believed(pair: MakePair, host: str) -> None:
    certificate = authority().server("127.0.0.1", "localhost", "*.example.org")
    made = pair(certificate, host)
    made.shake()
    assert made.failures == []
    assert made.ours.handshaken.called
    assert made.carried.transport is made.ours


@pytest.mark.parametrize(
    ("signed_for", "host"),
    [
        ("example.org", "127.0.0.1"),
        ("example.org", "example.com"),
        ("a*.example.org", "ab.example.org"),
        ("*.example.org", "a.b.example.org"),
    ],
)
def test_another_name_is_not(pair: MakePair, signed_for: str, host: str) -> None:
    refused(pair(authority().server(signed_for), host), "mismatch|not valid for")


def test_a_common_name_is_no_name(pair: MakePair) -> None:
    made = pair(authority().commonly_named("a.example.org"), "a.example.org")
    refused(made, "mismatch|not valid for")


def test_what_has_expired_is_not(pair: MakePair) -> None:
    refused(pair(authority().server(expired=True)), "expired")


def test_what_another_authority_signed_is_not(pair: MakePair) -> None:
    for trusted in (make_authority().pem.decode(), None):
        refused(pair(trust=make_trust(trusted)), "issuer certificate|signature")


def refused(made: Pair, why: str) -> None:
    made.shake()
    (failure,) = made.failures
    assert failure.check(ssl.SSLCertVerificationError)
    assert re.search(why, str(failure.value))
    assert made.carried.transport is None
    assert made.tcp.disconnecting
    assert "alert" in str(made.refused[0]), "the server is told"


def test_who_speaks_no_tls_is_not_believed(pair: MakePair) -> None:
    made = pair()
    made.ours.makeConnection(made.tcp)
    made.ours.dataReceived(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    (failure,) = made.failures
    assert failure.check(ssl.SSLError)
    assert made.tcp.disconnecting


def test_versions_before_1_2_are_refused(pair: MakePair) -> None:
    def old(server: ssl.SSLContext) -> None:
        server.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.warns(DeprecationWarning):
            server.minimum_version = ssl.TLSVersion.TLSv1
        with pytest.warns(DeprecationWarning):
            server.maximum_version = ssl.TLSVersion.TLSv1_1

    made = pair(prepare=old)
    made.shake()
    assert len(made.failures) == 1
    assert made.carried.transport is None


@pytest.mark.parametrize(
    ("host", "shown"), [("localhost", "localhost"), ("127.0.0.1", None)]
)
def test_the_server_is_told_the_name_it_is_asked_for(
    pair: MakePair, host: str, shown: str | None
) -> None:
    seen: list[str | None] = []

    def watch(server: ssl.SSLContext) -> None:
        def told(_: object, name: str | None, __: object) -> None:
            seen.append(name)

        server.sni_callback = told

    pair(host=host, prepare=watch).shake()
    assert seen == [shown]


def test_a_handshake_that_breaks_off(pair: MakePair) -> None:
    made = pair()
    made.ours.makeConnection(made.tcp)
    made.ours.connectionLost(Failure(ConnectionDone()))
    assert [failure.type for failure in made.failures] == [ConnectionLost]


# -- what a read brings ----------------------------------------------------------------


def test_all_records_of_a_read_are_one_piece(shaken: Pair) -> None:
    data = bytes(range(256)) * (3 * RECORD_BYTES // 256)
    shaken.theirs.write(data)
    shaken.theirs.write(b"more")
    shaken.to_client()
    assert shaken.carried.pieces == [data + b"more"]


@pytest.mark.parametrize("size", [1, 7, 1460])
def test_how_records_are_cut_does_not_matter(shaken: Pair, size: int) -> None:
    data = bytes(range(256)) * 80
    shaken.theirs.write(data)
    shaken.to_client(size)
    assert b"".join(shaken.carried.pieces) == data


def test_what_we_write_arrives(shaken: Pair) -> None:
    data = b"x" * (5 * RECORD_BYTES)
    shaken.ours.write(data)
    shaken.to_server()
    read = b""
    while len(read) < len(data):
        read += shaken.theirs.read(RECORD_BYTES)
    assert read == data


def test_pausing_is_the_tcp_transports(shaken: Pair) -> None:
    shaken.ours.pauseProducing()
    assert shaken.tcp.producerState == "paused"
    shaken.ours.resumeProducing()
    assert shaken.tcp.producerState == "producing"


# -- how it ends -----------------------------------------------------------------------


def test_a_peer_that_says_it_closes_has_closed_in_order(shaken: Pair) -> None:
    shaken.theirs.write(b"last words")
    shaken.close_server()
    shaken.to_client()
    assert shaken.carried.pieces == [b"last words"]
    (reason,) = shaken.carried.ends
    assert reason.check(ConnectionDone)
    shaken.ours.connectionLost(Failure(ConnectionLost()))
    shaken.ours.write(b"to nobody")
    assert len(shaken.carried.ends) == 1


def test_one_that_only_closes_the_connection_has_not(shaken: Pair) -> None:
    shaken.theirs.write(b"last words")
    shaken.to_client()
    shaken.ours.connectionLost(Failure(ConnectionDone()))
    (reason,) = shaken.carried.ends
    assert not reason.check(ConnectionDone)
    assert reason.check(ConnectionLost)


def test_a_forged_record_ends_it(shaken: Pair) -> None:
    shaken.theirs.write(b"true")
    shaken.to_client()
    shaken.ours.dataReceived(b"\x17\x03\x03\x00\x20" + b"x" * 32)
    assert shaken.carried.pieces == [b"true"]
    (reason,) = shaken.carried.ends
    assert reason.check(ssl.SSLError)
    assert shaken.tcp.disconnected


def test_we_say_that_we_close_and_wait_for_nobody(shaken: Pair) -> None:
    shaken.ours.loseConnection()
    assert shaken.tcp.disconnecting
    shaken.to_server()
    assert shaken.theirs.read(1) == b""


def test_an_abort_is_an_abort(shaken: Pair) -> None:
    shaken.ours.abortConnection()
    assert shaken.tcp.disconnected
