"""A call's way through its targets, until the answer of one of them reaches the client.

Up to the first byte of the answer a fault of the provider moves on to the next target,
within the budget of second attempts. Who is limited or broken is passed over.
"""

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeGuard, TypeVar

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from msgspec import Struct

from lightweight.dialects.crossing import spoken, write_request
from lightweight.dialects.dialect import Dialect
from lightweight.errors import (
    ClientFault,
    Fault,
    ModelNotFound,
    ProviderBusy,
    ProviderFault,
    ProviderLacks,
    ProviderUnreachable,
)
from lightweight.policy.retry import RetryBudget
from lightweight.policy.route import Standing
from lightweight.records import Attempted, Call, DialectName, Target
from lightweight.upstream.body import read_start
from lightweight.upstream.provider import Provider, Reply

ERROR_BODY_BYTES = 65536
"""How much of an answer outside 2xx is read."""

_GOOD = range(200, 300)
_OWN_TROUBLE = 500
_TIMED_OUT = 408

_log = Logger()
_Made = TypeVar("_Made")


class Field(Struct, frozen=True, kw_only=True):
    """Who may be asked, and what is known of them."""

    providers: Mapping[str, Provider]
    dialects: Mapping[DialectName, Dialect]
    standings: Mapping[str, Standing]
    budget: RetryBudget
    clock: IReactorTime


class Attempt:
    """One target being asked, and the verdict on its provider."""

    reply: Reply
    """Set before the attempt is handed to anyone."""

    def __init__(
        self,
        target: Target,
        field: Field,
        further: bool,  # noqa: FBT001 -- made for each call, and names cost
        left_out: tuple[str, ...],
    ) -> None:
        """``further``: leave for a further attempt was taken and must be given back.

        ``left_out`` is told of the attempt.
        """
        self.target = target
        self._left_out = left_out
        self.answered = False
        """The answer's first byte is on its way to the client: no going back."""
        self._standing = field.standings[target.provider]
        self._clock = field.clock
        self._budget = field.budget if further else None
        self._began = self._clock.seconds()
        self._over: float | None = None
        self._pass = self._standing.breaker.enter(self._began)
        self._status: int | None = None
        self._fault: str | None = None

    def replied(self, reply: Reply) -> None:
        """Take the head of the answer."""
        self.reply = reply
        self._status = reply.status

    def begun(self) -> None:
        """Learn that the answer begins to reach the client."""
        self.answered = True
        self._give_back()
        self._well()

    def broke(self, fault: Fault) -> None:
        """Judge a fault; the provider may be well all the same."""
        self._fault = fault.noted
        if isinstance(fault, ProviderBusy):
            seconds = fault.retry_after or 1
            now = self._clock.seconds()
            self._standing.resting.rest(self.target.model, seconds, now)
        if _is_sick(fault, self._status):
            self._ill()
        elif isinstance(fault, ClientFault | ProviderFault):
            self._well()

    def over(self) -> None:
        """End the attempt, with a verdict or without."""
        self._over = self._clock.seconds()
        self._give_back()
        self._standing.breaker.left(self._pass)

    def told(self) -> Attempted:
        """Say what came of it so far."""
        until = self._clock.seconds() if self._over is None else self._over
        return Attempted(
            provider=self.target.provider,
            model=self.target.model,
            status=self._status,
            fault=self._fault,
            seconds=until - self._began,
            left_out=self._left_out,
        )

    def _give_back(self) -> None:
        budget, self._budget = self._budget, None
        if budget is not None:
            budget.give_back()

    def _well(self) -> None:
        if self._standing.breaker.succeeded(self._pass, self._clock.seconds()):
            _log.info("Provider {name!r} works again.", name=self.target.provider)

    def _ill(self) -> None:
        now = self._clock.seconds()
        breaker = self._standing.breaker
        if breaker.failed(self._pass, now):
            _log.warn(
                "Provider {name!r} fails and is left alone for {wait:.0f} s: {fault}",
                name=self.target.provider,
                wait=breaker.wait(now),
                fault=self._fault,
            )


