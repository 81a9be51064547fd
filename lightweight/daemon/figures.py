"""What the control socket shows of the workers: their own figures, put together."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import to_builtins

from lightweight.daemon.generation import LOOK_SECONDS, Generation
from lightweight.daemon.worker import Worker
from lightweight.policy.route import Health

QUIET_SECONDS = 3 * LOOK_SECONDS
"""A worker that tells nothing for longer is shown as silent."""

SUMS = ("connections", "calls", "streams", "calls_per_s", "errors_per_s")
"""Figures that add up."""

_WORST_FIRST = ("open", "half-open", "closed")


def of_generations(generations: Iterable[Generation]) -> Sequence[Mapping[str, Any]]:
    """Give each generation with its workers and their last vitals."""
    return [
        {
            "number": each.number,
            "state": each.state,
            "workers": [_of_worker(worker, each) for worker in each.workers],
        }
        for each in generations
    ]


def in_all(generations: Iterable[Generation]) -> Mapping[str, float]:
    """Give the sums over all workers."""
    told = [
        worker.vitals
        for each in generations
        for worker in each.workers
        if worker.vitals is not None
    ]
    return {name: round(sum(getattr(v, name) for v in told), 1) for name in SUMS}


def of_providers(generation: Generation | None) -> Mapping[str, Mapping[str, Any]]:
    """Give each provider as the worker sees it that fares worst with it."""
    seen: dict[str, list[Health]] = {}
    for worker in generation.workers if generation else ():
        for name, health in worker.vitals.providers.items() if worker.vitals else ():
            seen.setdefault(name, []).append(health)
    return {name: _worst(healths) for name, healths in sorted(seen.items())}


def _worst(healths: Sequence[Health]) -> Mapping[str, Any]:
    state = min((each.state for each in healths), key=_WORST_FIRST.index)
    resting: dict[str, float] = {}
    for each in healths:
        for model, wait in each.resting.items():
            resting[model] = max(wait, resting.get(model, 0.0))
    return {
        "state": state,
        "workers": sum(each.state == state for each in healths),
        "wait": max(each.wait for each in healths),
        "resting": resting,
    }


def _of_worker(worker: Worker, generation: Generation) -> Mapping[str, Any]:
    told = to_builtins(worker.vitals) if worker.vitals is not None else {}
    for known in ("version", "is", "providers"):
        told.pop(known, None)
    if worker.report is None:
        state = "starting"
    else:
        state = "silent" if worker.silence > QUIET_SECONDS else generation.state
    return {"pid": worker.pid, "state": state, **told}
