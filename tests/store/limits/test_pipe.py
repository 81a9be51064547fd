"""A transport of our own over real pairs of sockets."""

import os
import socket
from collections.abc import Iterator

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

import pytest
from support.sink import turns

from lightweight.store.limits.pipe import READ_BYTES, Pipe

MUCH = bytes(range(256)) * 8192
"""More than the kernel takes at once."""


class Ears(Protocol):
    """Remembers what it heard, and how it ended."""

    def __init__(self) -> None:
        self.heard = b""
        self.ends: list[Failure] = []
        self.over: Deferred[None] = Deferred()

    def dataReceived(self, data: bytes) -> None:
        self.heard += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.ends.append(reason)
        if len(self.ends) == 1:
            self.over.callback(None)


class Ends:
    """A pipe and the plain socket at its other end."""

    def __init__(self) -> None:
        from twisted.internet import reactor

        self.reactor = reactor
        ours, self.theirs = socket.socketpair()
        # As a child has what it inherited.
        ours.set_inheritable(True)
        self.theirs.setblocking(False)
        self.ears = Ears()
        self.pipe = Pipe(reactor, ours.detach(), self.ears)

    async def received(self, size: int) -> bytes:
        """Give so many bytes of what was sent; the test's limit bounds the wait."""
        got = b""
        while len(got) < size:
            try:
                got += self.theirs.recv(READ_BYTES)
            except BlockingIOError:
                await turns(self.reactor, 1)
        return got


@pytest.fixture
def ends() -> Iterator[Ends]:
    made = Ends()
    yield made
    made.theirs.close()
    made.pipe.connectionLost(connectionDone)


async def test_what_is_said_is_heard_until_the_end(ends: Ends) -> None:
    said = b"hello" * READ_BYTES
    descriptor = ends.pipe.fileno()
    while said:
        try:
            said = said[ends.theirs.send(said) :]
        except BlockingIOError:
            await turns(ends.reactor, 1)
    ends.theirs.close()
    await ends.ears.over
    assert ends.ears.heard == b"hello" * READ_BYTES
    assert ends.ears.ends[0].check(ConnectionDone)
    assert ends.pipe.fileno() == -1
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(descriptor)


def test_no_child_inherits_it(ends: Ends) -> None:
    assert not os.get_inheritable(ends.pipe.fileno())


async def test_what_is_written_leaves_at_once(ends: Ends) -> None:
    ends.pipe.write(b"now")
    assert ends.theirs.recv(100) == b"now"
    assert ends.pipe not in ends.reactor.getWriters()


async def test_what_the_kernel_does_not_take_leaves_in_its_turn_and_in_order(
    ends: Ends,
) -> None:
    ends.pipe.write(MUCH)
    # Now the kernel would take more, and the rest of the first still waits.
    first = ends.theirs.recv(len(MUCH))
    ends.pipe.write(b"second")
    ends.pipe.write(b"third")
    whole = MUCH + b"secondthird"
    assert first + await ends.received(len(whole) - len(first)) == whole
    await turns(ends.reactor, 2)
    assert ends.pipe not in ends.reactor.getWriters()
    ends.pipe.write(b"now")
    assert ends.theirs.recv(100) == b"now"


async def test_an_end_in_order_sends_everything(ends: Ends) -> None:
    ends.pipe.write(MUCH)
    ends.pipe.loseConnection()
    assert await ends.received(len(MUCH)) == MUCH
    await ends.ears.over
    assert ends.theirs.recv(100) == b""


async def test_aborted_it_ends_once_and_says_nothing_more(ends: Ends) -> None:
    ends.theirs.send(b"unheard")
    ends.pipe.abortConnection()
    ends.pipe.abortConnection()
    ends.pipe.write(b"unsaid")
    assert not ends.ears.ends
    await ends.ears.over
    ends.pipe.abortConnection()
    await turns(ends.reactor, 3)
    assert [end.type for end in ends.ears.ends] == [ConnectionAborted]
    assert ends.ears.heard == b""
    with pytest.raises(ConnectionResetError):
        ends.theirs.recv(100)


async def test_who_writes_to_nobody_hears_of_the_end(ends: Ends) -> None:
    ends.pipe.stopReading()
    ends.theirs.close()
    ends.pipe.write(b"anybody?")
    await ends.ears.over
    assert len(ends.ears.ends) == 1
    ends.pipe.write(b"nobody")
