"""Reading the start of a body: no more than it may, and nothing left behind."""

from collections.abc import Callable

from twisted.internet.defer import CancelledError, Deferred

import pytest
from support.scripted import ScriptedProvider
from support.sink import outgoing

from lightweight.upstream.body import read_start
from lightweight.upstream.http import HttpProvider
from lightweight.upstream.provider import Source

MakeProvider = Callable[..., HttpProvider]


async def asked(
    scripted: ScriptedProvider, client_of: MakeProvider, **clocks: float
) -> Source:
    return (await client_of(scripted, **clocks).send(outgoing(), "req-1")).body


@pytest.mark.parametrize(
    ("limit", "read"), [(4, b"0123"), (9, b"012345678"), (99, b"012345678")]
)
async def test_read_start_takes_no_more_than_it_may(
    scripted_provider: ScriptedProvider,
    client_of: MakeProvider,
    limit: int,
    read: bytes,
) -> None:
    scripted_provider.stream([b"012", b"345", b"678"])
    body = await asked(scripted_provider, client_of)
    assert await read_start(body, limit) == read


async def test_read_start_gives_what_came_before_a_break(
    scripted_provider: ScriptedProvider, client_of: MakeProvider
) -> None:
    scripted_provider.stream([b"half"], end="silence")
    body = await asked(scripted_provider, client_of, idle=0.05)
    assert await read_start(body, 99) == b"half"
    await scripted_provider.connection_lost()


async def test_read_start_cancelled_stops_the_provider(
    scripted_provider: ScriptedProvider, client_of: MakeProvider
) -> None:
    scripted_provider.stream([b"half"], end="silence")
    body = await asked(scripted_provider, client_of)
    reading = Deferred.fromCoroutine(read_start(body, 99))
    reading.cancel()
    with pytest.raises(CancelledError):
        await reading
    await scripted_provider.connection_lost()
