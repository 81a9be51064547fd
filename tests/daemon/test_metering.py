"""What measures a process's calls ends in order, whatever the database does."""

from collections.abc import Awaitable, Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

import pytest

from lightweight.daemon.metering import Books, Metering
from lightweight.store.problems import StoreUnusable


class Steps:
    """Every part of it, writing down what it is told."""

    def __init__(self, problem: Exception | None = None) -> None:
        self.done: list[str] = []
        self.working: Deferred[None] = Deferred(lambda _: self.done.append("stopped"))
        self._problem = problem

    def step(self, name: str) -> Callable[[], Awaitable[None]]:
        async def do() -> None:
            self.done.append(name)

        return do

    async def run(self) -> None:
        self.done.append("run")
        await self.working

    async def catch_up(self) -> None:
        self.done.append("catch up")
        if self._problem is not None:
            raise self._problem

    def books(self) -> Books:
        bookkeeper: Any = self
        return Books(bookkeeper, begin=self.step("begin"), end=self.step("end"))


def failed(failure: Failure) -> None:
    failure.raiseException()


async def test_books_begin_run_and_end_in_order() -> None:
    steps = Steps()
    books = steps.books()
    books.start(failed)
    assert steps.done == ["begin", "run"]
    await books.stop()
    assert steps.done == ["begin", "run", "stopped", "catch up", "end"]


async def test_a_database_that_is_gone_does_not_keep_the_process() -> None:
    steps = Steps(StoreUnusable("It is gone."))
    books = steps.books()
    books.start(failed)
    await books.stop()
    assert steps.done[-1] == "end"


async def test_books_that_never_began_only_end() -> None:
    steps = Steps()
    await steps.books().stop()
    assert steps.done == ["end"]


async def test_what_nobody_foresaw_is_told() -> None:
    steps = Steps()
    told: list[str] = []
    books = steps.books()
    books.start(lambda failure: told.append(failure.getErrorMessage()))
    steps.working.errback(ValueError("a bug"))
    assert told == ["a bug"]
    await books.stop()


@pytest.mark.parametrize("alone", [True, False])
async def test_limits_end_before_the_journal_and_books_last(alone: bool) -> None:  # noqa: FBT001 -- a parameter
    steps = Steps()

    class Limits:
        close = staticmethod(steps.step("limits"))

    class Journal:
        def close(self) -> None:
            steps.done.append("journal")

    limits: Any = Limits()
    journal: Any = Journal()
    metering = Metering(
        limits=limits,
        journal=journal,
        why_degraded=lambda: None,
        local_decisions=int,
        begin=steps.step("begin"),
        books=steps.books() if alone else None,
    )
    await metering.close()
    assert steps.done == ["limits", "journal", *(["end"] if alone else [])]
