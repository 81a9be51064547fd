"""Every metric there is: its name, what it says, its labels.

Whoever counts names one of these. Labels take few values: models and providers of the
configuration, and words of ours. Nothing that a client chooses, no account and no key
is ever one.
"""

from typing import Literal, TypeAlias

from msgspec import Struct

Kind: TypeAlias = Literal["counter", "gauge", "histogram"]

UNKNOWN = "unknown"
"""The label of a model that this server does not offer: clients may write anything."""

NOBODY = "none"
"""The label of a provider where none was asked."""


class Metric(Struct, frozen=True, kw_only=True):
    """One metric. Seconds and bytes are its units; a counter ends in ``_total``."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    """Of a histogram: the upper bounds, rising, without infinity."""


_CALL_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
_FIRST_BYTE_S = (0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3.0, 6.0, 12.0, 30.0, 60.0)
_LAG_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)

# -- from each request, when it ended ----------------------------------------------

REQUESTS = Metric(
    name="lightweight_http_requests_total",
    kind="counter",
    help="HTTP requests that ended, by the status sent; 499: the client left first.",
    labels=("code",),
)
SENT = Metric(
    name="lightweight_http_sent_bytes_total",
    kind="counter",
    help="Bytes of answers' bodies that were sent.",
)
CALLS = Metric(
    name="lightweight_calls_total",
    kind="counter",
    help="Model calls that ended, and how: finished, refused, failed, cut, "
    "client_gone.",
    labels=("model", "provider", "dialect", "ending"),
)
CALL_SECONDS = Metric(
    name="lightweight_call_duration_seconds",
    kind="histogram",
    help="From the arrival of a call to its end, where a provider was asked.",
    labels=("model", "provider"),
    buckets=_CALL_S,
)
FIRST_BYTE_SECONDS = Metric(
    name="lightweight_first_byte_seconds",
    kind="histogram",
    help="From the arrival of a call to the first byte of its answer, where that is a "
    "stream: the time to the first token.",
    labels=("model", "provider"),
    buckets=_FIRST_BYTE_S,
)
TOKENS = Metric(
    name="lightweight_tokens_total",
    kind="counter",
    help="Tokens used: fresh, cached and cache_write were sent, answer and reasoning "
    "came back. No token is in two of them.",
    labels=("model", "provider", "kind"),
)
USES = Metric(
    name="lightweight_uses_total",
    kind="counter",
    help="Calls that used tokens, by how that is known: reported, counted, estimated.",
    labels=("provenance",),
)
ATTEMPTS = Metric(
    name="lightweight_attempts_total",
    kind="counter",
    help="Times that a provider was asked, and what came of it: answered, limited "
    "(429), rejected (another 4xx), failed (5xx or no answer), broken (an answer that "
    "began well), left (nobody waited for it any more).",
    labels=("provider", "result"),
)
ATTEMPT_SECONDS = Metric(
    name="lightweight_attempt_duration_seconds",
    kind="histogram",
    help="From asking a provider to the end of its answer or to its failure.",
    labels=("provider",),
    buckets=_CALL_S,
)

# -- from what a process knows of itself -------------------------------------------

UPSTREAM_CONNECTIONS = Metric(
    name="lightweight_upstream_connections_total",
    kind="counter",
    help="Connections for requests to providers: opened (or tried), or reused from the "
    "pool.",
    labels=("provider", "how"),
)
LIMIT_DECISIONS = Metric(
    name="lightweight_limit_decisions_total",
    kind="counter",
    help="What limits said of calls: admitted, unavailable, or the limit that refused.",
    labels=("decision",),
)
LOCAL_DECISIONS = Metric(
    name="lightweight_limit_local_decisions_total",
    kind="counter",
    help="Decisions that this machine took alone: the shared limits were out of reach.",
)
LOOP_LAG = Metric(
    name="lightweight_loop_lag_seconds",
    kind="histogram",
    help="The longest that anything waited for a worker's reactor, once each second.",
    buckets=_LAG_S,
)
CPU_SECONDS = Metric(
    name="lightweight_cpu_seconds_total",
    kind="counter",
    help="Seconds of a core used, by process: worker, books, parent.",
    labels=("process",),
)
MEMORY = Metric(
    name="lightweight_memory_bytes",
    kind="gauge",
    help="Resident memory, by process: worker, books, parent.",
    labels=("process",),
)
CONNECTIONS = Metric(
    name="lightweight_connections",
    kind="gauge",
    help="Connections of clients.",
)
IN_FLIGHT = Metric(
    name="lightweight_calls_in_flight",
    kind="gauge",
    help="Model calls that have not ended.",
)
STREAMS = Metric(
    name="lightweight_streams",
    kind="gauge",
    help="Answers that are being streamed.",
)
PROVIDER_STATE = Metric(
    name="lightweight_provider_workers",
    kind="gauge",
    help="How many workers see a provider's breaker closed (well), open (left alone) "
    "or half-open (tried again).",
    labels=("provider", "state"),
)
LIMITS_AWAY = Metric(
    name="lightweight_limits_unreachable",
    kind="gauge",
    help="Workers that cannot reach the shared limits.",
)
SELF_TEST_FAILED = Metric(
    name="lightweight_self_test_failed",
    kind="gauge",
    help="Workers whose self-test found a limit that does not hold, or a model that "
    "does not move on to another target.",
)
JOURNAL_LAG = Metric(
    name="lightweight_journal_lag_seconds",
    kind="gauge",
    help="Seconds since all that is in the journals was in the database.",
)

# -- from the parent ---------------------------------------------------------------

GENERATION = Metric(
    name="lightweight_generation",
    kind="gauge",
    help="The generation that serves; each reload is a new one.",
)
WORKERS = Metric(
    name="lightweight_workers",
    kind="gauge",
    help="Worker processes: starting, serving, leaving, silent (told nothing lately).",
    labels=("state",),
)
WORKER_DEATHS = Metric(
    name="lightweight_worker_deaths_total",
    kind="counter",
    help="Processes that crashed or were killed.",
)
RELOADS = Metric(
    name="lightweight_reloads_total",
    kind="counter",
    help="Reloads: done, or refused (the old configuration stays in force).",
    labels=("result",),
)
BUILD = Metric(
    name="lightweight_build_info",
    kind="gauge",
    help="Always 1; the label says which release serves.",
    labels=("version",),
)
LEFT_OUT = Metric(
    name="lightweight_metrics_left_out_total",
    kind="counter",
    help="Figures that were not counted, since there would be too many series.",
)

METRICS: tuple[Metric, ...] = (
    REQUESTS,
    SENT,
    CALLS,
    CALL_SECONDS,
    FIRST_BYTE_SECONDS,
    TOKENS,
    USES,
    ATTEMPTS,
    ATTEMPT_SECONDS,
    UPSTREAM_CONNECTIONS,
    LIMIT_DECISIONS,
    LOCAL_DECISIONS,
    LOOP_LAG,
    CPU_SECONDS,
    MEMORY,
    CONNECTIONS,
    IN_FLIGHT,
    STREAMS,
    PROVIDER_STATE,
    LIMITS_AWAY,
    SELF_TEST_FAILED,
    JOURNAL_LAG,
    GENERATION,
    WORKERS,
    WORKER_DEATHS,
    RELOADS,
    BUILD,
    LEFT_OUT,
)
