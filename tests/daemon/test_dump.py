"""What SIGUSR2 writes of the calls in flight."""

from twisted.logger import (
    ILogObserver,
    LogEvent,
    formatEvent,
    globalLogPublisher,
)
from zope.interface import implementer

import msgspec

from lightweight.daemon.dump import dump
from lightweight.web.live import InFlight

CALL = InFlight(
    request_id="req_1",
    account_id="acc_1",
    key_id="key_1",
    model="m\n",
    provider=None,
    attempts=0,
    stream=True,
    answering=False,
    seconds=1.25,
)


def test_each_call_is_a_line_and_their_number_too() -> None:
    lines: list[str] = []

    @implementer(ILogObserver)
    def observe(event: LogEvent) -> None:
        lines.append(formatEvent(event))

    globalLogPublisher.addObserver(observe)
    try:
        later = msgspec.structs.replace(
            CALL, provider="acme", attempts=2, answering=True, stream=False
        )
        dump([CALL, later])
    finally:
        globalLogPublisher.removeObserver(observe)
    counted, first, second = lines
    assert counted == "In flight: 2 calls."
    assert first == (
        "In flight: req_1 for 1.2 s, waiting (stream), model 'm\\n' at nobody yet, "
        "0 asked, account acc_1, key key_1"
    )
    assert second == (
        "In flight: req_1 for 1.2 s, answering (whole answer), model 'm\\n' at acme, "
        "2 asked, account acc_1, key key_1"
    )
