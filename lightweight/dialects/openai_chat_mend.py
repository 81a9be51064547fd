"""The way of an answer whose provider is known to chat oddly: read and written anew.

Where a target has one of ``ODD_ANSWERS`` the bytes do not pass: reader and writer of
this dialect make strict chunks of whatever comes. That alone mends a missing role or
index, ids and names that are repeated, chunks without choices, usage in odd places.
Beyond it:

* a whole answer in the place of a stream is read as one;
* why a choice ended is told at the very end; ``stop`` after calls of tools becomes
  ``tool_calls`` for ``stop_after_tools``. No ending is made up where none came.

Kept are members of deltas and messages that the events have no word for, logprobs,
and chunks that say nothing else; they come after the chunk's own words. Lost are
comments, and what tool calls, choices or chunks have beside such words: padding,
Azure's filter results of each delta. The fingerprint and the service tier are those of
the first chunk.
"""

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from lightweight.dialects.crossing import Crossing
from lightweight.dialects.custom_tools import Restored
from lightweight.dialects.dialect import Passage, Reader
from lightweight.dialects.openai_chat_reader import StreamReader, WholeReader
from lightweight.dialects.openai_chat_writer import StreamWriter, WholeWriter
from lightweight.events import Event, Finished, ToolCallDelta
from lightweight.records import Call, Target

STOP_AFTER_TOOLS = "stop_after_tools"
ODD_ANSWERS = frozenset(
    {STOP_AFTER_TOOLS, "odd_chunks", "thought_signatures", "usage_unasked"}
)
"""The quirks of targets whose answers are written anew."""

_DOCUMENT = (b"{", b"[")


def mended(call: Call, target: Target) -> Passage:
    """Make the way of an answer that is to be mended."""
    reader = mending_reader(call, target.quirks)
    # Custom tools went out as what they are.
    restored = Restored(frozenset())
    if call.stream:
        writer = StreamWriter(call, keeps_unknown=True)
        return Crossing(reader, writer, "text/event-stream", restored)
    whole = WholeWriter(call, keeps_unknown=True)
    return Crossing(reader, whole, "application/json", restored)


def mending_reader(call: Call, quirks: frozenset[str]) -> "MendingReader":
    """Make the reader of an odd answer, whatever its client speaks."""
    return MendingReader(call, tools_stop=STOP_AFTER_TOOLS in quirks)


class MendingReader:
    """Reader of an answer that may not be what was asked for."""

    def __init__(self, call: Call, *, tools_stop: bool) -> None:
        """``tools_stop``: the provider says ``stop`` where it means ``tool_calls``."""
        self.complete = False
        self._call = call
        self._tools_stop = tools_stop
        self._reader: Reader | None = None if call.stream else WholeReader(call)
        self._calling: set[int] = set()
        self._ends: list[Finished] = []

    def feed(self, data: bytes) -> Sequence[Event]:
        """Give the events that ``data`` completes; raise ProviderFault on garbage."""
        if self._reader is None:
            data = data.lstrip()
            if not data:
                return ()
            whole = data.startswith(_DOCUMENT)
            self._reader = WholeReader(self._call) if whole else self._streamed()
        events = list(self._without_ends(self._reader.feed(data)))
        self.complete = self._reader.complete
        return events

    def finish(self) -> Sequence[Event]:
        """Give the last events; raise ProviderCut if the body is not whole."""
        reader = self._reader or self._streamed()
        return [*self._without_ends(reader.finish()), *map(self._mended, self._ends)]

    def _streamed(self) -> Reader:
        return StreamReader(self._call)

    def _without_ends(self, events: Sequence[Event]) -> Iterator[Event]:
        for event in events:
            if isinstance(event, Finished):
                self._ends.append(event)
                continue
            if isinstance(event, ToolCallDelta):
                self._calling.add(event.choice)
            yield event

    def _mended(self, end: Finished) -> Finished:
        if self._tools_stop and end.reason == "stop" and end.choice in self._calling:
            return replace(end, reason="tool_calls")
        return end
