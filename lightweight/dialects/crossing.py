"""Where two dialects meet: a call of one served by a provider of another.

Hub and spoke: requests meet in a ``Prompt``, answers in events. Where both sides speak
the same dialect nothing is translated; nor where the provider's API, named by the
target's dialect, has the client's endpoint too.
"""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from lightweight.dialects.clients_names import as_client_names
from lightweight.dialects.custom_tools import Restored, custom_names
from lightweight.dialects.dialect import Dialect, Passage, Reader, Writer
from lightweight.errors import BadRequest, Fault
from lightweight.events import (
    Event,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
    UsageReported,
)
from lightweight.records import Call, DialectName, Outgoing, Target, Usage

_OPENAI: frozenset[DialectName] = frozenset({"openai_chat", "openai_responses"})
_LIKE_OPENAI: frozenset[DialectName] = _OPENAI | {"ollama"}

ENDPOINTS: Mapping[DialectName, frozenset[DialectName]] = {
    "openai_completions": _LIKE_OPENAI,
    "openai_embeddings": _LIKE_OPENAI,
    "openai_moderations": _OPENAI,
    "openai_images": _OPENAI,
    "openai_image_edits": _OPENAI,
    "openai_speech": _OPENAI,
    "openai_transcriptions": _OPENAI,
    "openai_translations": _OPENAI,
    "openai_rerank": _OPENAI,
    "ollama_generate": frozenset({"ollama"}),
    "ollama_embed": _LIKE_OPENAI | {"openai_embeddings"},
}
"""Dialects of one endpoint, each with the dialects whose targets have it as well.

A target of such a dialect itself serves that endpoint alone.
"""

_TEXTS = (TextDelta, ReasoningDelta, RefusalDelta)


def spoken(
    dialects: Mapping[DialectName, Dialect], call: Call, target: Target
) -> Dialect:
    """Give the dialect that ``target`` is asked in: the client's, if it can be."""
    return dialects[call.dialect if _is_same(call, target) else target.dialect]


def write_request(
    dialects: Mapping[DialectName, Dialect], call: Call, target: Target
) -> Outgoing:
    """Give the request that asks ``target`` what ``call`` asks.

    Raises BadRequest where the target's dialect cannot express it, in the client's
    names.
    """
    if _is_same(call, target):
        outgoing = dialects[call.dialect].write_request(call, target)
    else:
        prompt = dialects[call.dialect].read_prompt(call)
        try:
            outgoing = dialects[target.dialect].write_prompt(prompt, call, target)
        except BadRequest as fault:
            raise as_client_names(fault, call.dialect) from None
        outgoing = replace(outgoing, left_out=prompt.left_out)
    if not call.trace:
        return outgoing
    return replace(outgoing, headers={**outgoing.headers, **call.trace})


def passage(
    dialects: Mapping[DialectName, Dialect], call: Call, target: Target
) -> Passage:
    """Make the way of the answer of ``target`` to the client of ``call``."""
    if _is_same(call, target):
        return dialects[call.dialect].passage(call, target)
    client = dialects[call.answer_in or call.dialect]
    content_type = client.stream_type if call.stream else "application/json"
    return Crossing(
        dialects[target.dialect].reader(call, target.quirks),
        client.writer(call),
        content_type,
        Restored(custom_names(call), bare=call.answer_in == "openai_chat"),
    )


def _is_same(call: Call, target: Target) -> bool:
    if call.answer_in is not None:
        return False
    if target.dialect == call.dialect:
        return True
    return target.dialect in ENDPOINTS.get(call.dialect, ())


class Crossing:
    """The Passage between two dialects."""

    def __init__(
        self,
        reader: Reader,
        writer: Writer,
        content_type: str,
        restored: Restored,
    ) -> None:
        """``restored`` knows the client's custom tools, which may become functions."""
        self.content_type = content_type
        self.complete = False
        self.usage: Usage | None = None
        self.deltas = 0
        self.size = 0
        self._reader = reader
        self._writer = writer
        self._restored = restored

    def feed(self, data: bytes) -> bytes:
        """Give what the client may have already; raise ProviderFault on garbage."""
        written = self._written(self._reader.feed(data))
        self.complete = self._reader.complete
        return written

    def finish(self) -> bytes:
        """Give the rest; raise ProviderFault if the provider's answer is not whole."""
        return self._written(self._reader.finish()) + self._writer.finish()

    def broken(self, fault: Fault) -> bytes:
        """Give the error event that ends a stream which broke after it began."""
        return self._writer.broken(fault)

    def _written(self, events: Sequence[Event]) -> bytes:
        for event in events:
            if isinstance(event, UsageReported):
                self.usage = event.usage
            elif isinstance(event, ToolCallDelta):
                self._count(event.arguments)
            elif isinstance(event, _TEXTS):
                self._count(event.text)
        return b"".join(
            self._writer.write(heard)
            for event in events
            for heard in self._restored.hear(event)
        )

    def _count(self, said: str) -> None:
        self.deltas += 1
        self.size += len(said)
