"""One OpenTelemetry span for each model call, told by the Visit at its end.

Attributes are those of the semantic conventions for generative AI; where these have no
word the name begins with ``lightweight``. Nothing of a prompt or an answer is in them.

Needs the extra ``otel``: imported only where ``wanted`` says so. The SDK exports from a
thread of its own, with a queue that drops what is too much; its settings are the
environment's ``OTEL_*``.
"""

from collections.abc import Callable, Mapping
from threading import Thread

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from lightweight import __version__
from lightweight.observe.access import Visit
from lightweight.records import Attempted, DialectName, Outcome

CLOSE_SECONDS = 2.0
"""How long the last spans may take to leave."""

_NANO = 1_000_000_000

_OPERATIONS: Mapping[DialectName, str] = {
    "openai_completions": "text_completion",
    "openai_embeddings": "embeddings",
    "ollama_embed": "embeddings",
    "ollama_generate": "text_completion",
    "openai_moderations": "moderation",
    "openai_images": "image_generation",
    "openai_image_edits": "image_edit",
    "openai_speech": "speech",
    "openai_transcriptions": "transcription",
    "openai_translations": "translation",
    "openai_rerank": "rerank",
}
"""What is no chat."""

_WELL = ("finished", "client_gone")
_REFUSED = 400
_OUR_TROUBLE = 500
"""From here on a status is an error of the server's span, too."""


class Spans:
    """Tells of visits that were model calls, on their way to ``record``."""

    def __init__(
        self,
        record: Callable[[Visit], None],
        environ: Mapping[str, str],
    ) -> None:
        self._record = record
        # Whoever runs several may name each: the environment goes first.
        name = environ.get("OTEL_SERVICE_NAME", "lightweight")
        told = {SERVICE_NAME: name, SERVICE_VERSION: __version__}
        # Its own way to end at exit waits for a collector that is away.
        self._provider = TracerProvider(
            resource=Resource.create(told), shutdown_on_exit=False
        )
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("lightweight", __version__)
        self._parents = TraceContextTextMapPropagator()

    def __call__(self, visit: Visit) -> None:
        """Tell of one visit and pass it on."""
        if visit.outcome is not None:
            self._tell(visit, visit.outcome)
        self._record(visit)

    def close(self) -> None:
        """Send what is left, waiting CLOSE_SECONDS at most."""
        closing = Thread(target=self._provider.shutdown, daemon=True)
        closing.start()
        closing.join(CLOSE_SECONDS)

    def _tell(self, visit: Visit, outcome: Outcome) -> None:
        end = int(visit.at * _NANO)
        parent = {"traceparent": visit.traceparent} if visit.traceparent else {}
        span = self._tracer.start_span(
            f"{operation_of(outcome)} {outcome.model}",
            context=self._parents.extract(parent),
            kind=SpanKind.SERVER,
            attributes=attributes_of(visit, outcome),
            start_time=end - int(visit.duration_s * _NANO),
        )
        for attempt in outcome.attempts:
            span.add_event("lightweight.attempt", _attempt(attempt), timestamp=end)
        if outcome.ending == "cut" or outcome.status >= _OUR_TROUBLE:
            span.set_status(Status(StatusCode.ERROR, outcome.fault))
        span.end(end)


def operation_of(outcome: Outcome) -> str:
    """Give ``gen_ai.operation.name``."""
    return _OPERATIONS.get(outcome.dialect, "chat")


def attributes_of(visit: Visit, outcome: Outcome) -> dict[str, AttributeValue]:
    """Give what is known of a call, without what is not."""
    told: dict[str, AttributeValue | None] = {
        "gen_ai.operation.name": operation_of(outcome),
        "gen_ai.provider.name": outcome.provider,
        "gen_ai.request.model": outcome.model,
        "gen_ai.request.stream": outcome.stream,
        "gen_ai.response.model": outcome.upstream_model,
        "http.request.method": visit.method,
        "http.response.status_code": visit.status,
        "url.path": visit.path,
        "client.address": visit.peer or None,
        "lightweight.request_id": visit.request_id,
        "lightweight.account_id": visit.account_id,
        "lightweight.key_id": visit.key_id,
        "lightweight.ending": outcome.ending,
        "lightweight.usage.provenance": outcome.provenance,
    }
    if outcome.ending not in _WELL:
        failed = outcome.status >= _REFUSED
        told["error.type"] = str(outcome.status) if failed else "cut"
    if outcome.stream:
        told["gen_ai.response.time_to_first_chunk"] = outcome.first_byte_s
    usage = outcome.usage
    if usage is not None:
        told |= {
            "gen_ai.usage.input_tokens": usage.prompt,
            "gen_ai.usage.output_tokens": usage.completion,
            "gen_ai.usage.cache_read.input_tokens": usage.cached,
            "gen_ai.usage.cache_creation.input_tokens": usage.cache_write,
            "gen_ai.usage.reasoning.output_tokens": usage.reasoning,
        }
    return {name: value for name, value in told.items() if value is not None}


def _attempt(attempt: Attempted) -> dict[str, AttributeValue]:
    told: dict[str, AttributeValue | None] = {
        "gen_ai.provider.name": attempt.provider,
        "gen_ai.request.model": attempt.model,
        "http.response.status_code": attempt.status,
        "lightweight.fault": attempt.fault,
        "lightweight.seconds": attempt.seconds,
    }
    return {name: value for name, value in told.items() if value is not None}
