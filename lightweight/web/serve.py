"""One model call, from the request that arrived whole to its one Outcome."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime

from lightweight.dialects import crossing
from lightweight.dialects.dialect import Dialect, Passage
from lightweight.errors import Fault, LoopDetected, OwnFault, ProviderFault
from lightweight.policy.retry import RetryBudget
from lightweight.policy.route import arranged, fitting, session_of
from lightweight.records import (
    Call,
    Ending,
    Headers,
    Identity,
    Outcome,
    Provenance,
    Request,
    Target,
    Usage,
)
from lightweight.runtime import Runtime
from lightweight.upstream.attempts import Attempt, Attempts, Field
from lightweight.upstream.http import HOP_HEADER
from lightweight.upstream.provider import Reply
from lightweight.web.answers import send
from lightweight.web.auth import require_model
from lightweight.web.exchange import Exchange
from lightweight.web.keepalive import EVENT_STREAM, KeepAlive
from lightweight.web.live import Live
from lightweight.web.relay import Ended, Relay

_STREAM_HEADERS: Headers = {
    "cache-control": "no-cache",
    # nginx would collect the events until the stream ends.
    "x-accel-buffering": "no",
}
_FROM_PROVIDER = {
    "x-request-id": "x-upstream-request-id",
    "openai-processing-ms": "openai-processing-ms",
    "openai-version": "openai-version",
}
_CLIENT_LEFT = 499


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What every call needs and none owns."""

    clock: IReactorTime
    live: Live
    before_end: Callable[[Call, Passage], None]
    """Called before the bytes that tell a client its answer is complete."""
    budget: RetryBudget = field(default_factory=RetryBudget)
    """How many calls may be on a further attempt at the same time."""


async def serve_call(
    exchange: Exchange,
    identity: Identity,
    dialect: Dialect,
    runtime: Runtime,
    *,
    desk: Desk,
    report: Callable[[Outcome | None], None],
) -> None:
    """Answer a model call, whatever happens to it.

    ``report`` is called exactly once, at the very end: with the call's Outcome, or with
    None where the request never became a call. Every Fault is answered here; what else
    is raised is a bug of ours and reported too. Cancelling stops the provider.
    """
    serving: _Serving | None = None
    try:
        _refuse_loop(exchange.request)
        call = dialect.parse_request(exchange.request)
        serving = _Serving(
            exchange, identity, dialect=dialect, runtime=runtime, desk=desk, call=call
        )
        with desk.live.call(serving.end):
            await serving.run()
    except Fault as fault:
        if serving is not None:
            serving.refuse(fault)
        else:
            send(exchange, dialect.render_error(fault))
    finally:
        report(None if serving is None else serving.outcome())


def _refuse_loop(request: Request) -> None:
    if HOP_HEADER in request.headers:
        raise LoopDetected(
            "This request already passed a Lightweight gateway. The operator must let "
            "base_url of the provider point at the provider itself."
        )


