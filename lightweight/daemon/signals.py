"""Signals to calls on the reactor's turn.

A handler only schedules: the work happens when the reactor comes round. SIGHUP and
SIGUSR1 are taken at once, because until then they would kill the process; SIGTERM and
SIGINT only when the reactor runs, because its start installs handlers of its own.
"""

import signal
from collections.abc import Callable
from types import FrameType
from typing import Protocol


class Schedules(Protocol):
    """The reactor's way in from a signal handler."""

    def callFromThread(self, what: Callable[[], object]) -> object:
        """Run ``what`` on the reactor's next turn."""


class Signals:
    """Installs handlers and puts the earlier ones back."""

    def __init__(self, reactor: Schedules) -> None:
        self._reactor = reactor
        self._earlier: dict[signal.Signals, object] = {}

    def take(self, number: signal.Signals, action: Callable[[], object]) -> None:
        """Call ``action`` on the reactor's turn whenever signal ``number`` arrives."""

        def schedule(_number: int, _frame: FrameType | None) -> None:
            self._reactor.callFromThread(action)

        earlier = signal.signal(number, schedule)
        self._earlier.setdefault(number, earlier)

    def restore(self) -> None:
        """Put back the handlers found at the first ``take`` of each signal."""
        for number, earlier in self._earlier.items():
            signal.signal(number, earlier)  # type: ignore[arg-type]  # what signal() gave
        self._earlier.clear()
