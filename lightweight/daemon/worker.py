"""One worker as its parent sees it: a process, its pipes, how its start went."""

import signal
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from lightweight.daemon.messages import (
    LONGEST,
    ORDERS,
    REPORTS,
    Counted,
    Misunderstood,
    Order,
    Report,
    Vitals,
    decode_report,
    encode,
)
from lightweight.observe import metrics
from lightweight.observe.counts import Series

STDERR = 2
REMEMBERED = 20
"""Lines of what a worker complained of before it was ready."""


Told: TypeAlias = Callable[[Sequence[Series]], None]
"""Takes what a child counted."""


class NotReady(Exception):
    """A worker cannot serve; the text is its reason, for the operator."""


class Worker(ProcessProtocol):
    """A child process from its spawning to its end.

    ``ready`` fires once with the worker's Report or fails with NotReady; ``ended`` is
    called when the process is gone and reaped, ``counted`` with what it counted.
    """

    log = Logger()

    def __init__(
        self, ended: Callable[["Worker"], None], counted: Told = lambda _: None
    ) -> None:
        self.ready: Deferred[Report] = Deferred()
        self.report: Report | None = None
        self.vitals: Vitals | None = None
        """What it last told of itself."""
        self.silence = 0.0
        """Seconds for which it told nothing; whoever looks after it counts them."""
        self.pid: int | None = None
        self._ended = ended
        self._counted = counted
        self._rests: dict[int, bytes] = {}
        self._complaints: deque[str] = deque(maxlen=REMEMBERED)
        self._reason: str | None = None

    def order(self, do: str) -> None:
        """Send an order; a worker that is gone has no use for it."""
        transport: Any = self.transport
        if self.pid is not None:
            transport.writeToChild(ORDERS, encode(Order(do=do)))  # type: ignore[arg-type]  # checked where it is read

    def kill(self) -> None:
        """End the process at once."""
        transport: Any = self.transport
        try:
            transport.signalProcess(signal.SIGKILL)
        except ProcessExitedAlready:
            return

    def connectionMade(self) -> None:
        """Learn the process's number."""
        transport: Any = self.transport
        self.pid = transport.pid

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        """Take a report, or what the interpreter complains of."""
        *lines, rest = (self._rests.get(childFD, b"") + data).split(b"\n")
        self._rests[childFD] = rest[:LONGEST]
        for line in lines:
            if childFD == REPORTS:
                self.silence = 0.0
                self._report(line)
            elif line.strip():
                self._complaint(line.decode("utf-8", "backslashreplace"))

    def _report(self, line: bytes) -> None:
        try:
            report = decode_report(line)
        except Misunderstood as problem:
            self._fail(str(problem))
            return
        if isinstance(report, Vitals):
            self.vitals = report
        elif isinstance(report, Counted):
            self._counted(report.series)
        elif report.outcome == "failed":
            self._fail(report.text)
        elif not self.ready.called:
            self.report = report
            self.ready.callback(report)

    def _complaint(self, line: str) -> None:
        if self.ready.called:
            self.log.warn("Worker {pid}: {line}", pid=self.pid, line=line)
        else:
            self._complaints.append(line)

    def _fail(self, reason: str) -> None:
        if not self.ready.called:
            self.ready.errback(NotReady(reason))

    def processEnded(self, reason: Failure) -> None:
        """Learn that the process is gone."""
        end: Any = reason.value
        how = (
            f"killed by {signal.Signals(end.signal).name}"
            if end.signal
            else f"exit status {end.exitCode or 0}"
        )
        was_ready = self.ready.called
        last = self._complaints[-1] if self._complaints else "It said nothing"
        self._fail(f"{last} ({how}).")
        if was_ready and (end.signal or end.exitCode):
            self.log.error("Worker {pid} ended: {how}.", pid=self.pid, how=how)
            self._counted((Series(metrics.WORKER_DEATHS.name, (), (1.0,)),))
        self.pid = None
        self._ended(self)
