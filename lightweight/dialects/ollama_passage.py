"""An Ollama server's answer on its way to an Ollama client, line for line.

Both sides speak this dialect, so the provider's bytes are the client's, save that
``model`` is set back where the target has another name for it.
"""

import msgspec

from lightweight.dialects.answer import Gathered, cut_short
from lightweight.dialects.ndjson import Lines
from lightweight.dialects.ollama_faults import broken_stream
from lightweight.dialects.ollama_shapes import decode_line, reason_of
from lightweight.dialects.splice import replaced
from lightweight.errors import Fault, ProviderFault
from lightweight.records import Call, Target, Usage

NDJSON = "application/x-ndjson"


class OllamaPassage:
    """The way of an answer, streamed or whole.

    Where one piece of the body holds lines and then a fault, the lines are given first:
    ``complete`` turns true and the next call raises the fault.
    """

    def __init__(self, call: Call, target: Target) -> None:
        self.content_type = NDJSON if call.stream else "application/json"
        self.complete = False
        self.usage: Usage | None = None
        self.deltas = 0
        self.size = 0
        self._stream = call.stream
        self._model = None if call.model == target.model else call.model
        self._lines = Lines()
        self._gathered = Gathered()
        self._last = b""
        self._fault: ProviderFault | None = None

    def feed(self, data: bytes) -> bytes:
        """Give the lines that ``data`` completes; raise ProviderFault on garbage."""
        if self._fault is not None:
            raise self._fault
        if not self._stream:
            self._gathered.add(data)
            return b""
        passed = bytearray()
        try:
            for line in self._lines.feed(data):
                if not self.complete:
                    passed += self._pass(line)
        except ProviderFault as fault:
            if not passed:
                raise
            self._fault = fault
            self.complete = True
        return bytes(passed)

    def finish(self) -> bytes:
        """Give the last line; raise ProviderFault if there is none."""
        if self._fault is not None:
            raise self._fault
        if not self._stream:
            self._pass(self._gathered.body)
        for line in () if self.complete else self._lines.finish():
            self._pass(line)
        if not self.complete:
            raise cut_short()
        return self._last

    def broken(self, fault: Fault) -> bytes:
        """Give the error line; nothing where the answer was to come in one piece."""
        return broken_stream(fault) if self._stream else b""

    def _pass(self, raw: bytes) -> bytes:
        line = decode_line(raw)
        size = line.said
        self.deltas += size > 0
        self.size += size
        if self._model is not None and line.model:
            raw = replaced(raw, "model", msgspec.json.encode(self._model))
        if not line.done:
            return raw
        reason_of(line)
        self.usage = line.usage
        self.complete = True
        self._last = raw
        return b""
