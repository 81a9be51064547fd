"""Google's Gemini API: the dialect ``gemini`` as the rest of the gateway sees it.

Gemini API reference, "Generating content", v1beta. Providers alone speak it here: no
route takes a client's request in it, so what belongs to the client's side raises
``Unimplemented``. The parts are the ``gemini_*`` modules.
"""

from lightweight.dialects import gemini_faults, gemini_request
from lightweight.dialects.dialect import Passage, Reader, Writer
from lightweight.dialects.gemini_reader import StreamReader, WholeReader
from lightweight.dialects.sse import COMMENT
from lightweight.errors import Fault, Unimplemented
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


class Gemini:
    """The dialect ``gemini``; it has no state of its own."""

    name: DialectName = "gemini"
    stream_type = "text/event-stream"
    keep_alive = COMMENT

    def write_prompt(self, prompt: Prompt, call: Call, target: Target) -> Outgoing:
        """Give the provider's request; raise BadRequest for what it cannot express."""
        return gemini_request.write_prompt(prompt, call, target)

    def reader(self, call: Call, quirks: frozenset[str] = frozenset()) -> Reader:  # noqa: ARG002 -- none is known
        """Make the reader of this call's answer."""
        return StreamReader(call) if call.stream else WholeReader(call)

    def read_error(self, status: int, headers: Headers, body: bytes) -> Fault:
        """Judge a provider's answer outside 2xx."""
        return gemini_faults.read_error(status, headers, body)

    # -- the client's side, which nothing leads to ---------------------------------

    def parse_request(self, request: Request) -> Call:  # noqa: ARG002  (the Protocol's)
        """Raise Unimplemented."""
        raise _no_clients()

    def writer(self, call: Call) -> Writer:  # noqa: ARG002  (the Protocol's)
        """Raise Unimplemented."""
        raise _no_clients()

    def render_error(self, fault: Fault) -> Answer:  # noqa: ARG002  (the Protocol's)
        """Raise Unimplemented."""
        raise _no_clients()

    def write_request(self, call: Call, target: Target) -> Outgoing:  # noqa: ARG002  (the Protocol's)
        """Raise Unimplemented."""
        raise _no_clients()

    def read_prompt(self, call: Call) -> Prompt:  # noqa: ARG002  (the Protocol's)
        """Raise Unimplemented."""
        raise _no_clients()

    def passage(self, call: Call, target: Target) -> Passage:  # noqa: ARG002  (the Protocol's)
        """Raise Unimplemented."""
        raise _no_clients()


def _no_clients() -> Unimplemented:
    return Unimplemented(
        "Lightweight serves no clients of the Gemini API. Send chat completions: its "
        "models are offered there."
    )
