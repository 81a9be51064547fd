"""Signals: the handler schedules, the earlier handlers come back."""

import os
import signal
from collections.abc import Callable

from lightweight.daemon.signals import Signals


class Scheduled(list[Callable[[], object]]):
    def callFromThread(self, what: Callable[[], object]) -> object:
        self.append(what)
        return None


def test_a_signal_only_schedules() -> None:
    earlier = signal.getsignal(signal.SIGHUP)
    scheduled, done = Scheduled(), list[str]()
    signals = Signals(scheduled)
    signals.take(signal.SIGHUP, lambda: done.append("reload"))

    os.kill(os.getpid(), signal.SIGHUP)

    assert done == []
    for what in scheduled:
        what()
    assert done == ["reload"]
    signals.restore()
    assert signal.getsignal(signal.SIGHUP) == earlier


def test_the_first_handler_found_is_the_one_put_back() -> None:
    earlier = signal.getsignal(signal.SIGUSR1)
    signals = Signals(Scheduled())
    signals.take(signal.SIGUSR1, list)
    signals.take(signal.SIGUSR1, dict)
    signals.restore()

    assert signal.getsignal(signal.SIGUSR1) == earlier
