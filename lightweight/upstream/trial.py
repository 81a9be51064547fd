"""One tiny request to one target, as the daemon would send it."""

from collections.abc import Mapping

from twisted.internet.interfaces import IReactorTime

import msgspec
from msgspec import Struct

from lightweight.dialects.crossing import passage, write_request
from lightweight.dialects.dialect import Dialect
from lightweight.errors import Fault
from lightweight.records import Call, DialectName, Request, Target
from lightweight.upstream.body import read_start
from lightweight.upstream.provider import Provider

MOST_TOKENS = 16
"""What the answer may have, thoughts included: an answer cut off there will do."""

LONGEST = 1024 * 1024
"""Bytes of an answer that are read."""

_GOOD = range(200, 300)


class Tried(Struct, frozen=True, kw_only=True):
    """What came of it."""

    target: Target
    seconds: float
    """Until the whole answer was there, or failed."""
    tokens: int | None = None
    """Of prompt and answer, where the provider said."""
    fault: str | None = None
    """Why it failed, for the operator; None: it answered."""


async def try_target(
    model: str,
    target: Target,
    *,
    provider: Provider,
    dialects: Mapping[DialectName, Dialect],
    clock: IReactorTime,
) -> Tried:
    """Ask a target for a few words in the name of ``model``; costs a few tokens.

    Raises no Fault: what fails is told. Cancelling stops the provider.
    """
    began = clock.seconds()
    try:
        tokens = await _ask(tiny_call(model, dialects), target, provider, dialects)
    except Fault as fault:
        seconds = clock.seconds() - began
        return Tried(target=target, seconds=seconds, fault=fault.message)
    return Tried(target=target, seconds=clock.seconds() - began, tokens=tokens)


async def _ask(
    call: Call,
    target: Target,
    provider: Provider,
    dialects: Mapping[DialectName, Dialect],
) -> int | None:
    reply = await provider.send(write_request(dialects, call, target), call.id)
    body = await read_start(reply.body, LONGEST)
    if reply.status not in _GOOD:
        raise dialects[target.dialect].read_error(reply.status, reply.headers, body)
    way = passage(dialects, call, target)
    way.feed(body)
    way.finish()
    return way.usage.total if way.usage else None


def tiny_call(model: str, dialects: Mapping[DialectName, Dialect]) -> Call:
    """Give a call of ``model`` that wants a few words."""
    body = {
        "model": model,
        "messages": [{"role": "user", "content": "Say OK."}],
        "max_completion_tokens": MOST_TOKENS,
    }
    return dialects["openai_chat"].parse_request(
        Request(
            id="models-test",
            method="POST",
            path="/v1/chat/completions",
            headers={},
            body=msgspec.json.encode(body),
            arrived=0.0,
        )
    )
