"""Opening one connection; what real servers refuse is in test_redis_troubles.py."""

from collections.abc import AsyncIterator
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.protocol import Protocol, ServerFactory

import pytest
import pytest_twisted
from support.ports import free_port
from support.redis import RedisServer
from support.until import until

from lightweight.config.redis import parse_redis_url
from lightweight.store.limits.limiter import LimitsUnavailable
from lightweight.store.limits.reach import Reach
from lightweight.store.limits.speaker import Speaker


class Mute(ServerFactory):
    """A server that takes connections and says nothing."""

    noisy = False

    def __init__(self) -> None:
        self.open: list[Protocol] = []
        self.lost = 0

    def buildProtocol(self, addr: object) -> Protocol:
        made = Protocol()
        made.connectionMade = lambda: self.open.append(made)  # type: ignore[method-assign]
        made.connectionLost = self._lost  # type: ignore[method-assign]
        return made

    def _lost(self, reason: object = None) -> None:
        self.lost += 1


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # has no types
async def mute() -> AsyncIterator[tuple[Mute, str]]:
    from twisted.internet import reactor

    factory = Mute()
    port: Any = reactor.listenTCP(0, factory, interface="127.0.0.1")
    yield factory, f"127.0.0.1:{port.getHost().port}"
    await port.stopListening()


def reach(url: str) -> Reach:
    from twisted.internet import reactor

    return Reach(parse_redis_url(url), reactor=reactor)


async def test_a_connection_takes_commands_and_tells_its_end(
    server: RedisServer,
) -> None:
    told: list[tuple[Speaker, str]] = []
    speaker = await reach(server.url + "/2").open(lambda *gone: told.append(gone))
    assert speaker.transport.getTcpNoDelay()
    assert await speaker.execute_command("SET", "x", "0123") == "OK"
    assert await speaker.execute_command("GET", "x") == b"0123"
    waiting = speaker.execute_command("BLPOP", "never", 0)
    speaker.transport.loseConnection()
    await until(lambda: told)
    assert told == [(speaker, "Connection was closed cleanly")]
    with pytest.raises(Exception, match="Lost connection"):
        await waiting


@pytest.mark.parametrize(
    "url",
    ["redis://127.0.0.1:{}", "unix:///nowhere/{}", "redis+sentinel://127.0.0.1:{}/m"],
)
async def test_nobody_is_there(url: str) -> None:
    with pytest.raises(LimitsUnavailable):
        await reach(url.format(free_port())).open(lambda *_: None)


@pytest.mark.parametrize("url", ["redis://:pw@{}", "redis+sentinel://{}/main"])
async def test_giving_up_leaves_no_connection(mute: tuple[Mute, str], url: str) -> None:
    factory, place = mute
    opening = Deferred.fromCoroutine(reach(url.format(place)).open(lambda *_: None))
    await until(lambda: factory.open)
    opening.cancel()
    with pytest.raises(CancelledError):
        await opening
    await until(lambda: factory.lost)


async def test_each_attempt_asks_the_next_sentinel(server: RedisServer) -> None:
    sentinels = reach(
        f"redis+sentinel://127.0.0.1:{free_port()},127.0.0.1:{server.port}/m"
    )
    said = []
    for _ in range(4):
        with pytest.raises(LimitsUnavailable) as caught:
            await sentinels.open(lambda *_: None)
        said.append("the Sentinel said" in str(caught.value))
    assert said in ([True, False] * 2, [False, True] * 2)
