"""What is under way, as events."""

import json

from support.offices import Desk, cookies
from support.until import until
from support.visits import visitor


async def test_it_tells_each_second_until_the_process_leaves(desk: Desk) -> None:
    ann = await visitor(desk)
    client = desk.gateway.connect()
    client.ask("GET", "/dashboard/live", headers=cookies(ann.secret), key=None)
    await until(lambda: b"data: " in client.received)
    answer = client.answer()
    assert answer.headers["content-type"].startswith("text/event-stream")
    desk.gateway.clock.advance(1)
    events = client.answer().body.split(b"\n\n")
    assert json.loads(events[1].removeprefix(b"data: ")) == {
        "calls": 0,
        "streams": 0,
        "workers": 1,
        "whole": True,
    }
    assert len([each for each in events if each.startswith(b"data: ")]) == 2
    desk.gateway.site.draining = True
    desk.gateway.clock.advance(1)
    assert client.answer().whole


async def test_a_closed_page_ends_it(desk: Desk) -> None:
    ann = await visitor(desk)
    client = desk.gateway.connect()
    client.ask("GET", "/dashboard/live", headers=cookies(ann.secret), key=None)
    await until(lambda: b"data: " in client.received)
    client.leave()
    desk.gateway.turn()
    # Only the edge's own clocks may be left.
    assert all(call.getTime() != 1.0 for call in desk.gateway.clock.getDelayedCalls())


async def test_strangers_are_told_nothing(desk: Desk) -> None:
    answer = await desk.ask("GET", "/dashboard/live", Host="localhost:8080")
    assert answer.status == 303