class _Serving:
    """One call on its way, and what is known of it so far."""

    def __init__(
        self,
        exchange: Exchange,
        identity: Identity,
        *,
        dialect: Dialect,
        runtime: Runtime,
        desk: Desk,
        call: Call,
    ) -> None:
        self._fault: Fault | None = None
        self._refused_with = 200
        self._exchange = exchange
        self._identity = identity
        self._dialect = dialect
        self._runtime = runtime
        self._desk = desk
        self._call = call
        self._asking: Deferred[Ended] | None = None
        self._attempts: Attempts | None = None
        self._keep_alive = KeepAlive(
            exchange,
            desk.clock,
            {**_STREAM_HEADERS, "content-type": dialect.stream_type},
        )
        self._end_with: Fault | None = None
        self._passage: Passage | None = None
        self._relay: Relay | None = None
        self._ended: Ended | None = None

    async def run(self) -> None:
        """Answer the call; raise the Fault that came before the first byte."""
        model = self._runtime.offering.find(self._call.model)
        require_model(self._identity, model)
        if not self._call.stream:
            await self._answer(model.targets)
            return
        if self._dialect.stream_type == EVENT_STREAM:
            self._keep_alive.begin()
        try:
            await self._answer(model.targets)
        finally:
            self._keep_alive.end()

    async def _answer(self, targets: Sequence[Target]) -> None:
        session = session_of(self._call, self._exchange.request.headers)
        seed = f"{self._identity.account.id}/{session or self._call.id}"
        runtime = self._runtime
        place = Field(
            providers=runtime.providers,
            dialects=runtime.dialects,
            standings=runtime.standings,
            budget=self._desk.budget,
            clock=self._desk.clock,
        )
        places = arranged(fitting(targets, self._call.dialect), seed)
        self._attempts = Attempts(self._call, places, place)
        self._asking = Deferred.fromCoroutine(self._attempts.run(self._carry))
        try:
            self._ended = await self._asking
        except CancelledError:
            if self._end_with is None:
                raise
            raise self._end_with from None

    async def _carry(self, attempt: Attempt) -> Ended:
        source = attempt.reply.body
        try:
            passage = self._passage = crossing.passage(
                self._runtime.dialects, self._call, attempt.target
            )
            relay = self._relay = Relay(
                self._exchange,
                source,
                passage,
                headers=_answer_headers(attempt.reply, stream=self._call.stream),
                clock=self._desk.clock,
                before_end=lambda passage: self._desk.before_end(self._call, passage),
                begun=attempt.begun,
                keep_alive=self._keep_alive,
            )
            ended = await relay.run(stream=self._call.stream)
        except ProviderFault:
            # Another target may answer: nothing of this one counts.
            self._relay = self._passage = None
            self._keep_alive.held = False
            raise
        except BaseException:
            source.abort()
            raise
        if ended.fault is not None:
            attempt.broke(ended.fault)
        return ended

    def refuse(self, fault: Fault) -> None:
        """Tell the client of a fault that came before the answer's first byte."""
        self._fault = fault
        self._refused_with = 200 if self._exchange.started else fault.status
        if not self._exchange.started:
            send(self._exchange, self._dialect.render_error(fault))
            return
        # The status went out with a keep-alive comment.
        self._exchange.write(self._dialect.writer(self._call).broken(fault))
        self._exchange.finish()

    def end(self, fault: Fault) -> None:
        """End the call before its time: the client is told of ``fault``."""
        if self._relay is not None:
            self._relay.end(fault)
        elif self._asking is not None:
            self._end_with = fault
            self._asking.cancel()

    # -- what is told of it --------------------------------------------------------

    def outcome(self) -> Outcome:
        """Say how the call ended; it must have."""
        ending, status, why = self._ending()
        attempts = self._attempts
        target = attempts.target if attempts else None
        usage, provenance = self._usage()
        return Outcome(
            request_id=self._call.id,
            account_id=self._identity.account.id,
            key_id=self._identity.key.id,
            model=self._call.model,
            provider=target.provider if target else None,
            upstream_model=target.model if target else None,
            dialect=self._call.dialect,
            stream=self._call.stream,
            status=status,
            ending=ending,
            fault=why,
            usage=usage,
            provenance=provenance,
            first_byte_s=self._first_byte_s(),
            duration_s=self._desk.clock.seconds() - self._call.arrived,
            attempts=tuple(attempts.made) if attempts else (),
        )

    def _ending(self) -> tuple[Ending, int, str | None]:
        started = self._exchange.started
        if self._ended is not None:
            fault = self._ended.fault
            return self._ended.ending, 200, fault.message if fault else None
        if self._exchange.lost:
            return "client_gone", 200 if started else _CLIENT_LEFT, None
        if self._fault is not None:
            asked = self._attempts is not None and self._attempts.target is not None
            ending: Ending = "failed" if asked else "refused"
            return ending, self._refused_with, self._fault.message
        why = "A bug in Lightweight: the log has its traceback."
        return ("cut", 200, why) if started else ("failed", OwnFault.status, why)

    def _usage(self) -> tuple[Usage | None, Provenance | None]:
        if self._passage is None:
            return None, None
        if self._passage.usage is not None:
            return self._passage.usage, "reported"
        if self._passage.deltas:
            return Usage(answer=self._passage.deltas), "counted"
        return None, None

    def _first_byte_s(self) -> float | None:
        if self._relay is None or self._relay.first_byte_at is None:
            return None
        return self._relay.first_byte_at - self._call.arrived


def _answer_headers(reply: Reply, *, stream: bool) -> Headers:
    passed = {
        ours: reply.headers[theirs]
        for theirs, ours in _FROM_PROVIDER.items()
        if theirs in reply.headers
    }
    return {**passed, **_STREAM_HEADERS} if stream else passed
