"""Log lines as an operator reads them: one line of text, or one JSON object.

Twisted's events come in through an observer; requests come in as visits. Both leave
through one writer, so one format and one filter hold for all.
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal, Protocol, TypeAlias

from twisted.logger import ILogObserver, LogEvent, LogLevel, formatEvent
from twisted.python.failure import Failure, format_frames
from twisted.python.reflect import fullyQualifiedName
from zope.interface import implementer

import msgspec
from msgspec import UNSET, Struct, UnsetType

from lightweight.observe.access import Visit
from lightweight.records import Attempted, Outcome

LogFormat: TypeAlias = Literal["json", "text"]

JOURNAL_PRIORITY = {
    LogLevel.debug: 7,
    LogLevel.info: 6,
    LogLevel.warn: 4,
    LogLevel.error: 3,
    LogLevel.critical: 2,
}
"""sd-daemon(3): a ``<N>`` before a line tells journald its priority."""

QUIET = ("twisted.", "log_legacy", "txredisapi")
"""Whose chatter below a warning says nothing to an operator."""


class Lines(Protocol):
    """Who takes finished lines."""

    def write(self, line: str) -> None:
        """Take one line, without its end."""

    def keep(self, line: bytes) -> None:
        """Take one line, in UTF-8, that waits for those after it."""


_MICRO = 1_000_000
_UNSURE = 0.001
_encode = msgspec.json.Encoder().encode


def stamp(seconds: float) -> str:
    """Write wall-clock seconds as RFC 3339 in UTC with milliseconds."""
    second, micro = divmod(round(seconds * _MICRO), _MICRO)
    return f"{_stamp_of(second)}.{str(1000 + micro // 1000)[1:]}Z"


@lru_cache(maxsize=1)
def _stamp_of(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).isoformat()[: -len("+00:00")]


def failure_of(event: LogEvent) -> Failure | None:
    """Give the failure an event tells of, also one logged the legacy way."""
    failure: Failure | None = event.get("log_failure") or event.get("failure")
    return failure


def _traceback(failure: Failure, event: LogEvent) -> str:
    """Give a traceback; where the event says ``wordless``, without what it quotes.

    The message of an exception that nobody foresaw may hold what a client sent: its
    key, or what it asks of a model. Where it happened is enough to find the bug.
    """
    if not event.get("wordless"):
        return failure.getTraceback()
    lines = ["Traceback (most recent call last):\n"]
    format_frames(failure.frames, lines.append)
    name = fullyQualifiedName(failure.type) if failure.type else "an exception"
    return "".join(lines) + f"{name}: its words are left out, a client's may be in them"


@implementer(ILogObserver)
class LogObserver:
    """Twisted's log events as lines."""

    def __init__(self, lines: Lines, log_format: LogFormat, *, journal: bool) -> None:
        """``journal``: journald reads these lines, so put the priority before each."""
        self._lines = lines
        self._format = log_format
        self._journal = journal

    def __call__(self, event: LogEvent) -> None:
        """Write one event; what is below a warning only when it is our own."""
        level = event.get("log_level", LogLevel.info)
        namespace = str(event.get("log_namespace", ""))
        if level < LogLevel.warn and namespace.startswith(QUIET):
            return
        if self._format == "json":
            line = self._as_json(event, level.name, namespace)
        else:
            line = self._as_text(event, level.name)
        if self._journal:
            # A line break would start a new journal entry with no priority.
            prefix = f"<{JOURNAL_PRIORITY[level]}>"
            line = prefix + line.replace("\n", f"\n{prefix}")
        self._lines.write(line)

    def _as_json(self, event: LogEvent, level: str, namespace: str) -> str:
        entry = {
            "ts": stamp(event["log_time"]),
            "level": level,
            "logger": namespace,
            "message": formatEvent(event),
        }
        failure = failure_of(event)
        if failure is not None:
            entry["traceback"] = _traceback(failure, event)
        return msgspec.json.encode(entry).decode()

    def _as_text(self, event: LogEvent, level: str) -> str:
        line = f"{stamp(event['log_time'])} {level:<5} {formatEvent(event)}"
        failure = failure_of(event)
        if failure is not None:
            line += "\n" + _traceback(failure, event).rstrip()
        return line


class AccessLog:
    """Visits as lines, which ``lines`` keeps until it is flushed."""

    def __init__(
        self,
        lines: Lines,
        log_format: LogFormat,
        *,
        journal: bool,
        generation: int | None = None,
    ) -> None:
        """``generation`` is named in JSON, where there are any."""
        self._keep = lines.keep
        self._in_json = log_format == "json"
        self._generation = UNSET if generation is None else generation
        self._prefix = b"<6>" if journal else b""

    def keep(self, visit: Visit) -> None:
        """Write one visit."""
        if self._in_json:
            line = visit_as_json(visit, self._generation)
        else:
            line = visit_as_text(visit).encode("utf-8", "backslashreplace")
        self._keep(self._prefix + line)


