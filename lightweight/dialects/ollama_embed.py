"""Ollama's POST /api/embed, for providers of its own API and of OpenAI's embeddings.

Ollama's API, "Generate embeddings"; API reference, "Create embeddings". Nothing in a
Prompt or an event has a word for vectors, so these two shapes are turned into each
other here, the numbers untouched. ``truncate``, ``options`` and ``keep_alive`` tune the
machine an Ollama server runs on and are left out for others.
"""

from typing import NoReturn

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from lightweight.dialects import ollama_faults, ollama_request, openai_chat_faults
from lightweight.dialects.answer import Gathered
from lightweight.dialects.dialect import Passage, Reader
from lightweight.dialects.ollama_writer import OllamaWriter
from lightweight.dialects.openai_chat_shapes import says_something
from lightweight.dialects.openai_relay_passage import relayed_usage
from lightweight.dialects.splice import replaced
from lightweight.dialects.top_level import missing, wrong_type
from lightweight.dialects.typed import given
from lightweight.errors import Fault, ModelNotFound, ProviderGarbage
from lightweight.prompts import Prompt
from lightweight.records import (
    Answer,
    Call,
    DialectName,
    Headers,
    Outgoing,
    Request,
    Target,
    Usage,
)

_FLOATS = Raw(b'"float"')


class _Vector(Struct, frozen=True):
    index: int
    embedding: Raw


class _Answer(Struct, frozen=True):
    """An answer of either API."""

    model: Raw = Raw()
    data: list[_Vector] | None = None
    usage: Raw = Raw()
    embeddings: Raw = Raw()
    prompt_eval_count: int | None = None
    error: Raw = Raw()


_ANSWER = msgspec.json.Decoder(_Answer)


class OllamaEmbed:
    """The dialect ``ollama_embed``; it has no state of its own."""

    name: DialectName = "ollama_embed"
    stream_type = "application/json"
    keep_alive = b""

    def parse_request(self, request: Request) -> Call:
        """Judge a client's request; raise BadRequest with ``param`` set."""
        call = ollama_request.parsed(request, self.name, stream=False)
        raw = call.fields.get("input")
        if raw is None or not given(raw):
            raise missing("input")
        if bytes(raw)[:1] not in (b'"', b"["):
            raise wrong_type("input", "a string or an array of strings", raw)
        return replace(call, stream=False, most_tokens=0)

    def writer(self, call: Call) -> OllamaWriter:
        """Make what tells of a fault; there is nothing else to write."""
        return OllamaWriter(call, "generate")

    def render_error(self, fault: Fault) -> Answer:
        """Give the error object with its status and retry headers."""
        return ollama_faults.render_error(fault)

    def write_request(self, call: Call, target: Target) -> Outgoing:
        """Give the request in the words of the target's API."""
        if _is_native(target):
            return ollama_request.write_request(call, target, "/api/embed")
        fields = {
            "model": Raw(msgspec.json.encode(target.model)),
            "input": call.fields["input"],
            "encoding_format": _FLOATS,
        }
        dimensions = call.fields.get("dimensions")
        if dimensions is not None and given(dimensions):
            fields["dimensions"] = dimensions
        body = msgspec.json.encode(fields)
        return ollama_request.outgoing("/embeddings", body, stream=False)

    def read_prompt(self, call: Call) -> Prompt:
        """Refuse: no other dialect can be asked this."""
        raise ModelNotFound(
            f"No provider of the model {call.model!r} makes embeddings. Use another "
            "model for /api/embed.",
            param="model",
        )

    def write_prompt(self, prompt: Prompt, call: Call, target: Target) -> Outgoing:  # noqa: ARG002  (the Protocol's arguments)
        """Refuse: such a target makes embeddings alone."""
        raise ModelNotFound(
            f"The model {call.model!r} makes embeddings only.", param="model"
        )

    def reader(self, call: Call, quirks: frozenset[str] = frozenset()) -> Reader:
        """Make nothing: ``write_prompt`` let no such call through."""
        raise AssertionError(call.dialect, quirks)

    def passage(self, call: Call, target: Target) -> Passage:
        """Make the way of the answer."""
        return _EmbedPassage(call, target)

    def read_error(self, status: int, headers: Headers, body: bytes) -> Fault:
        """Judge a provider's answer outside 2xx."""
        return openai_chat_faults.read_error(status, headers, body)


class _EmbedPassage:
    """The way of vectors: all of them come from ``finish``."""

    content_type = "application/json"

    def __init__(self, call: Call, target: Target) -> None:
        self.complete = False
        self.usage: Usage | None = None
        self.deltas = 0
        self.size = 0
        self._model = call.model
        self._native = _is_native(target)
        self._gathered = Gathered()

    def feed(self, data: bytes) -> bytes:
        """Keep ``data``; raise ProviderGarbage when it is too much."""
        self._gathered.add(data)
        return b""

    def finish(self) -> bytes:
        """Give the vectors; raise ProviderFault where there are none."""
        body = self._gathered.body
        try:
            body.decode()
            answer = _ANSWER.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise _no_vectors() from None
        if says_something(answer.error):
            raise openai_chat_faults.read_error_frame(answer.error)
        self.complete = True
        return self._from_native(answer, body) if self._native else self._from(answer)

    def broken(self, fault: Fault) -> NoReturn:
        """Never called: nothing goes out before ``finish``."""
        raise AssertionError(fault)

    def _from_native(self, answer: _Answer, body: bytes) -> bytes:
        if not says_something(answer.embeddings):
            raise _no_vectors()
        if answer.prompt_eval_count is not None and answer.prompt_eval_count >= 0:
            self.usage = Usage(fresh=answer.prompt_eval_count)
        if not says_something(answer.model):
            return body
        return replaced(body, "model", msgspec.json.encode(self._model))

    def _from(self, answer: _Answer) -> bytes:
        if not answer.data:
            raise _no_vectors()
        self.usage = relayed_usage(answer.usage)
        vectors = sorted(answer.data, key=lambda vector: vector.index)
        told: dict[str, object] = {
            "model": self._model,
            "embeddings": [vector.embedding for vector in vectors],
        }
        if self.usage is not None:
            told["prompt_eval_count"] = self.usage.prompt
        return msgspec.json.encode(told)


def _is_native(target: Target) -> bool:
    return target.dialect in ("ollama", "ollama_embed")


def _no_vectors() -> ProviderGarbage:
    return ProviderGarbage("The provider's answer has no embeddings.")
