"""What each request adds to the metrics, taken from the one Visit at its end."""

from collections.abc import Callable

from msgspec.structs import asdict

from lightweight.observe import metrics
from lightweight.observe.access import Visit
from lightweight.observe.counts import Counts
from lightweight.records import Attempted, Outcome

_GOOD = range(200, 300)
_BUSY = 429
_REFUSALS = range(400, 500)


class Measured:
    """Counts visits on their way to ``record``."""

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

    def __call__(self, visit: Visit) -> None:
        """Count one visit and pass it on."""
        counts = self._counts
        counts.add(metrics.REQUESTS, (str(visit.status),))
        counts.add(metrics.SENT, (), visit.sent)
        if visit.outcome is not None:
            self._count(visit.outcome)
        self._record(visit)

    def _count(self, outcome: Outcome) -> None:
        counts = self._counts
        model = outcome.model if self._offered(outcome.model) else metrics.UNKNOWN
        provider = outcome.provider or metrics.NOBODY
        counts.add(
            metrics.CALLS, (model, provider, outcome.dialect, str(outcome.ending))
        )
        if outcome.provider is not None:
            place = (model, provider)
            counts.observe(metrics.CALL_SECONDS, place, outcome.duration_s)
            if outcome.stream and outcome.first_byte_s is not None:
                counts.observe(metrics.FIRST_BYTE_SECONDS, place, outcome.first_byte_s)
        for attempt in outcome.attempts:
            asked = attempt.provider
            counts.add(metrics.ATTEMPTS, (asked, result_of(attempt)))
            counts.observe(metrics.ATTEMPT_SECONDS, (asked,), attempt.seconds)
        usage = outcome.usage
        if usage is not None:
            counts.add(metrics.USES, (outcome.provenance or "estimated",))
            for kind, tokens in asdict(usage).items():
                if tokens:
                    counts.add(metrics.TOKENS, (model, provider, kind), tokens)


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