class _Asked(Struct, omit_defaults=True, gc=False):
    """One attempt of a call, as it stands in JSON."""

    provider: str
    upstream_model: str
    duration_ms: float
    status: int | None = None
    fault: str | None = None
    left_out: tuple[str, ...] = ()


class _Line(Struct, gc=False):
    """A visit as it stands in JSON."""

    ts: str
    level: str
    logger: str
    request_id: str
    peer: str
    method: str
    path: str
    status: int
    sent: int
    duration_ms: float
    generation: int | UnsetType = UNSET
    trace_id: str | UnsetType | None = UNSET
    account: str | UnsetType = UNSET
    key: str | UnsetType | None = UNSET
    model: str | UnsetType = UNSET
    provider: str | UnsetType | None = UNSET
    upstream_model: str | UnsetType | None = UNSET
    dialect: str | UnsetType = UNSET
    stream: bool | UnsetType = UNSET
    ending: str | UnsetType = UNSET
    fault: str | UnsetType = UNSET
    attempts: list[_Asked] | UnsetType = UNSET
    first_byte_ms: float | UnsetType = UNSET
    prompt_tokens: int | UnsetType = UNSET
    completion_tokens: int | UnsetType = UNSET
    provenance: str | UnsetType | None = UNSET


def visit_as_json(visit: Visit, generation: int | UnsetType = UNSET) -> bytes:
    """Give a visit as one JSON object; absent facts are left out."""
    outcome, account = visit.outcome, visit.account_id
    # In the order of _Line: so many keywords cost more than all the rest.
    return _encode(
        _Line(
            stamp(visit.at),
            "info",
            "access",
            visit.request_id,
            visit.peer,
            visit.method,
            visit.path,
            visit.status,
            visit.sent,
            _ms(visit.duration_s),
            generation,
            UNSET if visit.traceparent is None else visit.trace_id,
            UNSET if account is None else account,
            UNSET if account is None else visit.key_id,
            *(() if outcome is None else _call_facts(outcome)),
        )
    )


def _call_facts(outcome: Outcome) -> tuple[Any, ...]:
    """Give what a _Line says of a call, in its order."""
    fault, first_byte_s = outcome.fault, outcome.first_byte_s
    attempts, usage = outcome.attempts, outcome.usage
    return (
        outcome.model,
        outcome.provider,
        outcome.upstream_model,
        outcome.dialect,
        outcome.stream,
        outcome.ending,
        UNSET if fault is None else fault,
        list(map(_asked, attempts)) if attempts else UNSET,
        UNSET if first_byte_s is None else _ms(first_byte_s),
        UNSET if usage is None else usage.prompt,
        UNSET if usage is None else usage.completion,
        UNSET if usage is None else outcome.provenance,
    )


def visit_as_text(visit: Visit) -> str:
    """Give a visit as one line for a person; what a client wrote is quoted."""
    words = [
        stamp(visit.at),
        "info ",
        visit.peer or "-",
        _plain(visit.method),
        _plain(visit.path),
        str(visit.status),
        f"{visit.sent}B",
        f"{visit.duration_s * 1000:.1f}ms",
        visit.request_id,
    ]
    if visit.key_id is not None:
        words.append(visit.key_id)
    outcome = visit.outcome
    if outcome is not None:
        asked = [each.provider for each in outcome.attempts] or ["-"]
        words.append(f"{_plain(outcome.model)}@{'>'.join(asked)}")
        words.append(outcome.ending)
        if outcome.usage is not None:
            words.append(f"{outcome.usage.prompt}+{outcome.usage.completion}tok")
        if outcome.fault is not None:
            words.append(f"({_plain(outcome.fault)})")
        left_out = outcome.attempts[-1].left_out if outcome.attempts else ()
        if left_out:
            words.append(f"without {_plain(', '.join(left_out))}")
    return " ".join(words)


def _asked(attempted: Attempted) -> _Asked:
    return _Asked(
        attempted.provider,
        attempted.model,
        _ms(attempted.seconds),
        attempted.status,
        attempted.fault,
        attempted.left_out,
    )


def _ms(seconds: float) -> float:
    """Give milliseconds with three decimals."""
    above = seconds * _MICRO + 0.5
    micro = int(above)
    if micro > 0 and _UNSURE < above - micro < 1 - _UNSURE:
        return micro / 1000
    # Between two numbers the last bit decides, and ``round`` alone has it right.
    return round(seconds * 1000, 3)


def _plain(text: str) -> str:
    """Keep a client's words on one line and free of terminal control sequences."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
