"""A rehearsal of failover: a model's targets are asked in order, and nobody hears it.

The way is the real one (``route`` and ``attempts``) over the model's own targets. Only
the providers are deaf and what is known of their health is made up: each fails at once,
so all that may be asked are, one after the other.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NoReturn

from twisted.internet.interfaces import IReactorTime

from lightweight.dialects.crossing import write_request
from lightweight.dialects.dialect import Dialect
from lightweight.errors import ClientFault, Fault, ProviderUnreachable
from lightweight.policy.retry import RetryBudget
from lightweight.policy.route import Standing, arranged, fitting
from lightweight.records import Attempted, Call, DialectName, Model, Outgoing, Target
from lightweight.upstream.attempts import Attempt, Attempts, Field
from lightweight.upstream.trial import tiny_call

_VERDICTS = 100
"""More bad ones in a row than any breaker takes."""


class _Deaf:
    """Stands for a provider: it hears nothing and fails."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def send(self, outgoing: Outgoing, request_id: str) -> NoReturn:
        del outgoing, request_id
        raise ProviderUnreachable("This is a rehearsal.")

    async def close(self) -> None:
        """Do nothing."""


async def rehearse(
    model: Model, *, dialects: Mapping[DialectName, Dialect], clock: IReactorTime
) -> str | None:
    """Say in a sentence why failover of ``model`` would not work; None: it would.

    A model with one target has none. Nothing is sent, counted or awaited.
    """
    call = tiny_call(model.id, dialects)
    fit = fitting(model.targets, call.dialect)
    ranks = {
        (each.provider, each.model): each.priority or place
        for place, each in enumerate(fit, start=1)
    }
    places = [
        each for each in arranged(fit, call.id) if _expressible(dialects, call, each)
    ]
    if len(places) <= 1:
        return None
    names = {each.provider for each in places}
    standings = {name: Standing() for name in names}
    asked = await _asked(call, places, dialects, standings, clock)
    if len(asked) != len(places):
        return (
            f"Model {model.id!r}: only {len(asked)} of {len(places)} targets are asked."
        )
    order = [ranks[each.provider, each.model] for each in asked]
    if any(sooner > later for sooner, later in pairwise(order)):
        return f"Model {model.id!r}: targets are not asked in the configured order."
    first = places[0].provider
    if len(names) > 1:
        _break(standings[first], clock.seconds())
        again = await _asked(call, places, dialects, standings, clock)
        if not again or any(each.provider == first for each in again):
            return f"Model {model.id!r}: a provider that fails is not passed over."
    return None


def _expressible(
    dialects: Mapping[DialectName, Dialect], call: Call, target: Target
) -> bool:
    try:
        write_request(dialects, call, target)
    except ClientFault:
        return False
    return True


async def _asked(
    call: Call,
    places: Sequence[Target],
    dialects: Mapping[DialectName, Dialect],
    standings: Mapping[str, Standing],
    clock: IReactorTime,
) -> Sequence[Attempted]:
    field = Field(
        providers={name: _Deaf(name) for name in standings},
        dialects=dialects,
        standings=standings,
        budget=RetryBudget(),
        clock=clock,
    )
    attempts = Attempts(call, places, field)
    try:
        await attempts.run(_never)
    except Fault:
        return attempts.made
    raise AssertionError("nobody can have answered")


async def _never(_attempt: Attempt) -> NoReturn:
    raise AssertionError("nobody can have answered")


def _break(standing: Standing, now: float) -> None:
    breaker = standing.breaker
    for _ in range(_VERDICTS):
        breaker.failed(breaker.enter(now), now)
