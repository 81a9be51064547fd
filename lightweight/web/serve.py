"""One model call, from the request that arrived whole to its one Outcome."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import IReactorTime

from msgspec.structs import replace

from lightweight.dialects import crossing
from lightweight.dialects.dialect import Dialect, Passage
from lightweight.dialects.sealed import sealed_by
from lightweight.errors import Fault, LoopDetected, OwnFault, ProviderFault
from lightweight.policy.estimate import answer_tokens
from lightweight.policy.retry import RetryBudget
from lightweight.policy.route import arranged, fitting, session_of, staying
from lightweight.policy.trace import trace_of
from lightweight.records import (
    Attempted,
    Call,
    Ending,
    Headers,
    Identity,
    Kept,
    Outcome,
    Provenance,
    Request,
    Target,
    Usage,
)
from lightweight.runtime import Runtime
from lightweight.upstream.attempts import Attempt, Attempts, Field
from lightweight.upstream.http import HOP_HEADER
from lightweight.web.answers import send
from lightweight.web.auth import require_model
from lightweight.web.exchange import Exchange
from lightweight.web.journal import Journal
from lightweight.web.keepalive import KeepAlive
from lightweight.web.leaving import not_at_all
from lightweight.web.live import InFlight, Live
from lightweight.web.metered import Metered
from lightweight.web.overheard import listening
from lightweight.web.rates import Rates
from lightweight.web.relay import Ended, Relay
from lightweight.web.shapes import told

_STREAM_HEADERS: Headers = {
    "cache-control": "no-cache",
    # nginx would collect the events until the stream ends.
    "x-accel-buffering": "no",
}
_FROM_PROVIDER = {
    "content-type": "content-type",
    "x-request-id": "x-upstream-request-id",
    "request-id": "x-upstream-request-id",
    "openai-processing-ms": "openai-processing-ms",
    "openai-version": "openai-version",
}
_BYTES = "application/octet-stream"
_CLIENT_LEFT = 499
_BUG = "A bug in Lightweight: the log has its traceback."


LARGE_BODY = 1024 * 1024
"""Bytes of a body from which on it is judged aside: the others need not wait for it."""

Aside: TypeAlias = Callable[[Callable[[], Call]], Awaitable[Call]]
"""Does work where it holds nobody up and gives what it made, or raises what it raised.

