"""The self-test: that limits hold and failover works here and now, not only on paper.

It runs beside the traffic after each start and reload, and costs some milliseconds. A
failure is told and does not end the serving: an operator can only judge whether calls
without a limit are worse than none.
"""

from collections.abc import Callable

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from lightweight.amounts import counted
from lightweight.daemon.messages import Tested
from lightweight.runtime import Runtime
from lightweight.store.limits.limiter import Limiter
from lightweight.store.limits.proof import kinds_of, prove
from lightweight.upstream.rehearsal import rehearse

MOST_TOLD = 10
"""Sentences that are kept of one test."""

AGAIN_S = 60.0
"""After a failure it is tested again, which is told when it passes."""


class SelfTest:
    """That of one serving process."""

    log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        *,
        current: Callable[[], Runtime],
        new_id: Callable[[str], str],
    ) -> None:
        """``new_id("selftest")`` makes an id that nobody had."""
        self._clock = clock
        self._current = current
        self._new_id = new_id
        self._running: Deferred[None] | None = None
        self._later: IDelayedCall | None = None
        self.told = Tested()

    def why(self) -> str | None:
        """Say what does not work; None where nothing is known to."""
        return " ".join(self.told.problems) or None

    def start(self, limiter: Limiter) -> None:
        """Test what is in force now; a test under way gives way to this one."""
        self.stop()
        self.told = Tested()
        self._begin(limiter)

    def _begin(self, limiter: Limiter) -> None:
        self._later = None
        self._running = Deferred.fromCoroutine(self._run(limiter))
        self._running.addErrback(self._failed)

    def stop(self) -> None:
        """Test no more."""
        if self._running is not None:
            self._running.cancel()
        if self._later is not None:
            self._later.cancel()
            self._later = None

    async def _run(self, limiter: Limiter) -> None:
        runtime = self._current()
        kinds = kinds_of(tier.limits for tier in runtime.tiers.values())
        problems = await prove(limiter, kinds, self._new_id)
        if problems:
            # The home may have changed in the middle of it.
            problems = await prove(limiter, kinds, self._new_id)
        models = [each for each in runtime.offering.listed() if len(each.targets) > 1]
        for model in models:
            problem = await rehearse(
                model, dialects=runtime.dialects, clock=self._clock
            )
            problems += [problem] if problem else []
        if problems:
            self._later = self._clock.callLater(AGAIN_S, self._begin, limiter)
        self._tell(problems, len(kinds), len(models))

    def _tell(self, problems: list[str], kinds: int, models: int) -> None:
        if problems:
            told = Tested(state="failed", problems=tuple(problems[:MOST_TOLD]))
            news, self.told = told != self.told, told
            if news:
                self.log.error("Self-test failed: {why}", why=self.why())
            return
        self.told = Tested(state="passed")
        self.log.info(
            "Self-test passed: limits of {kinds} hold, calls of {models} move on to "
            "another target.",
            kinds=counted(kinds, "kind"),
            models=counted(models, "model"),
        )

    def _failed(self, failure: Failure) -> None:
        if failure.check(CancelledError) is None:
            self.told = Tested(state="failed", problems=("It could not be made.",))
            self.log.failure("The self-test could not be made.", failure=failure)
