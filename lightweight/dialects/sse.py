"""Server-sent events: bytes to event blocks, in linear time however they are cut.

WHATWG HTML, section "Server-sent events", 9.2.5 and 9.2.6. Beyond them each block keeps
the exact bytes that made it, because a relay sends those on; ``id`` and ``retry`` are
recognised but not obeyed.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from lightweight.errors import ProviderGarbage

MAX_EVENT = 8 * 1024 * 1024
"""The largest block that is accepted, in bytes."""

COMMENT = b": keepalive\n\n"
"""A block that every client reads over (section 9.2.6)."""

_DATA = b"data: "
_DATA_SIZE = len(_DATA)
_BOM = b"\xef\xbb\xbf"
_LF = 10
_CR = 13
_STEERING = frozenset({b"id", b"retry"})
_FIELDS = frozenset({b"id", b"retry", b"event", b"data"})
# What a JSON or HTML document begins with; no field of an event stream does.
_DOCUMENT = (b"{", b"[", b"<")


class Block(Struct, frozen=True, kw_only=True):
    """The lines up to and with a blank one: an event, or only comments."""

    raw: bytes
    """Exactly what arrived, the stream's byte order mark aside."""
    data: bytes | None
    """The event's data, or None where the standard dispatches no event."""
    event: str = ""
    plain: bool = True
    """Nothing but data and comments: ``raw`` may go to a client as it is."""


class Framing:
    """One event stream's state. Not to be used again after a fault."""

    def __init__(self, limit: int = MAX_EVENT) -> None:
        """``limit`` bounds one block, in bytes."""
        self._limit = limit
        self._started = False
        # The unfinished line. It may end in CR: only the next byte tells whether the
        # line ends there or with the LF of a CRLF.
        self._line = bytearray()
        self._raw = bytearray()
        self._data: bytearray | None = None
        self._event = b""
        self._plain = True

    def feed(self, data: bytes) -> Iterable[Block]:
        """Give the blocks ``data`` completes; iterate to the end before feeding again.

        Raises ProviderGarbage for a block over the limit and for a document of JSON or
        HTML in the place of a stream.
        """
        if self._line or self._raw:
            return self._by_lines(data)
        # Most events are one line of data each, and come whole and alone.
        alone = _simple(data, self._limit)
        if alone is None:
            return self._by_blocks(data)
        self._started = True
        return (alone,)

    def _by_blocks(self, data: bytes) -> Iterator[Block]:
        at = 0
        while (gap := data.find(b"\n\n", at)) >= 0:
            block = _simple(data[at : gap + 2], self._limit)
            if block is None:
                break
            self._started = True
            at = gap + 2
            yield block
        yield from self._by_lines(data[at:])

    def _by_lines(self, data: bytes) -> Iterator[Block]:
        for piece in data.splitlines(keepends=True):
            if self._line and self._line[-1] == _CR and piece != b"\n":
                yield from self._end_line()
            self._line += piece
            if len(self._raw) + len(self._line) > self._limit:
                raise ProviderGarbage("The provider sent an event that is too large.")
            if not self._started:
                self._judge_start()
            if piece.endswith(b"\n"):
                yield from self._end_line()

    def finish(self) -> list[Block]:
        """Give the block that only the end of the stream completes, if there is one."""
        if self._line.endswith(b"\r"):
            return list(self._end_line())
        return []

    @property
    def leftover(self) -> bytes:
        """The lines of an event that never ended, which the standard discards.

        Empty when the framing is clean; a comment is no part of an event.
        """
        lines = bytes(self._raw + self._line).splitlines(keepends=True)
        return b"".join(line for line in lines if not line.startswith(b":"))

    def _judge_start(self) -> None:
        if self._line[:16].removeprefix(_BOM).lstrip().startswith(_DOCUMENT):
            raise ProviderGarbage("The provider sent a document, not an event stream.")

    def _end_line(self) -> Iterator[Block]:
        line = bytes(self._line)
        self._line.clear()
        if not self._started:
            line = line.removeprefix(_BOM)
            self._started = True
        self._raw += line
        body = line.rstrip(b"\r\n")
        if not body:
            yield self._end_block()
        elif not body.startswith(b":"):
            self._take_field(body)

    def _take_field(self, body: bytes) -> None:
        name, _, value = body.partition(b":")
        value = value.removeprefix(b" ")
        if name != b"data":
            self._plain = False
            if name == b"event":
                self._event = value
        elif self._data is None:
            self._data = bytearray(value)
        else:
            self._data += b"\n" + value

    def _end_block(self) -> Block:
        block = Block(
            raw=bytes(self._raw),
            data=bytes(self._data) if self._data else None,
            event=self._event.decode(errors="replace"),
            plain=self._plain and (self._data is None or bool(self._data)),
        )
        self._raw.clear()
        self._data = None
        self._event = b""
        self._plain = True
        return block


def _simple(raw: bytes, limit: int) -> Block | None:
    """Give the block that ``raw`` is if it is one line of data, ended by LF."""
    data = raw[_DATA_SIZE:-2]
    if (
        data
        and raw[-1] == raw[-2] == _LF
        and raw.startswith(_DATA)
        # Numbers: for bytes Python first makes an error and drops it, each time.
        and _LF not in data
        and _CR not in data
        and len(raw) <= limit
    ):
        return Block(raw=raw, data=data)
    return None


def passable(block: Block) -> bytes:
    """Give the bytes of ``block`` that a client may see.

    ``id`` and ``retry`` lines go, since they change what the client does with our own
    comments; of a block without an event only comments stay, since some clients take
    any field for an event.
    """
    if block.plain:
        return block.raw
    drop = _FIELDS if block.data is None else _STEERING
    lines = block.raw.splitlines(keepends=True)
    kept = b"".join(
        line for line in lines if line.rstrip(b"\r\n").partition(b":")[0] not in drop
    )
    return kept if kept.strip() else b""


def with_data(raw: bytes, old: bytes, new: bytes) -> bytes:
    """Give the block ``raw`` with ``new`` in the place of its data ``old``.

    Everything else stays as it is, save where the data spans lines: then the data lines
    are written anew.
    """
    if raw.count(old) == 1:
        return raw.replace(old, new)
    lines = raw.splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(b"data")]
    return b"".join(kept[:-1]) + framed(new)


def framed(data: bytes) -> bytes:
    """Give the block that carries ``data``."""
    return b"data: " + data.replace(b"\n", b"\ndata: ") + b"\n\n"
