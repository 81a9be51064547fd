"""A call's way through its targets, until one of them answers."""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from lightweight.dialects.dialect import Dialect
from lightweight.errors import Fault, ModelNotFound, ProviderFault
from lightweight.records import Call, DialectName, Target
from lightweight.upstream.body import read_start
from lightweight.upstream.provider import Provider, Reply

ERROR_BODY_BYTES = 65536
"""How much of an answer outside 2xx is read."""

_GOOD = range(200, 300)


class Attempt(Struct, frozen=True, kw_only=True):
    """The target that answered, the name of its provider, and its reply."""

    target: Target
    provider: str
    reply: Reply


async def first_answer(
    call: Call,
    targets: Sequence[Target],
    providers: Mapping[str, Provider],
    dialects: Mapping[DialectName, Dialect],
    *,
    trying: Callable[[Target], None],
) -> Attempt:
    """Give the first reply with a status in 2xx; its body must be delivered or aborted.

    Targets are tried in order; ``trying`` is told of each before it is asked. A
    retryable ProviderFault moves on to the next and is raised if there is none; any
    other Fault is raised at once. Cancelling stops the provider that is being asked.
    """
    failed: ProviderFault | None = None
    for target in targets:
        provider = providers[target.provider]
        dialect = dialects[target.dialect]
        outgoing = dialect.write_request(call, target)
        trying(target)
        try:
            reply = await provider.send(outgoing, call.id)
            if reply.status in _GOOD:
                return Attempt(target=target, provider=provider.name, reply=reply)
            raise await _refusal(reply, dialect)
        except ProviderFault as fault:
            if not fault.retryable:
                raise
            failed = fault
    if failed is None:
        raise ModelNotFound(
            f"No configured provider serves the model {call.model!r}.", param="model"
        )
    raise failed


async def _refusal(reply: Reply, dialect: Dialect) -> Fault:
    body = await read_start(reply.body, ERROR_BODY_BYTES)
    return dialect.read_error(reply.status, reply.headers, body)
