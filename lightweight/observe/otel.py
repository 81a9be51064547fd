"""Whether calls are told to OpenTelemetry: the environment says so, as its SDK's do."""

from collections.abc import Callable, Mapping

from twisted.logger import Logger

from lightweight.observe.access import Visit

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")

_log = Logger()


def wanted(environ: Mapping[str, str]) -> bool:
    """Tell whether a collector is named, and the SDK is not switched off."""
    if environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    if environ.get("OTEL_TRACES_EXPORTER", "otlp") != "otlp":
        return False
    return any(environ.get(name) for name in ENDPOINTS)


def told_of(
    record: Callable[[Visit], None],
    environ: Mapping[str, str],
    at_end: Callable[[Callable[[], None]], object],
) -> Callable[[Visit], None]:
    """Have visits told to OpenTelemetry on their way to ``record``, where it is wanted.

    ``at_end`` takes what sends the last spans.
    """
    if not wanted(environ):
        return record
    try:
        from lightweight.observe.spans import Spans  # noqa: PLC0415 -- an extra
    except ImportError:
        _log.warn(
            "{name} is set, but OpenTelemetry is not installed: no traces are sent. "
            "pip install 'lightweight-gateway[otel]'.",
            name=next(name for name in ENDPOINTS if environ.get(name)),
        )
        return record
    spans = Spans(record, environ)
    at_end(spans.close)
    return spans
