"""POST /v1/messages/count_tokens: how many tokens a prompt has, without an answer.

Where the model's provider speaks Anthropic's dialect it says so itself. Where none
does, or none could, the number is a guess, and ``x-lightweight-tokens: estimated``
says that it is one. Nothing is generated, so nothing is billed.
"""

import msgspec
from msgspec import Struct

from lightweight.errors import Fault, ProviderFault, ProviderGarbage
from lightweight.policy.route import arranged
from lightweight.records import Answer, Call, Identity, Target
from lightweight.runtime import Runtime
from lightweight.upstream.attempts import Attempt, Attempts, Field
from lightweight.upstream.body import read_start
from lightweight.web.answers import json_answer, send, with_headers
from lightweight.web.auth import require_model
from lightweight.web.exchange import Exchange
from lightweight.web.serve import Desk, refuse_loop
from lightweight.web.shapes import told

LONGEST = 65536
"""The most that is read of a provider's answer, in bytes."""

_BYTES_PER_TOKEN = 4
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
        call = dialect.parse_request(exchange.request)
        model = runtime.offering.find(call.model)
        require_model(identity, model)
        targets = [each for each in model.targets if each.dialect == dialect.name]
        answer = await _counted(call, targets, runtime, desk)
    except Fault as fault:
        answer = told(dialect, fault, exchange.request.id)
    send(exchange, answer)


async def _counted(
    call: Call, targets: list[Target], runtime: Runtime, desk: Desk
) -> Answer:
    field = Field(
        providers=runtime.providers,
        dialects=runtime.dialects,
        standings=runtime.standings,
        budget=desk.budget,
        clock=desk.clock,
    )
    try:
        if targets:
            return await Attempts(call, arranged(targets, call.id), field).run(_read)
    except ProviderFault:
        pass  # Some that speak the dialect cannot count: a guess is better than none.
    tokens = -(-call.body_size // _BYTES_PER_TOKEN)
    return with_headers(json_answer({"input_tokens": tokens}), _MARK)


async def _read(attempt: Attempt) -> Answer:
    body = await read_start(attempt.reply.body, LONGEST)
    try:
        _COUNTED.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ProviderGarbage("The provider's answer is no count of tokens.") from None
    attempt.begun()
    return Answer(status=200, headers={"content-type": "application/json"}, body=body)
