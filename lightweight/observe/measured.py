"""What each request adds to the metrics, taken from the one Visit at its end."""

from collections.abc import Callable
from typing import Final, TypeAlias, TypeVar

from msgspec import Struct

from lightweight.observe import metrics
from lightweight.observe.access import Visit
from lightweight.observe.counts import Counts, observe_in
from lightweight.records import Attempted, Outcome

_GOOD = range(200, 300)
_BUSY = 429
_REFUSALS = range(400, 500)

_CALL_S: Final = metrics.CALL_SECONDS.buckets
_ATTEMPT_S: Final = metrics.ATTEMPT_SECONDS.buckets

_Kind = TypeVar("_Kind")
_Found = TypeVar("_Found")
_CallKind: TypeAlias = tuple[str, str | None, str, str, str | None]
"""What a call's labels are made of: model, provider, dialect, ending, provenance."""
_AttemptKind: TypeAlias = tuple[str, int | None, bool]
"""The same of an attempt: provider, status, whether a fault is known."""


class _CallPlaces(Struct):
    """Where calls of one kind are counted."""

    labels: tuple[str, str]
    """Model and provider."""
    ended: list[float]
    seconds: list[float] | None
    """None: no provider was asked."""
    uses: list[float] | None
    """None: no tokens were used."""
    tokens: dict[str, list[float]]


class Measured:
    """Counts visits on their way to ``record``.

    Most are like one before: where those of a kind are counted is looked up once.
    """

    def __init__(
        self,
        record: Callable[[Visit], None],
        counts: Counts,
        offered: Callable[[str], bool],
    ) -> None:
        """``offered`` tells whether there is a model of some id."""
        self._record = record
        self._counts = counts
        self._offered = offered
        self._taken = counts.taken
        self._requests: dict[int, list[float]] = {}
        self._calls: dict[_CallKind, _CallPlaces] = {}
        self._attempts: dict[_AttemptKind, tuple[list[float], list[float]]] = {}
        """The number of a result, and the seconds."""

    def count(self, visit: Visit) -> None:
        """Count one visit and pass it on."""
        counts = self._counts
        if counts.taken != self._taken:
            self._forget()
        status = visit.status
        requests = self._requests.get(status)
        if requests is None:
            requests = counts.place(metrics.REQUESTS, (str(status),))
            self._know(self._requests, status, requests)
        requests[0] += 1
        counts.add(metrics.SENT, (), visit.sent)
        if visit.outcome is not None:
            self._count_call(visit.outcome)
        self._record(visit)

    def _count_call(self, outcome: Outcome) -> None:
        usage, provider = outcome.usage, outcome.provider
        kind = (
            outcome.model if self._offered(outcome.model) else metrics.UNKNOWN,
            provider,
            outcome.dialect,
            outcome.ending,
            None if usage is None else outcome.provenance or "estimated",
        )
        places = self._calls.get(kind) or self._new_calls(kind)
        places.ended[0] += 1
        if places.seconds is not None:
            observe_in(places.seconds, _CALL_S, outcome.duration_s)
            if outcome.stream and outcome.first_byte_s is not None:
                self._counts.observe(
                    metrics.FIRST_BYTE_SECONDS, places.labels, outcome.first_byte_s
                )
        for attempt in outcome.attempts:
            self._count_attempt(attempt)
        if usage is not None and places.uses is not None:
            places.uses[0] += 1
            if usage.fresh:
                self._count_tokens(places, "fresh", usage.fresh)
            if usage.cached:
                self._count_tokens(places, "cached", usage.cached)
            if usage.cache_write:
                self._count_tokens(places, "cache_write", usage.cache_write)
            if usage.answer:
                self._count_tokens(places, "answer", usage.answer)
            if usage.reasoning:
                self._count_tokens(places, "reasoning", usage.reasoning)

    def _count_attempt(self, attempt: Attempted) -> None:
        kind = (attempt.provider, attempt.status, attempt.fault is None)
        places = self._attempts.get(kind)
        if places is None:
            counts, asked = self._counts, attempt.provider
            places = (
                counts.place(metrics.ATTEMPTS, (asked, result_of(attempt))),
                counts.place(metrics.ATTEMPT_SECONDS, (asked,)),
            )
            self._know(self._attempts, kind, places)
        came, seconds = places
        came[0] += 1
        observe_in(seconds, _ATTEMPT_S, attempt.seconds)

    def _count_tokens(self, places: _CallPlaces, kind: str, tokens: int) -> None:
        known = places.tokens.get(kind)
        if known is None:
            known = self._counts.place(metrics.TOKENS, (*places.labels, kind))
            self._know(places.tokens, kind, known)
        known[0] += tokens

    def _new_calls(self, kind: _CallKind) -> _CallPlaces:
        model, provider, dialect, ending, provenance = kind
        place = self._counts.place
        labels = (model, provider or metrics.NOBODY)
        places = _CallPlaces(
            labels=labels,
            ended=place(metrics.CALLS, (*labels, dialect, ending)),
            seconds=place(metrics.CALL_SECONDS, labels) if provider else None,
            uses=place(metrics.USES, (provenance,)) if provenance else None,
            tokens={},
        )
        self._know(self._calls, kind, places)
        return places

    def _forget(self) -> None:
        """Other places count from now on."""
        self._taken = self._counts.taken
        self._requests.clear()
        self._calls.clear()
        self._attempts.clear()

    def _know(self, table: dict[_Kind, _Found], kind: _Kind, found: _Found) -> None:
        """Look it up no more, unless there may be no room for it."""
        if not self._counts.full:
            table[kind] = found


def result_of(attempt: Attempted) -> str:
    """Say in a word what came of asking a provider, as metrics.ATTEMPTS explains."""
    status = attempt.status
    if status is None:
        return "left" if attempt.fault is None else "failed"
    if status in _GOOD:
        return "answered" if attempt.fault is None else "broken"
    if status == _BUSY:
        return "limited"
    return "rejected" if status in _REFUSALS else "failed"
