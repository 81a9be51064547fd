"""What the parent, its workers and the command line say to each other.

One JSON object a line, each with the version of this vocabulary: a parent and a worker
from two releases notice that they would misunderstand each other.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar

import msgspec
from msgspec import Struct

from lightweight.observe.counts import Series
from lightweight.policy.route import Health

VERSION = 3
"""Raised whenever a message of this file changes its meaning."""

ORDERS = 3
"""The worker's descriptor to read orders from; its end means the parent is gone."""
REPORTS = 4
"""The worker's descriptor to write reports to."""
LIMITS = 5
"""The worker's end of its socket pair to the limits that the parent keeps."""
FIRST_SOCKET = 6
"""The worker's first listening socket; the others follow."""

LONGEST = 64 * 1024
"""Bytes of a line, at most."""

_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError)
"""What msgspec raises for a line that is no message."""

CONTROL = "control.sock"

Task: TypeAlias = Literal["serve", "keep_books"]
"""What a child of the parent does: HTTP, or journals into the database."""

Leave: TypeAlias = Literal["drain", "stop", "now"]
"""How a worker is to go: patiently, within ``drain.stop``, or at once."""


class Versioned(Struct, frozen=True, kw_only=True):
    """What every message has."""

    version: int = VERSION


class Assignment(Versioned, frozen=True, kw_only=True):
    """What a worker is started for."""

    task: Task = "serve"
    generation: int
    size: int
    """How many workers the generation has: they share the machine's memory."""
    sockets: tuple[tuple[str, int], ...]
    """Endpoint strings and the descriptors that listen for them."""
    configuration: int
    """The descriptor of the configuration's files, as ``handover`` writes them."""


class Report(Versioned, frozen=True, kw_only=True, tag_field="is", tag="report"):
    """What came of a worker's start."""

    pid: int
    outcome: Literal["ready", "failed"]
    text: str = ""
    """Why it failed: sentences for the operator."""
    providers: int = 0
    models: int = 0
    example: str | None = None
    """A model that is offered, if any is."""
    release: str = ""
    """The version of its code, which may be newer than the parent's."""


class Tested(Struct, frozen=True, kw_only=True):
    """What came of a worker's self-test."""

    state: Literal["running", "passed", "failed"] = "running"
    problems: tuple[str, ...] = ()
    """Sentences for the operator."""


class Vitals(Versioned, frozen=True, kw_only=True, tag_field="is", tag="vitals"):
    """How a worker fares; also the sign that it does. Rates are since the last one."""

    uptime: float
    """Seconds since it was ready."""
    cpu: float
    """Per cent of one core."""
    memory: int
    """Resident bytes."""
    connections: int
    calls: int
    """In flight."""
    streams: int
    """Answers that are being streamed."""
    calls_per_s: float
    """That ended, however they did."""
    errors_per_s: float
    """Requests that failed: a status of 500 or more, or a stream that broke."""
    lag: float
    """The longest that something waited for the reactor, in seconds."""
    providers: Mapping[str, Health]
    limits_away: bool = False
    """The shared limits cannot be reached."""
    journal_lag: float | None = None
    """Of who keeps the books: seconds since all that is in the journals was in them."""
    self_test: Tested = Tested()


class Counted(Versioned, frozen=True, kw_only=True, tag_field="is", tag="counted"):
    """What a child counted since it told the last time."""

    series: Sequence[Series]


class Scraped(Versioned, frozen=True, kw_only=True):
    """The parent's answer to who asks for its metrics."""

    series: Sequence[Series]


class Summed(Versioned, frozen=True, kw_only=True):
    """What is read of the parent's answer to ``top``."""

    in_all: Mapping[str, float]
    """Figures of all workers, added up."""


class Order(Versioned, frozen=True, kw_only=True):
    """What a worker is to do."""

    do: Literal["serve", "reopen", "dump"] | Leave


class Request(Versioned, frozen=True, kw_only=True):
    """What the command line asks at the control socket."""

    do: Literal["status", "top", "metrics", "reload", "drain"]


class Misunderstood(Exception):
    """A message of another version, or none at all."""


M = TypeVar("M", bound=Versioned)


def encode(message: Versioned) -> bytes:
    """Give ``message`` as one line."""
    return msgspec.json.encode(message) + b"\n"


def decode(line: bytes | str, kind: type[M]) -> M:
    """Read one line; raise Misunderstood, saying what to do."""
    message: M = _decoded(line, kind, kind.__name__)
    return message


def encode_counted(series: Sequence[Series]) -> bytes:
    """Give what was counted, in as many lines as it takes."""
    line = encode(Counted(series=series)) if series else b""
    if len(line) <= LONGEST or len(series) == 1:
        return line
    half = len(series) // 2
    return encode_counted(series[:half]) + encode_counted(series[half:])


def decode_report(line: bytes) -> Report | Vitals | Counted:
    """Read one line of a child; raise Misunderstood, saying what to do."""
    kinds = Report | Vitals | Counted
    message: Report | Vitals | Counted = _decoded(line, kinds, "report")
    return message


def _decoded(line: bytes | str, kind: Any, name: str) -> Any:
    try:
        version = msgspec.json.decode(line, type=_AnyVersion).version
    except _UNREADABLE as problem:
        raise Misunderstood(f"Not a message of Lightweight: {problem}.") from problem
    if version != VERSION:
        raise Misunderstood(
            f"It speaks version {version} of our messages, this process {VERSION}: "
            "restart the service so that all of it is one release."
        )
    try:
        return msgspec.json.decode(line, type=kind)
    except _UNREADABLE as problem:
        raise Misunderstood(f"Not a {name}: {problem}.") from problem


class _AnyVersion(Struct, frozen=True):
    version: int


def control_path(environ: Any, state: Path) -> Path:
    """Say where the control socket is: the runtime directory, else the state's.

    systemd.exec(5) names $RUNTIME_DIRECTORY; of several the first one counts.
    """
    runtime = environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
    return (Path(runtime) if runtime else state) / CONTROL