Cancelling stops waiting; the work may go on.
"""


async def at_once(work: Callable[[], Call]) -> Call:
    """Do the work here and now."""
    return work()


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What every call needs and none owns."""

    clock: IReactorTime
    wall: Callable[[], float]
    """Seconds since the epoch."""
    live: Live
    rates: Rates
    journal: Journal
    aside: Aside = at_once
    budget: RetryBudget = field(default_factory=RetryBudget)
    """How many calls may be on a further attempt at the same time."""
    keep: Callable[[Kept], None] | None = None
    """Keeps what was said, where an operator wants that; None: nothing is ever kept."""


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
    is raised is a bug of ours and reported too. Cancelling says that the client left:
    the provider is stopped, or read to its end where the configuration wants that.
    """
    # -- The one place where prompts are kept, for keys that are marked so. --
    if identity.key.keep_prompts_days is not None and desk.keep is not None:
        exchange, report = listening(
            exchange, identity, report, wall=desk.wall, keep=desk.keep
        )
    serving: _Serving | None = None
    try:
        request = exchange.request
        refuse_loop(request)
        if len(request.body) < LARGE_BODY:
            call = parsed(dialect, request)
        else:
            call = await desk.aside(partial(parsed, dialect, request))
        serving = _Serving(exchange, identity, dialect, runtime, desk, call)
    except Fault as fault:
        await desk.rates.recall(identity, exchange.request.id)
        send(exchange, told(dialect, fault, exchange.request.id))
    finally:
        if serving is None:
            report(None)
    if serving is not None:
        await serving.run(report)


def parsed(dialect: Dialect, request: Request) -> Call:
    """Give the call that a request is, with the trace it belongs to.

    Raises the Fault that the client made.
    """
    call = dialect.parse_request(request)
    trace = trace_of(request.headers)
    return replace(call, trace=trace) if trace else call


def refuse_loop(request: Request) -> None:
    """Raise LoopDetected for a request that came through this gateway already."""
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
        self._model = call.model
        self._metered = Metered(
            call,
            identity,
            desk.wall() - (desk.clock.seconds() - call.arrived),
            desk.rates,
            desk.journal,
        )
        self._attempt: Attempt | None = None
        self._attempts: Attempts | None = None
        self._keep_alive: KeepAlive | None = None
        self._end_with: Fault | None = None
        self._passage: Passage | None = None
        self._relay: Relay | None = None
        self._ended: Ended | None = None
        self._outcome: Outcome | None = None

    async def run(self, report: Callable[[Outcome | None], None]) -> None:
        """Answer the call and tell of it, whatever happens."""
        exchange, live = self._exchange, self._desk.live
        exchange.lingers = self.left
        token = live.began(self.end, self.so_far)
        try:
            await self._answer()
        except Fault as fault:
            self._refuse(fault)
        except CancelledError:
            if self._end_with is None:
                raise
            self._refuse(self._end_with)
        finally:
            if self._keep_alive is not None:
                self._keep_alive.end()
            try:
                report(self._conclude())
            finally:
                live.ended(token)
                # No circle is left for the garbage collector to find.
                exchange.lingers = not_at_all
                self._relay = None

    async def _answer(self) -> None:
        call, runtime, desk = self._call, self._runtime, self._desk
        try:
            model = runtime.offering.find(call.model)
            self._model = model.id
            require_model(self._identity, model, runtime.tiers)
        except Fault:
            await desk.rates.recall(self._identity, call.id)
            raise
        ask = self._metered.ask(model)
        if ask is not None:
            await self._metered.admit(ask)
        if call.stream and self._dialect.keep_alive:
            self._keep_alive = self._begun_keep_alive()
        field = Field(
            providers=runtime.providers,
            dialects=runtime.dialects,
            standings=runtime.standings,
            budget=desk.budget,
            clock=desk.clock,
        )
        self._attempts = Attempts(call, self._in_order(model.targets), field)
        self._ended = await self._attempts.run(self._carry, before=self._before_asking)

    def _begun_keep_alive(self) -> KeepAlive:
        dialect = self._dialect
        headers = {**_STREAM_HEADERS, "content-type": dialect.stream_type}
        keep_alive = KeepAlive(
            self._exchange, self._desk.clock, headers, dialect.keep_alive
        )
        keep_alive.begin()
        return keep_alive

    def _in_order(self, targets: Sequence[Target]) -> Sequence[Target]:
        """Give those of a model's targets that may be asked, the first to ask first."""
        places = fitting(targets, self._call.dialect)
        if len(places) <= 1:
            return places
        session = session_of(self._call, self._exchange.request.headers)
        seed = f"{self._identity.account.id}/{session or self._call.id}"
        places = arranged(places, seed)
        return staying(places, sealed_by(self._call), self._is_free)

    def _is_free(self, target: Target) -> bool:
        standing = self._runtime.standings[target.provider]
        return standing.wait(target.model, self._desk.clock.seconds()) <= 0

    def _before_asking(self) -> None:
        if self._exchange.lost:
            # An answer may be read to its end without a client, but not begun.
            raise CancelledError
        self._metered.dispatch()

    async def _carry(self, attempt: Attempt) -> Ended:
        self._attempt = attempt
        stream, reply = self._call.stream, attempt.reply
        source = reply.body
        try:
            passage = self._passage = crossing.passage(
                self._runtime.dialects, self._call, attempt.target
            )
            relay = self._relay = Relay(
                self._exchange,
                source,
                passage,
                _answer_headers(reply.headers, passage, stream=stream),
                self._desk.clock,
                self._before_end,
                attempt.begun,
                self._keep_alive,
            )
            return await (relay.streamed() if stream else relay.whole())
        except ProviderFault:
            # Another target may answer: nothing of this one counts.
            self._relay = self._passage = None
            if self._keep_alive is not None:
                self._keep_alive.held = False
            raise
        except BaseException:
            source.abort()
            raise

    def _before_end(self, ended: Ended) -> None:
        if ended.fault is not None and self._attempt is not None:
            self._attempt.broke(ended.fault)
        self._ended = ended
        self._conclude()

    def _refuse(self, fault: Fault) -> None:
        """Tell the client of a fault that came before the answer's first byte."""
        self._fault = fault
        self._refused_with = 200 if self._exchange.started else fault.status
        self._conclude()
        if not self._exchange.started:
            send(self._exchange, told(self._dialect, fault, self._call.id))
            return
        # The status went out with a keep-alive comment.
        self._exchange.write(self._dialect.writer(self._call).broken(fault))
        self._exchange.finish()

    def end(self, fault: Fault) -> None:
        """End the call before its time: the client is told of ``fault``."""
        if self._relay is not None:
            self._relay.end(fault)
        else:
            self._end_with = fault
            self._exchange.stop()

    def so_far(self) -> InFlight:
        """Say what became of the call so far."""
        attempts = self._attempts
        target = attempts.target if attempts else None
        return InFlight(
            request_id=self._call.id,
            account_id=self._identity.account.id,
            key_id=self._identity.key.id,
            model=self._model,
            provider=target.provider if target else None,
            attempts=len(attempts.made) if attempts else 0,
            stream=self._call.stream,
            answering=bool(self._relay and self._relay.first_byte_at is not None),
            seconds=self._desk.clock.seconds() - self._call.arrived,
        )

    def left(self) -> float:
        """Learn that the client left; give the seconds to go on without it."""
        target = self._attempts.target if self._attempts else None
        if target is None:
            return 0.0
        limit = self._runtime.config.drain_limit_of(target.provider)
        if limit and self._relay is not None:
            # It may have left while it did not read.
            self._relay.resume()
        return limit

    # -- what is told of it --------------------------------------------------------

    def _conclude(self) -> Outcome:
        """Say how the call ended, and see to its bill when that is first asked."""
        if self._outcome is None:
            self._outcome = self._made_outcome()
            target = self._attempts.target if self._attempts else None
            self._metered.finish(self._outcome, target)
        return self._outcome

    def _made_outcome(self) -> Outcome:
        ending, status, why = self._ending()
        call, identity, attempts = self._call, self._identity, self._attempts
        target = attempts.target if attempts else None
        made = attempts.made if attempts else ()
        usage, provenance = self._usage(ending, made)
        now = self._desk.clock.seconds()
        answered = self._relay.first_byte_at if self._relay else None
        if answered is None and ending == "finished":
            # A whole answer is written down just before it leaves.
            answered = now
        return Outcome(
            # With one more keyword Python makes a dict of them all, at five times the
            # price (STACK_USE_GUIDELINE in its compiler).
            call.id,
            identity.account.id,
            key_id=identity.key.id,
            model=self._model,
            provider=target.provider if target else None,
            upstream_model=target.model if target else None,
            dialect=call.dialect,
            stream=call.stream,
            status=status,
            ending=ending,
            fault=why,
            usage=usage,
            provenance=provenance,
            first_byte_s=None if answered is None else answered - call.arrived,
            duration_s=now - call.arrived,
            attempts=made,
        )

    def _ending(self) -> tuple[Ending, int, str | None]:
        started, ended = self._exchange.started, self._ended
        if self._exchange.lost and (ended is None or ended.ending == "client_gone"):
            return "client_gone", 200 if started else _CLIENT_LEFT, None
        if ended is not None:
            return ended.ending, 200, _said(ended.fault)
        if self._fault is not None:
            asked = self._attempts is not None and self._attempts.target is not None
            ending: Ending = "failed" if asked else "refused"
            return ending, self._refused_with, self._fault.noted
        return ("cut", 200, _BUG) if started else ("failed", OwnFault.status, _BUG)

    def _usage(
        self, ending: Ending, made: Sequence[Attempted]
    ) -> tuple[Usage | None, Provenance | None]:
        """Give what the call took; nothing where it failed before its first byte."""
        if not made or ending == "failed":
            return None, None
        passage = self._passage
        if passage is None and made[-1].fault is not None:
            return None, None
        if passage is not None and passage.usage is not None:
            return passage.usage, "reported"
        answer = answer_tokens(passage.deltas, passage.size) if passage else 0
        usage = Usage(fresh=self._metered.estimate.prompt, answer=answer)
        return usage, "counted" if answer else "estimated"


def _said(fault: Fault | None) -> str | None:
    if fault is None:
        return None
    return _BUG if isinstance(fault, OwnFault) else fault.noted


def _answer_headers(told: Headers, passage: Passage, *, stream: bool) -> Headers:
    """Give the answer's head: what a provider ``told`` that clients may see, and ours.

    The passage may know the Content-Type.
    """
    headers = {}
    for theirs, ours in _FROM_PROVIDER.items():
        if theirs in told:
            headers[ours] = told[theirs]
    headers.setdefault("content-type", _BYTES)
    if passage.content_type:
        headers["content-type"] = passage.content_type
    if stream:
        headers |= _STREAM_HEADERS
    return headers
