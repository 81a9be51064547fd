"""Guards without which a green run of an asynchronous suite proves little.

Three things pass silently in pytest with Twisted: a coroutine test that never ends in
time (pytest-timeout cannot interrupt the reactor), a Deferred that fails with nobody
listening, and calls or sockets left behind in the reactor. Here each of them fails the
test that caused it. tests/test_conftest.py shows that they do.
"""

import functools
import gc
import inspect
import itertools
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from twisted.python.failure import Failure
from zope.interface import implementer

import hypothesis
import pytest
import pytest_twisted

pytest_plugins = ["pytester", "support.postgres"]

ASYNC_LIMIT = 60.0
"""Seconds a coroutine test may take unless marked ``async_limit(seconds)``."""

SETTLE_TURNS = 60
"""Reactor turns, 10 ms apart, in which closing sockets may finish closing."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "async_limit(seconds): how long a coroutine test may take"
    )
    # Its deadline would be a timed assertion, which a busy machine fails.
    hypothesis.settings.register_profile("untimed", deadline=None)
    hypothesis.settings.load_profile("untimed")


def pytest_collection_finish() -> None:
    """Take what imports made out of the collector's sight: it runs after each test.

    The clock is the product's own; a test that starts the service must not change it
    under calls that are scheduled already.
    """
    from twisted.internet import reactor

    reactor.seconds = time.monotonic  # type: ignore[method-assign]  # as the product does
    gc.collect()
    gc.freeze()


def _bounded(
    test: Callable[..., Coroutine[Any, Any, None]], limit: float
) -> Callable[..., "Deferred[None]"]:
    from twisted.internet import reactor

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> "Deferred[None]":
        running: Deferred[None] = Deferred.fromCoroutine(test(*args, **kwargs))
        return running.addTimeout(limit, reactor)

    # Without this pytest-twisted and inspect would look through the wrapper.
    del run.__wrapped__
    return run


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> None:
    mark = pyfuncitem.get_closest_marker("async_limit")
    limit = float(mark.args[0]) if mark else ASYNC_LIMIT
    if inspect.iscoroutinefunction(pyfuncitem.obj):
        pyfuncitem.obj = _bounded(pyfuncitem.obj, limit)
        return
    property_test = getattr(pyfuncitem.obj, "hypothesis", None)
    if property_test and inspect.iscoroutinefunction(property_test.inner_test):
        property_test.inner_test = _bounded(property_test.inner_test, limit)


@implementer(ILogObserver)
class LoggedFailures:
    """Failures that reached the log during a test."""

    def __init__(self) -> None:
        self._failures: list[Failure] = []

    def __call__(self, event: LogEvent) -> None:
        failure = event.get("log_failure") or event.get("failure")
        if failure is not None:
            self._failures.append(failure)

    def flush(self, *types: type[BaseException]) -> list[Failure]:
        """Take out the failures a test expected, of ``types`` or of any type."""
        gc.collect()
        taken = [f for f in self._failures if not types or f.check(*types)]
        self._failures = [f for f in self._failures if f not in taken]
        return taken


@pytest.fixture
def logged_failures(_reactor_left_clean: LoggedFailures) -> LoggedFailures:
    """Let a test flush the failures it means to cause."""
    return _reactor_left_clean


def _out_of_sight(tests: Iterator[int] = itertools.count(1)) -> None:  # noqa: B008 -- one count for all
    """Let the collector look only at what is younger from now on.

    It runs after each test, and what tests leave behind for good (schemas, reports)
    grows: looking at all of it took most of the time of a small test. Now and then it
    looks at everything: what was held by one test and dropped by another fails then.
    """
    if next(tests) % 100 == 0:
        gc.unfreeze()
    else:
        gc.freeze()


def _held(reactor: Any) -> set[Any]:
    held: set[Any] = {
        *reactor.getDelayedCalls(),
        *reactor.getReaders(),
        *reactor.getWriters(),
    }
    # The reactor's own wakers come with its start, which is in the first test.
    return held.difference(reactor._internalReaders)


@pytest.fixture(autouse=True)
def _reactor_left_clean(request: pytest.FixtureRequest) -> Iterator[LoggedFailures]:
    from twisted.internet import reactor

    failures = LoggedFailures()
    globalLogPublisher.addObserver(failures)
    before = _held(reactor)
    yield failures
    for _ in range(SETTLE_TURNS):
        left = _held(reactor) - before
        if not left:
            break
        pytest_twisted.blockon(deferLater(reactor, 0.01))
    unexpected = failures.flush()
    _out_of_sight()
    globalLogPublisher.removeObserver(failures)
    for leaked in left:
        # Left alone it would also fail the tests that follow.
        if hasattr(leaked, "cancel"):
            leaked.cancel()
        elif hasattr(leaked, "abortConnection"):
            leaked.abortConnection()
        elif hasattr(leaked, "stopListening"):
            leaked.stopListening()
    assert not left, f"left in the reactor: {sorted(map(repr, left))}"
    assert not unexpected, "unhandled failures:\n" + "\n".join(
        f.getTraceback() for f in unexpected
    )
