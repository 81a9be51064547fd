"""Ollama's API: its chat and its completion, as the rest of the gateway sees them.

The parts are the ``ollama_*`` modules. A provider that speaks ``ollama`` has both
endpoints (``crossing.ENDPOINTS``); whoever else is asked answers a completion as a chat
of one turn.
"""

from typing import NoReturn

from lightweight.dialects import (
    ollama_faults,
    ollama_prompt,
    ollama_provider,
    ollama_request,
    openai_chat_faults,
)
from lightweight.dialects.dialect import Passage, Reader, Writer
from lightweight.dialects.ollama_passage import NDJSON, OllamaPassage
from lightweight.dialects.ollama_reader import OllamaReader
from lightweight.dialects.ollama_writer import OllamaWriter
from lightweight.errors import Fault, ModelNotFound
from lightweight.prompts import Prompt
from lightweight.records import (
    Answer,
    Call,
    DialectName,
    Headers,
    Outgoing,
    Request,
    Target,
)


class Ollama:
    """The dialect ``ollama``: POST /api/chat; it has no state of its own."""

    name: DialectName = "ollama"
    stream_type = NDJSON
    keep_alive = b""

    def parse_request(self, request: Request) -> Call:
        """Judge a client's request; raise BadRequest with ``param`` set."""
        return ollama_request.parse_chat(request)

    def writer(self, call: Call) -> Writer:
        """Make the writer of this call's answer."""
        return OllamaWriter(call, "chat")

    def render_error(self, fault: Fault) -> Answer:
        """Give the error object with its status and retry headers."""
        return ollama_faults.render_error(fault)

    def write_request(self, call: Call, target: Target) -> Outgoing:
        """Give the provider's request for a chat of this dialect, untouched."""
        return ollama_request.write_request(call, target, ollama_provider.PATH)

    def read_prompt(self, call: Call) -> Prompt:
        """Give what a chat of this dialect asks; raise BadRequest with ``param``."""
        return ollama_prompt.read_chat(call)

    def write_prompt(self, prompt: Prompt, call: Call, target: Target) -> Outgoing:
        """Give the chat for a call of another dialect."""
        return ollama_provider.write_prompt(prompt, call, target)

    def reader(self, call: Call, quirks: frozenset[str] = frozenset()) -> Reader:  # noqa: ARG002 -- none is known
        """Make the reader of this call's answer."""
        return OllamaReader(call)

    def passage(self, call: Call, target: Target) -> Passage:
        """Make the way for an answer whose provider speaks this dialect too."""
        return OllamaPassage(call, target)

    def read_error(self, status: int, headers: Headers, body: bytes) -> Fault:
        """Judge a provider's answer outside 2xx."""
        return openai_chat_faults.read_error(status, headers, body)


class OllamaGenerate:
    """The dialect ``ollama_generate``: POST /api/generate; it has no state either."""

    name: DialectName = "ollama_generate"
    stream_type = NDJSON
    keep_alive = b""

    def parse_request(self, request: Request) -> Call:
        """Judge a client's request; raise BadRequest with ``param`` set."""
        return ollama_request.parse_generate(request)

    def writer(self, call: Call) -> Writer:
        """Make the writer of this call's answer."""
        return OllamaWriter(call, "generate")

    def render_error(self, fault: Fault) -> Answer:
        """Give the error object with its status and retry headers."""
        return ollama_faults.render_error(fault)

    def write_request(self, call: Call, target: Target) -> Outgoing:
        """Give the request for a provider of Ollama's API, untouched."""
        return ollama_request.write_request(call, target, "/api/generate")

    def read_prompt(self, call: Call) -> Prompt:
        """Give what a completion asks; raise BadRequest with ``param``."""
        return ollama_prompt.read_generate(call)

    def write_prompt(self, prompt: Prompt, call: Call, target: Target) -> Outgoing:  # noqa: ARG002  (the Protocol's arguments)
        """Refuse: such a target completes, and is asked nothing else."""
        raise ModelNotFound(
            f"The model {call.model!r} is served at /api/generate only.", param="model"
        )

    def reader(self, call: Call, quirks: frozenset[str] = frozenset()) -> NoReturn:
        """Make nothing: ``write_prompt`` let no such call through."""
        raise AssertionError(call.dialect, quirks)

    def passage(self, call: Call, target: Target) -> Passage:
        """Make the way for an answer whose provider has this endpoint too."""
        return OllamaPassage(call, target)

    def read_error(self, status: int, headers: Headers, body: bytes) -> Fault:
        """Judge a provider's answer outside 2xx."""
        return openai_chat_faults.read_error(status, headers, body)
