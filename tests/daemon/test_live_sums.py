"""The live figures of all workers, asked once a second."""

from collections.abc import Mapping

from twisted.internet.task import Clock

import pytest

from lightweight.daemon.live_sums import LiveSums
from lightweight.errors import Overloaded
from lightweight.web.dashboard.views import LiveNow


class Parent:
    """Counts who asks; tells nothing while it is away."""

    def __init__(self) -> None:
        self.asked = 0
        self.away = False

    async def __call__(self) -> Mapping[str, float]:
        self.asked += 1
        if self.away:
            raise Overloaded("away")
        return {"calls": 7.0, "streams": 3.0, "connections": 9.0}


def own() -> LiveNow:
    return LiveNow(calls=1, streams=1, workers=2)


async def test_the_parent_is_asked_once_a_second() -> None:
    clock, parent = Clock(), Parent()
    live = LiveSums(clock, own, parent)
    summed = LiveNow(calls=7, streams=3, workers=2)
    assert [await live(), await live(), await live()] == [summed] * 3
    assert parent.asked == 1
    clock.advance(1)
    await live()
    assert parent.asked == 2


@pytest.mark.parametrize("workers", [1, 2])
async def test_without_it_a_process_tells_its_own(workers: int) -> None:
    clock, parent = Clock(), Parent()
    parent.away = True
    alone = LiveNow(calls=1, streams=1, workers=workers)
    live = LiveSums(clock, lambda: alone, parent)
    told = await live()
    assert (told.calls, told.streams, told.whole) == (1, 1, workers == 1)
    parent.away = False
    clock.advance(1)
    assert (await live()).calls == 7
