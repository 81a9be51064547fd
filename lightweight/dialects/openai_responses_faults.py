"""What goes wrong in a response, as Responses say it: read and written.

API reference, "The response object" (``error``) and "Streaming events" (``error``,
``response.failed``). Before an answer begins errors have OpenAI's one envelope, which
is ``openai_chat_faults``' business.
"""

import msgspec
from msgspec import Raw, Struct

from lightweight.dialects.openai_chat_faults import read_error_frame
from lightweight.errors import Fault, ProviderBusy, ProviderFault

_LIMITED = ("rate_limit_exceeded", "slow_down")
# Codes of ``response.error`` that speak of what the client sent.
_CLIENTS = ("invalid_prompt", "context_length_exceeded", "bio_policy")
_IMAGES = "image"


class _Error(Struct, frozen=True):
    message: str | None = None
    code: str | None = None
    type: str | None = None


def read_failure(error: Raw) -> ProviderFault:
    """Judge the error of a response that failed, or of an ``error`` event."""
    try:
        told = msgspec.json.decode(error, type=_Error)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return read_error_frame(error)
    code = told.code or ""
    if code in _LIMITED:
        return ProviderBusy(
            "The provider is limiting requests. Retry after the time given.",
            retry_after=1,
        )
    if code in _CLIENTS or _IMAGES in code:
        # In the envelope's words: there the type says whose error it is.
        blamed = {
            "message": told.message,
            "code": code,
            "type": "invalid_request_error",
        }
        return read_error_frame(Raw(msgspec.json.encode(blamed)))
    return read_error_frame(error)


def error_code(fault: Fault) -> str:
    """Give the code of ``response.error`` for a fault: the list there is closed."""
    limited = isinstance(fault, ProviderBusy)
    return "rate_limit_exceeded" if limited else "server_error"
