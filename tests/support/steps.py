"""What a scripted provider can be told to do, step by step."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from twisted.internet.defer import Deferred

Headers: TypeAlias = Mapping[str, str]


class Gate:
    """Holds a script until the test lets it go on."""

    def __init__(self) -> None:
        self._open = False
        self._passes = 0
        self._waiting: deque[Deferred[None]] = deque()

    def open(self) -> None:
        """Let everyone through from now on."""
        self._open = True
        while self._waiting:
            self._waiting.popleft().callback(None)

    def let(self, passes: int = 1) -> None:
        """Let the next ones through."""
        for _ in range(passes):
            if self._waiting:
                self._waiting.popleft().callback(None)
            else:
                self._passes += 1

    async def passed(self) -> None:
        """Wait for a pass."""
        if self._open:
            return
        if self._passes:
            self._passes -= 1
            return
        waiting: Deferred[None] = Deferred(self._waiting.remove)
        self._waiting.append(waiting)
        await waiting


@dataclass(frozen=True)
class Send:
    """Write these bytes."""

    data: bytes


@dataclass(frozen=True)
class Flood:
    """Write these bytes again and again, as fast as they are taken."""

    data: bytes
    times: int


@dataclass(frozen=True)
class Wait:
    """Do nothing until the gate lets the script on."""

    gate: Gate


@dataclass(frozen=True)
class StopReading:
    """Read nothing more; that the peer left is noticed all the same."""


@dataclass(frozen=True)
class Close:
    """Close the connection in order, after what was written."""


@dataclass(frozen=True)
class Abort:
    """Reset the connection."""


Step: TypeAlias = Send | Flood | Wait | StopReading | Close | Abort

SILENCE = Wait(Gate())
"""Say nothing more, and stay."""

End: TypeAlias = Literal["clean", "close", "cut", "abort", "silence"]
"""How a stream ends.

``clean``: with its last chunk. ``close``: the body has no framing, closing ends it.
``cut``: closed in the middle of a chunk. ``abort``: reset. ``silence``: never.
"""


def head(status: int = 200, headers: Headers | None = None) -> bytes:
    """Give the bytes of a response's head, exactly these headers."""
    lines = [f"HTTP/1.1 {status} Scripted"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def chunk(data: bytes) -> bytes:
    """Give a piece of a chunked body; of nothing, its end."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def whole(status: int, headers: Headers | None, body: bytes) -> tuple[Step, ...]:
    """Give the steps of a whole answer with its length; JSON if headers are None."""
    shown = {"Content-Type": "application/json"} if headers is None else headers
    return (Send(head(status, {**shown, "Content-Length": str(len(body))}) + body),)


def streamed(
    pieces: Iterable[bytes],
    gap: Gate | None = None,
    *,
    headers: Headers | None = None,
    end: End = "clean",
) -> tuple[Step, ...]:
    """Give the steps of a streamed answer; an event stream if headers are None."""
    shown = {"Content-Type": "text/event-stream"} if headers is None else {**headers}
    if end != "close":
        shown["Transfer-Encoding"] = "chunked"
    else:
        shown["Connection"] = "close"
    steps: list[Step] = [Send(head(200, shown))]
    for index, piece in enumerate(pieces):
        if gap is not None and index:
            steps.append(Wait(gap))
        steps.append(Send(piece if end == "close" else chunk(piece)))
    match end:
        case "clean":
            steps.append(Send(chunk(b"")))
        case "close":
            steps.append(Close())
        case "cut":
            steps += [Send(b"40\r\ndata: {"), Close()]
        case "abort":
            steps.append(Abort())
        case "silence":
            steps.append(SILENCE)
    return tuple(steps)
