"""Ollama's errors: ``{"error": "text"}``, before an answer and as a line of a stream.

Ollama's API, "Errors". Status and retry headers are those of OpenAI's envelope.
"""

import msgspec
from msgspec.structs import replace

from lightweight.dialects import openai_chat_faults
from lightweight.errors import Fault
from lightweight.records import Answer


def render_error(fault: Fault) -> Answer:
    """Give the whole answer that tells an Ollama client of ``fault``."""
    return replace(openai_chat_faults.render_error(fault), body=told(fault))


def broken_stream(fault: Fault) -> bytes:
    """Give the line that ends a stream which broke."""
    return told(fault) + b"\n"


def told(fault: Fault) -> bytes:
    """Give the error object."""
    return msgspec.json.encode({"error": fault.message})
