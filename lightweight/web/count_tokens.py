"""POST /v1/messages/count_tokens: how many tokens a prompt has, without an answer.

Where the model's provider speaks Anthropic's dialect it says so itself. Where none
does, or none could, the number is a guess, and ``x-lightweight-tokens: estimated``
says that it is one. Nothing is generated, so nothing is billed.
"""

from twisted.internet.defer import CancelledError, Deferred

import msgspec
from msgspec import Struct

from lightweight.errors import Fault, ProviderFault, ProviderGarbage
from lightweight.policy.estimate import estimate
from lightweight.policy.route import Standing, arranged
from lightweight.records import Answer, Call, Identity, Model
from lightweight.runtime import Runtime
from lightweight.upstream.attempts import Attempt, Attempts, Field
from lightweight.upstream.body import read_start
from lightweight.web.answers import json_answer, send, with_headers
from lightweight.web.auth import require_model
from lightweight.web.exchange import Exchange
from lightweight.web.serve import Desk, parsed, refuse_loop
from lightweight.web.shapes import told

LONGEST = 65536
"""The most that is read of a provider's answer, in bytes."""

_MARK = {"x-lightweight-tokens": "estimated"}


class _Counted(Struct, frozen=True):
    input_tokens: int


_COUNTED = msgspec.json.Decoder(_Counted)


async def serve_count(
    exchange: Exchange, identity: Identity, runtime: Runtime, *, desk: Desk
) -> None:
    """Answer with the count, whatever happens; cancelling stops the provider."""
    dialect = runtime.dialects["anthropic"]
    try:
        refuse_loop(exchange.request)
        call = parsed(dialect, exchange.request)
        model = runtime.offering.find(call.model)
        require_model(identity, model, runtime.tiers)
        await desk.rates.recall(identity, exchange.request.id)
        answer = await _counted(call, model, runtime, desk) or _guessed(call)
    except Fault as fault:
        answer = told(dialect, fault, exchange.request.id)
    send(exchange, answer)


async def _counted(
    call: Call, model: Model, runtime: Runtime, desk: Desk
) -> Answer | None:
    """Give what a provider counts; None where none does, or when told to end."""
    now = desk.clock.seconds()
    targets = [
        target
        for target in model.targets
        if target.dialect == call.dialect
        and runtime.standings[target.provider].wait(target.model, now) <= 0
    ]
    if not targets:
        return None
    field = Field(
        providers=runtime.providers,
        dialects=runtime.dialects,
        # Counts have limits of their own: meeting one must not rest the model.
        standings={name: Standing() for name in runtime.providers},
        budget=desk.budget,
        clock=desk.clock,
    )
    attempts = Attempts(call, arranged(targets, call.id), field)
    asking = Deferred.fromCoroutine(attempts.run(_read))
    told_to_end = []

    def end(fault: Fault) -> None:
        told_to_end.append(fault)
        asking.cancel()

    try:
        with desk.live.call(end):
            return await asking
    except CancelledError:
        if not told_to_end:
            raise
    except ProviderFault:
        pass  # Some that speak the dialect cannot count.
    return None


def _guessed(call: Call) -> Answer:
    return with_headers(json_answer({"input_tokens": estimate(call).prompt}), _MARK)


async def _read(attempt: Attempt) -> Answer:
    body = await read_start(attempt.reply.body, LONGEST)
    try:
        _COUNTED.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ProviderGarbage("The provider's answer is no count of tokens.") from None
    attempt.begun()
    return Answer(status=200, headers={"content-type": "application/json"}, body=body)
