"""An Ollama server's answer to events, streamed or whole.

Ollama's API, "Generate a chat completion". Tool calls come whole; the answer ends with
``done``, whose reason is ``stop`` also where tools are called.
"""

from collections.abc import Iterator, Sequence

from lightweight.dialects.answer import Gathered, cut_short
from lightweight.dialects.ndjson import Lines
from lightweight.dialects.ollama_shapes import (
    Called,
    Line,
    Message,
    decode_line,
    reason_of,
    seconds_of,
)
from lightweight.dialects.openai_chat_shapes import says_something
from lightweight.errors import ProviderFault
from lightweight.events import (
    Event,
    Finished,
    ReasoningDelta,
    Started,
    TextDelta,
    ToolCallDelta,
    Unknown,
    UsageReported,
)
from lightweight.records import Call


class OllamaReader:
    """Reader of an answer, streamed or whole.

    Where one piece of the body holds lines and then a fault, their events are given
    first and the fault is raised by the next call.
    """

    def __init__(self, call: Call) -> None:
        self.complete = False
        self._stream = call.stream
        self._call_id = call.id
        self._lines = Lines()
        self._gathered = Gathered()
        self._started = False
        self._calls = 0
        self._fault: ProviderFault | None = None

    def feed(self, data: bytes) -> Sequence[Event]:
        """Give the events that ``data`` completes; raise ProviderFault on garbage."""
        if self._fault is not None:
            raise self._fault
        events: list[Event] = []
        if not self._stream:
            self._gathered.add(data)
            return events
        try:
            for line in self._lines.feed(data):
                if not self.complete:
                    events += self._hear(line)
        except ProviderFault as fault:
            if not events:
                raise
            self._fault = fault
        return events

    def finish(self) -> Sequence[Event]:
        """Give the last events; raise ProviderFault if the answer is not whole."""
        if self._fault is not None:
            raise self._fault
        events: list[Event] = []
        if not self._stream:
            events += self._hear(self._gathered.body)
        for line in () if self.complete else self._lines.finish():
            events += self._hear(line)
        if not self.complete:
            raise cut_short()
        return events

    def _hear(self, raw: bytes) -> Sequence[Event]:
        return list(self._events(decode_line(raw), raw))

    def _events(self, line: Line, raw: bytes) -> Iterator[Event]:
        if not self._started:
            self._started = True
            yield Started(
                id="", created=seconds_of(line.created_at), model=line.model or ""
            )
        message = line.message or Message()
        if message.thinking:
            yield ReasoningDelta(text=message.thinking)
        if message.content:
            yield TextDelta(text=message.content)
        for called in message.tool_calls or ():
            yield self._called(called)
        if says_something(line.logprobs):
            yield Unknown(raw=raw)
        if line.done:
            reason = reason_of(line)
            called_any = reason == "stop" and self._calls > 0
            yield Finished(reason="tool_calls" if called_any else reason)
            if line.usage is not None:
                yield UsageReported(usage=line.usage)
            self.complete = True

    def _called(self, called: Called) -> ToolCallDelta:
        number = self._calls
        self._calls += 1
        return ToolCallDelta(
            call=number,
            arguments=bytes(called.function.arguments).decode(),
            id=called.id or f"call_{self._call_id}_{number}",
            name=called.function.name,
        )