class Attempts(Struct):
    """One call's attempts: make it, run it once, then read what was made."""

    call: Call
    targets: Sequence[Target]
    """In the order in which to ask them."""
    field: Field
    target: Target | None = None
    """Who was asked last."""
    _attempts: list[Attempt] = []

    @property
    def made(self) -> tuple[Attempted, ...]:
        """What came of each target that was asked, in order, the present one too."""
        return tuple([attempt.told() for attempt in self._attempts])

    async def run(
        self,
        carry: Callable[[Attempt], Awaitable[_Made]],
        *,
        before: Callable[[], None] = lambda: None,
    ) -> _Made:
        """Give what ``carry`` makes of the first good answer.

        ``before`` is called before each target is asked; what it raises ends the call.
        ``carry`` gets a reply with a status in 2xx, whose body it must deliver or
        abort. It calls ``begun`` of the attempt before the client gets the first byte;
        a retryable ProviderFault that it raises earlier moves on like any other. The
        last of them is raised where no target is left; any other Fault is raised at
        once. A target whose dialect cannot express the call is passed over; that one
        lacks the endpoint counts less than how another one failed. Cancelling
        stops the provider that is being asked and tries no other.
        """
        failed: ProviderFault | None = None
        unfit: ClientFault | None = None
        field, budget = self.field, self.field.budget
        budget.call_began()
        try:
            for target in self.targets:
                if self._wait(target) > 0:
                    continue
                try:
                    outgoing = write_request(field.dialects, self.call, target)
                except ClientFault as fault:
                    # Another target may be able to express it.
                    unfit = unfit or fault
                    continue
                further = failed is not None
                before()
                if further and not budget.take():
                    break
                attempt = Attempt(target, field, further, outgoing.left_out)
                self.target = target
                self._attempts.append(attempt)
                try:
                    reply = await field.providers[target.provider].send(
                        outgoing, self.call.id
                    )
                    # It may be large, and the answer long.
                    del outgoing
                    attempt.replied(reply)
                    if reply.status not in _GOOD:
                        dialect = spoken(field.dialects, self.call, target)
                        raise await _refusal(reply, dialect)
                    return await carry(attempt)
                except Fault as fault:
                    attempt.broke(fault)
                    if attempt.answered or not _is_retryable(fault):
                        raise
                    if failed is None or not isinstance(fault, ProviderLacks):
                        failed = fault
                finally:
                    attempt.over()
        finally:
            budget.call_ended()
        if failed is None and unfit is not None:
            raise unfit
        raise self._last_word(failed)

    def _wait(self, target: Target) -> float:
        now = self.field.clock.seconds()
        return self.field.standings[target.provider].wait(target.model, now)

    def _last_word(self, failed: ProviderFault | None) -> Fault:
        """Say why the call fails, and when to come back."""
        if not self.targets:
            return ModelNotFound(
                f"No configured provider serves the model {self.call.model!r}.",
                param="model",
            )
        if failed is None:
            return self._nobody_asked()
        if isinstance(failed, ProviderBusy):
            failed.retry_after = self._soonest(failed.retry_after or 1)
        elif len(self._attempts) > 1:
            # We tried again ourselves: retries of retries multiply.
            failed.should_retry = False
        return failed

    def _nobody_asked(self) -> ProviderFault:
        soonest = self._soonest(None)
        if soonest is not None:
            return ProviderBusy(
                "The provider is limiting requests. Retry after the time given.",
                retry_after=soonest,
            )
        wait = math.ceil(min(map(self._wait, self.targets)))
        return ProviderUnreachable(
            f"The provider failed too often and is left alone. Retry in {wait} s."
        )

    def _soonest(self, told: int | None) -> int | None:
        """Give the whole seconds until the first limited target may be asked."""
        now = self.field.clock.seconds()
        waits = [
            self.field.standings[target.provider].resting.wait(target.model, now)
            for target in self.targets
        ]
        limited = [math.ceil(wait) for wait in waits if wait > 0]
        return min(limited, default=told)


def _is_retryable(fault: Fault) -> TypeGuard[ProviderFault]:
    return isinstance(fault, ProviderFault) and fault.retryable


def _is_sick(fault: Fault, status: int | None) -> bool:
    """Whether a fault says that the provider itself does not work.

    An error below 500 does not: it concerns the request, the model, our credential.
    """
    if not isinstance(fault, ProviderFault) or isinstance(fault, ProviderBusy):
        return False
    if status is None or status in _GOOD:
        return True
    return status >= _OWN_TROUBLE or status == _TIMED_OUT


async def _refusal(reply: Reply, dialect: Dialect) -> Fault:
    body = await read_start(reply.body, ERROR_BODY_BYTES)
    return dialect.read_error(reply.status, reply.headers, body)
