"""A generation: the workers that one reload started, and the care they get."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias

from twisted.internet.defer import (
    CancelledError,
    Deferred,
    DeferredList,
    FirstError,
)
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from lightweight.daemon.messages import Leave, Report
from lightweight.daemon.worker import NotReady, Worker

START_SECONDS = 60.0
"""How long a worker may take to become ready, on a busy machine too."""

PAUSES = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Seconds before a worker is replaced, by how many went soon one after the other."""
STEADY_SECONDS = 60.0
"""A time without a crash after which the next is no repetition."""

HUNG_SECONDS = 30.0
"""A worker that tells nothing for so long hangs: they tell something each second."""
LOOK_SECONDS = 1.0

KILL_SECONDS = 10.0
"""Beyond its own deadline a worker gets this long; then it is killed."""

State: TypeAlias = Literal["starting", "serving", "leaving"]
Spawn: TypeAlias = Callable[[Callable[[Worker], None]], Worker]


class Generation:
    """Workers that are started, replaced and sent away together."""

    log = Logger()

    def __init__(
        self,
        number: int,
        size: int,
        spawn: Spawn,
        clock: Any,
        hung: float = HUNG_SECONDS,
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        """``spawn`` starts one worker; it is given what to call at the worker's end.

        Who tells nothing for ``hung`` seconds is killed, and replaced like one that
        crashed, after ``pauses`` that grow from one crash to the next, in seconds.
        """
        self.number = number
        self.state: State = "starting"
        self._size = size
        self._spawn = spawn
        self._clock = clock
        self._hung = hung
        self._pauses = pauses
        self._workers: set[Worker] = set()
        self._crashes = 0
        self._last_crash: float | None = None
        self._later: set[IDelayedCall] = set()
        self._waiting: list[Deferred[None]] = []

    @property
    def pids(self) -> Sequence[int]:
        """The processes there are."""
        return [each.pid for each in self.workers if each.pid is not None]

    @property
    def workers(self) -> Sequence[Worker]:
        """The workers that have a process, by its number."""
        return sorted(
            (each for each in self._workers if each.pid is not None),
            key=lambda worker: worker.pid or 0,
        )

    @property
    def release(self) -> str | None:
        """The version of its workers' code; None until one of them told it."""
        told = (worker.report for worker in self.workers if worker.report)
        return next((report.release for report in told), None)

    async def start(self) -> Report:
        """Start all workers; give the first one's report when every one is ready.

        Raises NotReady when one of them cannot serve; then none is left running.
        """
        workers = [self._add() for _ in range(self._size)]
        try:
            await DeferredList(
                [self._in_time(worker) for worker in workers],
                fireOnOneErrback=True,
                consumeErrors=True,
            )
        except FirstError as first:
            self.kill()
            await self.left()
            raise NotReady(first.subFailure.getErrorMessage()) from None
        assert isinstance(workers[0].report, Report)
        return workers[0].report

    def _add(self) -> Worker:
        worker = self._spawn(self._ended)
        self._workers.add(worker)
        return worker

    def _in_time(self, worker: Worker) -> "Deferred[Report]":
        """Give the worker's readiness; NotReady too when it takes too long."""
        answer: Deferred[Report] = Deferred(lambda _: None)

        def keep(result: Any) -> Any:
            if not answer.called:
                answer.callback(result)
            return result

        def lost(failure: Any) -> None:
            if not answer.called:
                answer.errback(failure)

        worker.ready.addCallbacks(keep, lost)
        return answer.addTimeout(
            START_SECONDS, self._clock, onTimeoutCancel=_took_too_long
        )

    def serve(self) -> None:
        """Let the workers accept connections, and replace them when they crash."""
        self.state = "serving"
        self.order("serve")
        self._soon(LOOK_SECONDS, self._look)

    def order(self, do: str) -> None:
        """Pass an order to every worker."""
        for worker in list(self._workers):
            worker.order(do)

    def leave(self, how: Leave, seconds: float) -> None:
        """Send the workers away by these terms; kill who is left long after."""
        self.state = "leaving"
        self._cancel()
        self.order(how)
        if self._workers:
            self._soon(seconds + KILL_SECONDS, self._overdue)

    def _overdue(self) -> None:
        self.log.error(
            "Workers {pids} did not leave in time and are killed.", pids=self.pids
        )
        self.kill()

    def kill(self) -> None:
        """End every worker at once."""
        self.state = "leaving"
        self._cancel()
        for worker in list(self._workers):
            worker.kill()

    async def left(self) -> None:
        """Wait until no process is left; cancelling just stops waiting."""
        if not self._workers:
            return
        waiting: Deferred[None] = Deferred()
        self._waiting.append(waiting)
        try:
            await waiting
        finally:
            if waiting in self._waiting:
                self._waiting.remove(waiting)

    # -- crashes -------------------------------------------------------------------

    def _ended(self, worker: Worker) -> None:
        self._workers.discard(worker)
        if self.state == "serving":
            self._replace_later()
        elif not self._workers:
            self._cancel()
            waiting, self._waiting = self._waiting, []
            for each in waiting:
                each.callback(None)

    def _look(self) -> None:
        """Count in turns of our own: who slept along with us did not hang."""
        for worker in self.workers:
            worker.silence += LOOK_SECONDS
            # Until it is ready the start has its own limit.
            if worker.report is not None and worker.silence >= self._hung:
                self.log.error(
                    "Worker {pid} told nothing for {seconds:g} s: it hangs and is "
                    "killed.",
                    pid=worker.pid,
                    seconds=worker.silence,
                )
                worker.silence = 0.0
                worker.kill()
        self._soon(LOOK_SECONDS, self._look)

    def _replace_later(self) -> None:
        now = self._clock.seconds()
        last, self._last_crash = self._last_crash, now
        if last is not None and now - last > STEADY_SECONDS:
            self._crashes = 0
        pause = self._pauses[min(self._crashes, len(self._pauses) - 1)]
        self._crashes += 1
        self.log.warn("A worker is replaced in {pause} s.", pause=pause)
        self._soon(pause, self._replace)

    def _replace(self) -> None:
        worker = self._add()
        ready = self._in_time(worker)
        ready.addCallbacks(
            lambda _: worker.order("serve") if self.state == "serving" else None,
            lambda failure: self._not_replaced(worker, failure),
        )

    def _not_replaced(self, worker: Worker, failure: Any) -> None:
        failure.trap(NotReady)
        if self.state == "serving":
            self.log.error("The new worker cannot serve: {why}", why=failure.value)
        # Its end brings the next attempt.
        worker.kill()

    # -- time ----------------------------------------------------------------------

    def _soon(self, seconds: float, what: Callable[[], None]) -> None:
        def do() -> None:
            self._later.discard(call)
            what()

        call = self._clock.callLater(seconds, do)
        self._later.add(call)

    def _cancel(self) -> None:
        later, self._later = self._later, set()
        for call in later:
            call.cancel()


def _took_too_long(result: Any, seconds: float) -> Any:
    result.trap(CancelledError)
    raise NotReady(f"It was not ready after {seconds:g} s.")
