"""The worker's end of its pipes: orders come in, reports go out."""

import os
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import connectionDone
from twisted.internet.stdio import StandardIO
from twisted.logger import Logger
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure

from lightweight import __version__
from lightweight.daemon.messages import (
    LONGEST,
    ORDERS,
    REPORTS,
    Leave,
    Misunderstood,
    Order,
    Report,
    Vitals,
    decode,
    encode,
    encode_counted,
)
from lightweight.observe.counts import Series

LONGEST_REASON = 8000
"""Characters of a reason: a report fits into an empty pipe at once."""


class Link(LineOnlyReceiver):
    """Tells the parent how the start went, and passes on what the parent orders."""

    log = Logger()
    delimiter = b"\n"
    MAX_LENGTH = LONGEST

    def __init__(self, orders: int = ORDERS, reports: int = REPORTS) -> None:
        self._orders = orders
        self._reports = reports
        self._unsent = b""
        self._serve: Deferred[None] = Deferred()
        self._leave: Callable[[Leave], None]
        self._reopen_log: Callable[[], None]
        self._orphaned: Callable[[], None]
        self._was_ready: Callable[[], None]
        self._last_word: Callable[[], None]
        self._dump: Callable[[], None]

    def orders_go_to(
        self,
        *,
        leave: Callable[[Leave], None],
        reopen_log: Callable[[], None],
        orphaned: Callable[[], None],
        was_ready: Callable[[], None],
        last_word: Callable[[], None],
        dump: Callable[[], None],
    ) -> None:
        """Say who does what is ordered, and who learns of readiness and of an end.

        ``last_word`` is asked to tell what was not told yet.
        """
        self._leave = leave
        self._reopen_log = reopen_log
        self._orphaned = orphaned
        self._was_ready = was_ready
        self._last_word = last_word
        self._dump = dump

    def listen(self, reactor: Any) -> None:
        """Obey from now on."""
        os.set_blocking(self._reports, False)
        pipes: Any = StandardIO  # its types are those of another platform
        pipes(self, stdin=self._orders, stdout=self._reports, reactor=reactor)

    def failed(self, text: str) -> None:
        """Tell the parent why this worker cannot serve."""
        self._report(
            Report(pid=os.getpid(), outcome="failed", text=text[:LONGEST_REASON])
        )

    async def ready(self, providers: int, models: int, example: str | None) -> None:
        """Tell the parent that all is ready; return when it says to serve.

        From now on the pulse is told too. Cancelling just stops waiting.
        """
        self._report(
            Report(
                pid=os.getpid(),
                outcome="ready",
                providers=providers,
                models=models,
                example=example,
                release=__version__,
            )
        )
        self._was_ready()
        await self._serve

    def beat(self, vitals: Vitals, counted: Callable[[], Sequence[Series]]) -> None:
        """Tell the parent how this worker fares; not before ``ready``.

        Never waits: where the parent does not read, what is left of the last one goes
        first and these vitals are dropped. What was counted is not: it is taken only
        where it can be told.
        """
        if not self._unsent:
            self._unsent = encode(vitals) + encode_counted(counted())
        try:
            self._unsent = self._unsent[os.write(self._reports, self._unsent) :]
        except OSError:
            # Full, or the parent is gone: the end of the orders says so too.
            return

    def end(self) -> None:
        """Tell the parent the last of what is to be told."""
        self._last_word()

    def _report(self, report: Report) -> None:
        # Not through a transport: a start can fail before there is one.
        try:
            os.write(self._reports, encode(report))
        except OSError:
            # The parent is gone; the end of the orders says so too.
            return

    def lineReceived(self, line: bytes) -> None:
        """Do what one line orders."""
        try:
            order = decode(line, Order).do
        except Misunderstood as problem:
            self.log.error("The parent's order is not done: {why}", why=problem)
            return
        if order == "serve":
            if not self._serve.called:
                self._serve.callback(None)
        elif order == "reopen":
            self._reopen_log()
        elif order == "dump":
            self._dump()
        else:
            self._leave(order)

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: ARG002 -- Twisted's
        """Learn that the parent is gone, or that this process ends."""
        # Closed: its number may be a client's connection soon.
        self._reports = -1
        self._orphaned()
