"""Ready commands: one write for each turn, and replies to whoever waits for them."""

import itertools
from collections.abc import Callable
from typing import Any

from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from hypothesis import given
from hypothesis import strategies as st

from lightweight.store.limits.speaker import Send, Speaker, in_its_turn


class Factory:
    """What txredisapi asks of its factory."""

    refusal: str | None = None

    def connectionError(self, why: str) -> None:
        """Keep it."""
        self.refusal = why


class Ear:
    """Hears one reply."""

    def __init__(self, told: Callable[[object], None]) -> None:
        self.hear = told


class Line:
    """A speaker over a transport in memory."""

    def __init__(self, send: Send = in_its_turn) -> None:
        self.gone: list[str] = []
        self.heard: list[str] = []
        self.clock = Clock()
        self.speaker = Speaker(
            None, lambda _, why: self.gone.append(why), reactor=self.clock, send=send
        )
        self.speaker.factory = Factory()
        self.transport = StringTransport()
        self.speaker.makeConnection(self.transport)

    def say(self, command: bytes) -> None:
        """Send a command; what it hears is kept behind its own name."""

        def hear(reply: object) -> None:
            self.heard.append(f"{command.decode()}: {reply}")

        self.speaker.say(command, Ear(hear))

    def lose(self) -> None:
        self.speaker.connectionLost(Failure(ConnectionLost()))


def test_what_one_turn_says_leaves_in_one_write() -> None:
    line = Line()
    written: list[bytes] = []
    line.transport.write = written.append  # type: ignore[method-assign]  # to see each write
    for command in (b"a", b"b", b"c"):
        line.say(command)
    line.clock.advance(0)
    line.say(b"d")
    line.clock.advance(0)
    assert written == [b"abc", b"d"]
    assert line.clock.getDelayedCalls() == []


@given(cuts=st.lists(st.integers(0, 60), max_size=12))
def test_each_hears_its_own_reply_however_they_arrive(cuts: list[int]) -> None:
    line = Line()
    for command in (b"a", b"b", b"c", b"d"):
        line.say(command)
    replies = b"+settled\r\n-NOSCRIPT gone\r\n-ERR unknown\r\n+{}\r\n"
    ends = [0, *sorted(min(cut, len(replies)) for cut in cuts), len(replies)]
    for start, end in itertools.pairwise(ends):
        line.speaker.dataReceived(replies[start:end])
    assert line.heard == ["a: settled", "b: NOSCRIPT gone", "c: ERR unknown", "d: {}"]


def test_a_reply_of_many_bytes_does_not_overtake() -> None:
    line = Line()
    for command in (b"a", b"load", b"b"):
        line.say(command)
    line.speaker.dataReceived(b"+one\r\n$3\r\nsha\r\n+two\r\n")
    assert line.heard == ["a: one", "load: b'sha'", "b: two"]


async def test_what_txredisapi_asks_is_its_own() -> None:
    line = Line()
    asked = line.speaker.execute_command("PING")
    line.speaker.dataReceived(b"+PONG\r\n")
    assert await asked == "PONG"
    line.say(b"a")
    line.speaker.dataReceived(b"+one\r\n")
    assert line.heard == ["a: one"]


def test_whoever_waits_hears_that_the_connection_is_gone_and_why() -> None:
    line = Line()
    told: list[Any] = []
    line.speaker.say(b"a", Ear(lambda _: told.append(list(line.gone))))
    line.clock.advance(0)
    line.say(b"b")
    line.lose()
    assert told == [["Connection to the other side was lost in a non-clean fashion"]]
    assert line.heard == [f"b: {line.gone[0]}"]
    line.clock.advance(0)
    assert line.transport.value() == b"a", "what had not left is not sent any more"


def test_a_server_of_another_kind_is_left_and_named() -> None:
    line = Line()
    line.say(b"a")
    line.speaker.dataReceived(b"HTTP/1.1 400 Bad Request\r\n")
    assert line.transport.disconnecting
    line.lose()
    assert line.heard == ["a: it does not speak Redis' protocol"]


def test_it_sends_as_it_was_told_to() -> None:
    sent: list[bytes] = []
    line = Line(send=lambda _, data: sent.append(data))
    line.say(b"a")
    line.say(b"b")
    line.clock.advance(0)
    assert sent == [b"ab"]
    assert line.transport.value() == b""


def test_nothing_is_sent_once_the_connection_is_gone() -> None:
    sent: list[bytes] = []
    line = Line(send=lambda _, data: sent.append(data))
    line.say(b"a")
    line.lose()
    line.clock.advance(0)
    assert sent == []
