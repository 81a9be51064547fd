"""Anthropic's Messages: the dialect as the rest of the gateway sees it.

API reference, "Messages". The parts are the ``anthropic_*`` modules.
"""

from lightweight.dialects import anthropic_faults, anthropic_request
from lightweight.dialects.anthropic_passage import StreamPassage, WholePassage
from lightweight.dialects.anthropic_read_prompt import read_prompt
from lightweight.dialects.anthropic_reader import StreamReader, WholeReader
from lightweight.dialects.anthropic_write_prompt import write_prompt
from lightweight.dialects.anthropic_writer import PING, StreamWriter, WholeWriter
from lightweight.dialects.dialect import Passage, Reader, Writer
from lightweight.errors import Fault
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


class Anthropic:
    """The dialect ``anthropic``; it has no state of its own."""

    name: DialectName = "anthropic"
    stream_type = "text/event-stream"
    keep_alive = PING

    def parse_request(self, request: Request) -> Call:
        """Judge a client's request; raise BadRequest with ``param`` set."""
        return anthropic_request.parse_request(request)

    def writer(self, call: Call) -> Writer:
        """Make the writer of this call's answer."""
        return StreamWriter(call) if call.stream else WholeWriter(call)

    def render_error(self, fault: Fault) -> Answer:
        """Give the error object with its status and retry headers."""
        return anthropic_faults.render_error(fault)

    def write_request(self, call: Call, target: Target) -> Outgoing:
        """Give the provider's request; raise BadRequest for another dialect's call."""
        return anthropic_request.write_request(call, target)

    def read_prompt(self, call: Call) -> Prompt:
        """Give what a call asks; raise BadRequest with ``param`` set."""
        return read_prompt(call)

    def write_prompt(self, prompt: Prompt, call: Call, target: Target) -> Outgoing:
        """Give the provider's request; raise BadRequest for what it cannot express."""
        return write_prompt(prompt, call, target)

    def reader(self, call: Call, quirks: frozenset[str] = frozenset()) -> Reader:  # noqa: ARG002 -- none is known
        """Make the reader of this call's answer."""
        return StreamReader(call) if call.stream else WholeReader(call)

    def passage(self, call: Call, target: Target) -> Passage:
        """Make the way for an answer whose provider speaks this dialect too."""
        if call.stream:
            return StreamPassage(call, target)
        return WholePassage(call, target)

    def read_error(self, status: int, headers: Headers, body: bytes) -> Fault:
        """Judge a provider's answer outside 2xx."""
        return anthropic_faults.read_error(status, headers, body)
