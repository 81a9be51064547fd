"""What the control socket shows of the workers: their own figures, put together."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from msgspec import to_builtins

from lightweight import __version__
from lightweight.daemon.generation import LOOK_SECONDS, Generation
from lightweight.daemon.messages import Tested, Vitals
from lightweight.daemon.worker import Worker
from lightweight.observe import metrics
from lightweight.observe.counts import Series
from lightweight.observe.memory import resident
from lightweight.observe.metrics import Metric
from lightweight.policy.route import Health

QUIET_SECONDS = 3 * LOOK_SECONDS
"""A worker that tells nothing for longer is shown as silent."""

SUMS = ("connections", "calls", "streams", "calls_per_s", "errors_per_s")
"""Figures that add up."""

_WORST_FIRST = ("open", "half-open", "closed")
_WORST_TEST_FIRST = ("failed", "running", "passed")
_STATES = ("starting", "serving", "leaving", "silent")


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


def of_self_test(generation: Generation | None) -> Mapping[str, Any]:
    """Give what came of the workers' self-tests, the worst first."""
    told = [
        worker.vitals.self_test if worker.vitals else Tested()
        for worker in (generation.workers if generation else ())
    ]
    states = {each.state for each in told} or {"running"}
    return {
        "state": next(each for each in _WORST_TEST_FIRST if each in states),
        "problems": sorted({problem for each in told for problem in each.problems}),
    }


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
    for known in (
        "version",
        "is",
        "providers",
        "limits_away",
        "journal_lag",
        "self_test",
    ):
        told.pop(known, None)
    return {"pid": worker.pid, "state": _state(worker, generation), **told}


def _state(worker: Worker, generation: Generation) -> str:
    if worker.report is None:
        return "starting"
    return "silent" if worker.silence > QUIET_SECONDS else generation.state


Fares: TypeAlias = tuple[str, Vitals | None]
"""A process's state, and what it last told of itself."""


def fares(generations: Iterable[Generation]) -> Iterator[Fares]:
    """Give how each worker fares."""
    for each in generations:
        for worker in each.workers:
            yield _state(worker, each), worker.vitals


def gauges(
    number: int | None, workers: Iterable[Fares], books: Iterable[Fares]
) -> Iterator[Series]:
    """Give what is so now, as metrics; ``number`` is the generation that serves."""
    known = list(workers)
    told = [vitals for _, vitals in known if vitals is not None]
    keeping = [vitals for _, vitals in books if vitals is not None]
    yield _series(metrics.BUILD, (__version__,), 1)
    if number is not None:
        yield _series(metrics.GENERATION, (), number)
    states = Counter(state for state, _ in known)
    for state in _STATES:
        yield _series(metrics.WORKERS, (state,), states[state])
    # Who leaves asks nobody any more: its word of providers grows old.
    yield from _standings(v for state, v in known if v and state != "leaving")
    yield _series(metrics.CONNECTIONS, (), sum(v.connections for v in told))
    yield _series(metrics.IN_FLIGHT, (), sum(v.calls for v in told))
    yield _series(metrics.STREAMS, (), sum(v.streams for v in told))
    yield _series(metrics.LIMITS_AWAY, (), sum(v.limits_away for v in told))
    failed = sum(v.self_test.state == "failed" for v in told)
    yield _series(metrics.SELF_TEST_FAILED, (), failed)
    yield _series(metrics.MEMORY, ("worker",), sum(v.memory for v in told))
    if keeping:
        yield _series(metrics.MEMORY, ("books",), sum(v.memory for v in keeping))
    # Who serves alone keeps them, too.
    lags = [v.journal_lag for v in told + keeping if v.journal_lag is not None]
    if lags:
        yield _series(metrics.JOURNAL_LAG, (), min(lags))


def _standings(told: Iterable[Vitals]) -> Iterator[Series]:
    seen: Counter[tuple[str, str]] = Counter()
    for vitals in told:
        for name, health in vitals.providers.items():
            for state in _WORST_FIRST:
                seen[name, state] += health.state == state
    for labels, count in sorted(seen.items()):
        yield _series(metrics.PROVIDER_STATE, labels, count)


def of_parent() -> Series:
    """Give this process's memory, where it is the parent."""
    return _series(metrics.MEMORY, ("parent",), resident())


def _series(metric: Metric, labels: tuple[str, ...], value: float) -> Series:
    return Series(metric.name, labels, (float(value),))
