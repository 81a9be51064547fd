"""What is under way, told to an open page each second (WHATWG HTML, section 9.2).

A stream ends after LONGEST_S, and as soon as the process drains: the browser comes back
by itself, to whoever serves then.
"""

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

import msgspec

from lightweight.web.dashboard.backstage import Backstage
from lightweight.web.exchange import Exchange

EVERY_S = 1.0
LONGEST_S = 300.0

_HEAD = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    # Proxies must not collect it.
    "x-accel-buffering": "no",
}


async def stream_live(exchange: Exchange, backstage: Backstage) -> None:
    """Tell until the page is closed; cancelling ends it."""
    clock: IReactorTime = backstage.office.clock
    exchange.start(200, _HEAD)
    exchange.write(b"retry: 2000\n\n")
    for _ in range(int(LONGEST_S / EVERY_S)):
        if exchange.lost or backstage.leaving():
            break
        said = msgspec.json.encode(await backstage.live())
        exchange.write(b"data: " + said + b"\n\n")
        await deferLater(clock, EVERY_S)
    exchange.finish()
