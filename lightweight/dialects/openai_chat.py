"""OpenAI's chat completions: the dialect as the rest of the gateway sees it.

API reference, "Chat completions". The parts are the ``openai_chat_*`` modules.
"""

from lightweight.dialects import (
    openai_chat_faults,
    openai_chat_prompt,
    openai_chat_provider,
    openai_chat_request,
)
from lightweight.dialects.dialect import Passage, Reader, Writer
from lightweight.dialects.openai_chat_mend import (
    ODD_ANSWERS,
    mended,
    mending_reader,
)
from lightweight.dialects.openai_chat_passage import StreamPassage, WholePassage
from lightweight.dialects.openai_chat_reader import StreamReader, WholeReader
from lightweight.dialects.openai_chat_writer import StreamWriter, WholeWriter
from lightweight.dialects.sse import COMMENT
from lightweight.errors import Fault
from lightweight.prompts import Prompt
from lightweight.records import (
    Answer,
    Call,
    DialectName,
    Headers,
    Outgoing,
    Target,
)


class OpenAIChat:
    """The dialect ``openai_chat``; it has no state of its own."""

    name: DialectName = "openai_chat"
    stream_type = "text/event-stream"
    keep_alive = COMMENT

    parse_request = staticmethod(openai_chat_request.parse_request)
    write_request = staticmethod(openai_chat_request.write_request)

    def writer(self, call: Call) -> Writer:
        """Make the writer of this call's answer."""
        return StreamWriter(call) if call.stream else WholeWriter(call)

    def render_error(self, fault: Fault) -> Answer:
        """Give the error envelope with its status and retry headers."""
        return openai_chat_faults.render_error(fault)

    def read_prompt(self, call: Call) -> Prompt:
        """Give what a chat call asks; raise BadRequest with ``param``."""
        return openai_chat_prompt.read_prompt(call)

    def write_prompt(self, prompt: Prompt, call: Call, target: Target) -> Outgoing:
        """Give the chat request for a call of another dialect."""
        return openai_chat_provider.write_prompt(prompt, call, target)

    def reader(self, call: Call, quirks: frozenset[str] = frozenset()) -> Reader:
        """Make the reader of this call's answer, odd or not."""
        if quirks & ODD_ANSWERS:
            return mending_reader(call, quirks)
        return StreamReader(call) if call.stream else WholeReader(call)

    def passage(self, call: Call, target: Target) -> Passage:
        """Make the way for an answer whose provider speaks this dialect too."""
        if target.quirks and target.quirks & ODD_ANSWERS:
            return mended(call, target)
        if call.stream:
            return StreamPassage(call, target)
        return WholePassage(call, target)

    def read_error(self, status: int, headers: Headers, body: bytes) -> Fault:
        """Judge a provider's answer outside 2xx."""
        return openai_chat_faults.read_error(status, headers, body)
