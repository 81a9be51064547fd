"""Reads what a Redis server says (RESP2), from its bytes.

txredisapi's own parser needs a dozen calls for a line, and the reactor's next turn
after a reply of any other kind.
"""

from collections.abc import Sequence
from typing import Final, TypeAlias

from txredisapi import InvalidResponse, ResponseError

LONGEST = 64 * 1024
"""Bytes of a reply, at most: no script answers a hundredth of it."""

_END: Final = b"\r\n"
_NEXT_STATUS: Final = b"\r\n+"
_NONSENSE: Final = "it does not speak Redis' protocol"

Single: TypeAlias = str | bytes | int | ResponseError | None
Reply: TypeAlias = Single | list[Single]
"""A string for a status line, bytes for what came with its length. An error is given,
not raised."""


class Replies:
    """What one connection says."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Sequence[Reply]:
        """Give the replies that are whole now, in their order.

        Raises InvalidResponse for what is no reply, or too long a one: nothing more can
        be read then.
        """
        if self._rest:
            data, self._rest = self._rest + data, b""
        if (
            data[:1] == b"+"
            and data[-2:] == _END
            and data.count(_END) == data.count(_NEXT_STATUS) + 1
        ):
            # Whole lines and nothing else, as nearly always.
            return _text(data[1:-2]).split("\r\n+")
        replies: list[Reply] = []
        at = 0
        while (end := data.find(_END, at)) >= 0:
            read = _read(data, at, end)
            if read is None:
                break
            replies.append(read[0])
            at = read[1]
        self._rest = data[at:]
        if len(self._rest) > LONGEST:
            raise InvalidResponse("its answer is too long")
        return replies


def _read(data: bytes, at: int, end: int) -> tuple[Reply, int] | None:
    """Give the reply at ``at``, whose first line ends at ``end``, and where it ends.

    None: it is not whole yet.
    """
    if data[at : at + 1] != b"*":
        return _single(data, at, end)
    count, at = _number(data[at + 1 : end]), end + 2
    if count < 0:
        return None, at
    items: list[Single] = []
    while len(items) < count:
        end = data.find(_END, at)
        item = _single(data, at, end) if end >= 0 else None
        if item is None:
            return None
        items.append(item[0])
        at = item[1]
    return items, at


def _single(data: bytes, at: int, end: int) -> tuple[Single, int] | None:
    """Do as ``_read``, of any reply but a list."""
    kind, line, at = data[at : at + 1], data[at + 1 : end], end + 2
    if kind == b"+":
        return _text(line), at
    if kind == b"-":
        return ResponseError(_text(line)), at
    if kind == b":":
        return _number(line), at
    if kind != b"$":
        raise InvalidResponse(_NONSENSE)
    length = _number(line)
    if length < 0:
        return None, at
    end = at + length
    if len(data) < end + 2:
        return None
    if data[end : end + 2] != _END:
        raise InvalidResponse(_NONSENSE)
    return data[at:end], end + 2


def _text(lines: bytes) -> str:
    return lines.decode("utf-8", "replace")


def _number(line: bytes) -> int:
    try:
        return int(line)
    except ValueError:
        raise InvalidResponse(_NONSENSE) from None
