"""OpenAI's Responses: the dialect as the rest of the gateway sees it.

API reference, "Responses". The parts are the ``openai_responses_*`` modules; errors
before an answer have the envelope of chat completions.
"""

from lightweight.dialects import (
    openai_chat_faults,
    openai_responses_prompt,
    openai_responses_provider,
    openai_responses_request,
)
from lightweight.dialects.dialect import Passage, Reader, Writer
from lightweight.dialects.openai_responses_passage import StreamPassage, WholePassage
from lightweight.dialects.openai_responses_reader import StreamReader, WholeReader
from lightweight.dialects.openai_responses_writer import StreamWriter, WholeWriter
from lightweight.dialects.sse import COMMENT
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


class OpenAIResponses:
    """The dialect ``openai_responses``; it has no state of its own."""

    name: DialectName = "openai_responses"
    stream_type = "text/event-stream"
    keep_alive = COMMENT

    def parse_request(self, request: Request) -> Call:
        """Judge a client's request; raise BadRequest with ``param`` set."""
        return openai_responses_request.parse_request(request)

    def writer(self, call: Call) -> Writer:
        """Make the writer of this call's answer."""
        return StreamWriter(call) if call.stream else WholeWriter(call)

    def render_error(self, fault: Fault) -> Answer:
        """Give the error envelope with its status and retry headers."""
        return openai_chat_faults.render_error(fault)

    def write_request(self, call: Call, target: Target) -> Outgoing:
        """Give the provider's request for a call of this dialect."""
        return openai_responses_request.write_request(call, target)

    def read_prompt(self, call: Call) -> Prompt:
        """Give what a call asks; raise BadRequest with ``param`` set."""
        return openai_responses_prompt.read_prompt(call)

    def write_prompt(self, prompt: Prompt, call: Call, target: Target) -> Outgoing:
        """Give the provider's request for a call of another dialect."""
        return openai_responses_provider.write_prompt(prompt, call, target)

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
        return openai_chat_faults.read_error(status, headers, body)
