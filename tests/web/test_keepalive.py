"""Keep-alive comments: when a stream gets one, and where none may stand."""

from twisted.internet.task import Clock

from lightweight.dialects.sse import COMMENT
from lightweight.web.keepalive import SECONDS, KeepAlive


class Written:
    """An exchange that remembers what it was told."""

    def __init__(self) -> None:
        self.started = False
        self.lost = False
        self.body = b""

    def start(self, status: int, headers: object, *, length: int | None = None) -> None:
        assert (status, headers, length) == (200, {}, None)
        self.started = True

    def write(self, data: bytes) -> None:
        assert self.started
        self.body += data


def watched() -> tuple[KeepAlive, Written, Clock]:
    exchange, clock = Written(), Clock()
    keep_alive = KeepAlive(exchange, clock, {}, COMMENT)  # type: ignore[arg-type]  # what it uses
    keep_alive.begin()
    return keep_alive, exchange, clock


def test_silence_gets_comments_at_even_intervals() -> None:
    _, exchange, clock = watched()

    clock.pump([SECONDS - 1, 1, SECONDS])

    assert exchange.body == COMMENT * 2


def test_what_is_written_begins_the_silence_anew() -> None:
    keep_alive, exchange, clock = watched()

    clock.advance(SECONDS - 1)
    keep_alive.wrote(b"data: 1\n\n")
    clock.advance(SECONDS - 1)
    assert exchange.body == b""
    clock.advance(1)
    assert exchange.body == COMMENT


def test_a_stream_that_speaks_often_gets_a_comment_when_it_falls_silent() -> None:
    keep_alive, exchange, clock = watched()

    for _ in range(30):
        clock.advance(1)
        keep_alive.wrote(b"data: 1\n\n")
    clock.advance(SECONDS - 1)
    assert exchange.body == b""
    clock.advance(1)
    assert exchange.body == COMMENT


def test_no_comment_tears_an_event() -> None:
    keep_alive, exchange, clock = watched()

    keep_alive.wrote(b"data: half")
    clock.advance(SECONDS)
    assert exchange.body == b""
    keep_alive.wrote(b"\n")
    keep_alive.wrote(b"\n")
    clock.advance(SECONDS)
    assert exchange.body == COMMENT


def test_a_client_that_does_not_read_gets_none() -> None:
    keep_alive, exchange, clock = watched()

    keep_alive.held = True
    clock.advance(SECONDS)
    assert exchange.body == b""
    keep_alive.held = False
    clock.advance(SECONDS)
    assert exchange.body == COMMENT


def test_after_the_end_nothing_is_written() -> None:
    keep_alive, exchange, clock = watched()

    keep_alive.end()
    keep_alive.end()
    clock.advance(SECONDS * 3)

    assert (exchange.body, clock.getDelayedCalls()) == (b"", [])
