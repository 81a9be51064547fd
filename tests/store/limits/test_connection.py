"""A connection that is always sought and never waited for."""

import signal
import time
from collections.abc import AsyncIterator

from twisted.internet.defer import CancelledError, Deferred, gatherResults

import pytest
import pytest_twisted
from support.ports import free_port
from support.redis import RedisServer
from support.until import until

from lightweight.config.redis import parse_redis_url
from lightweight.store.limits.connection import (
    PATIENCE,
    TICK_S,
    Connection,
    Unanswered,
    Unsent,
)
from lightweight.store.limits.limiter import LimitsUnavailable
from lightweight.store.limits.reach import Reach
from lightweight.store.limits.scripts import RENEW, call_of, keys_of

CLOCK, *_ = keys_of("acct_1", ("",))
NOTHING = call_of(RENEW, "acct_1", ("",), b"\x91\x90", b"0")
"""One subject without leases, as msgpack."""


class Line:
    """A connection, and how often it came up."""

    def __init__(self, url: str) -> None:
        from twisted.internet import reactor

        self.ups = 0
        self.connection = Connection(
            Reach(parse_redis_url(url), reactor=reactor), reactor=reactor, up=self._up
        )

    def _up(self) -> None:
        self.ups += 1

    async def ask(self, *, patient: bool = False) -> str:
        return await self.connection.run(NOTHING, patient=patient)


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # has no types
async def line(own_server: RedisServer) -> AsyncIterator[Line]:
    made = Line(own_server.url)
    await made.connection.start()
    yield made
    made.connection.close()


async def test_what_is_sent_is_answered(line: Line) -> None:
    assert await line.ask() == "renewed"
    assert await line.ask(patient=True) == "renewed"
    assert line.ups == 1


async def test_before_the_start_nothing_is_sent(own_server: RedisServer) -> None:
    line = Line(own_server.url)
    with pytest.raises(Unsent):
        await line.ask()
    assert own_server.command("DBSIZE") == 0
    line.connection.close()


async def test_nobody_waits_for_a_server_that_is_away(
    line: Line, own_server: RedisServer
) -> None:
    own_server.kill()
    await until(lambda: not line.connection.connected)
    with pytest.raises(Unsent, match="Redis cannot be reached"):
        await line.ask(patient=True)
    own_server.start()
    await until(lambda: line.connection.connected)
    assert await line.ask() == "renewed"
    assert line.ups == 2


async def test_the_start_waits_for_one_attempt_whatever_comes_of_it() -> None:
    line = Line(f"redis://127.0.0.1:{free_port()}")
    await line.connection.start()
    assert not line.connection.connected
    line.connection.close()


async def test_closing_during_an_attempt_ends_the_start() -> None:
    line = Line(f"redis://127.0.0.1:{free_port()}")
    starting = Deferred.fromCoroutine(line.connection.start())
    line.connection.close()
    await starting


async def test_a_silent_server_costs_patience_and_no_more(
    line: Line, own_server: RedisServer
) -> None:
    own_server.signal(signal.SIGSTOP)
    patient = Deferred.fromCoroutine(line.ask(patient=True))
    asked = [Deferred.fromCoroutine(line.ask()) for _ in range(3)]
    for each in asked:
        with pytest.raises(Unanswered, match="did not answer in time"):
            await each
    assert not patient.called
    own_server.signal(signal.SIGCONT)
    assert await patient == "renewed"
    assert await line.ask() == "renewed", "late answers are nobody's"


async def test_our_own_delay_is_not_the_servers(line: Line) -> None:
    asked = [Deferred.fromCoroutine(line.ask()) for _ in range(5)]
    time.sleep(3 * PATIENCE * TICK_S)
    assert await gatherResults(asked) == ["renewed"] * 5


async def test_who_stops_waiting_takes_no_answer_from_others(line: Line) -> None:
    first, second = (Deferred.fromCoroutine(line.ask()) for _ in range(2))
    first.cancel()
    with pytest.raises(CancelledError):
        await first
    assert await second == "renewed"


async def test_a_connection_that_breaks_fails_who_waits(
    line: Line, own_server: RedisServer
) -> None:
    own_server.signal(signal.SIGSTOP)
    asked = Deferred.fromCoroutine(line.ask(patient=True))
    line.connection.drop()
    with pytest.raises(Unanswered, match="cannot be reached"):
        await asked
    own_server.signal(signal.SIGCONT)
    await until(lambda: line.ups == 2)


async def test_scripts_that_were_flushed_are_loaded_again(
    line: Line, own_server: RedisServer
) -> None:
    own_server.command("SCRIPT", "FLUSH")
    asked = [Deferred.fromCoroutine(line.ask()) for _ in range(20)]
    assert await gatherResults(asked) == ["renewed"] * 20


async def test_what_the_server_refuses_is_told(
    line: Line, own_server: RedisServer
) -> None:
    own_server.command("HSET", CLOCK, "no", "string")
    with pytest.raises(LimitsUnavailable, match="Redis refused: WRONGTYPE") as caught:
        await line.ask()
    assert not isinstance(caught.value, Unanswered)


async def test_a_server_that_is_no_master_is_left(
    line: Line, own_server: RedisServer
) -> None:
    own_server.command("REPLICAOF", "127.0.0.1", free_port())
    with pytest.raises(LimitsUnavailable, match="READONLY"):
        await line.ask()
    await until(lambda: line.ups == 2)


async def test_what_nobody_waits_for_is_not_asked_again(
    line: Line, own_server: RedisServer
) -> None:
    own_server.command("SCRIPT", "FLUSH")
    left = Deferred.fromCoroutine(line.ask())
    left.cancel()
    with pytest.raises(CancelledError):
        await left
    other = call_of(RENEW, "acct_2", ("",), b"\x91\x90", b"0")
    assert await line.connection.run(other) == "renewed"
    assert not own_server.command("EXISTS", CLOCK), "it would be done after its refund"


async def test_who_is_told_is_told_once(line: Line, own_server: RedisServer) -> None:
    told: list[object] = []
    line.connection.tell(NOTHING, told.append)
    await until(lambda: told == ["renewed"])
    own_server.kill()
    await until(lambda: not line.connection.connected)
    line.connection.tell(NOTHING, told.append)
    assert [type(each) for each in told] == [str, Unsent]
