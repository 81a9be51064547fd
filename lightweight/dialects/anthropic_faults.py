"""Anthropic's error object: read from a provider, written for a client.

API reference, "Errors": ``{"type": "error", "error": {"type", "message"},
"request_id"}``. What a provider says is for its customer, the operator; the client sees
it only where the client caused the error. ``request_id`` is null here: the web, which
knows it, sets it.
"""

import re

import msgspec
from msgspec import Raw, Struct

from lightweight.dialects.comeback import retry_after, retry_headers
from lightweight.dialects.scrub import scrubbed
from lightweight.dialects.sse import framed
from lightweight.errors import (
    BadRequest,
    ClientFault,
    Fault,
    ProviderBusy,
    ProviderRefused,
    ProviderTimeout,
    TooLarge,
    Unprocessable,
)
from lightweight.records import Answer, Headers

_CLIENTS_FAULT = {400: BadRequest, 413: TooLarge, 422: Unprocessable}
_TIMEOUTS = (408, 504)
_CREDENTIAL = (401, 403)
_BILLING = 402
_NOT_FOUND = 404
_BUSY = 429
_OVERLOADED = 529

_KINDS = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
}
_CONTEXT = "context_length_exceeded"
_TOO_LONG = re.compile(r"prompt is too long|exceeds? (?:the )?context", re.IGNORECASE)
# Both come as a 400 and speak to whoever owns the provider's account.
_BALANCE = re.compile(r"\bcredit balance\b", re.IGNORECASE)
_KEY_TROUBLE = re.compile(r"\b(?:x-)?api[ -]key\b", re.IGNORECASE)

_NO_REASON = "The provider refused the request as invalid and gave no reason."
_REJECTED = "The provider rejected this gateway's credential. Tell the operator."
_NO_MORE = "The provider refuses this gateway more use. Tell the operator."
_BROKE = "The provider reported an error while it answered."


class _Said(Struct, frozen=True):
    """The inner error object."""

    type: str = ""
    message: str = ""


class _Envelope(Struct, frozen=True):
    error: _Said = _Said()


_SAID = msgspec.json.Decoder(_Said)
_ENVELOPE = msgspec.json.Decoder(_Envelope)


def read_error(status: int, headers: Headers, body: bytes) -> Fault:
    """Judge a provider's answer outside 2xx."""
    try:
        said = _ENVELOPE.decode(body).error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        said = _Said()
    operators = _operators_trouble(status, said)
    if operators is not None:
        return ProviderRefused(operators)
    if status in _CLIENTS_FAULT:
        text = scrubbed(said.message) or _NO_REASON
        return _CLIENTS_FAULT[status](text, code=_code(said)).quoting()
    if status == _BUSY:
        return ProviderBusy(
            "The provider is limiting requests. Retry after the time given.",
            retry_after=retry_after(headers),
        )
    if status in _TIMEOUTS:
        return ProviderTimeout("The provider took too long to answer.")
    if status == _OVERLOADED:
        return ProviderRefused("The provider is overloaded. Try again in a moment.")
    return ProviderRefused(f"The provider failed with status {status}.")


def read_error_frame(error: Raw) -> ProviderRefused:
    """Judge an error inside an answer that began with 200."""
    try:
        said = _SAID.decode(error)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        said = _Said()
    clients = said.type == "invalid_request_error"
    if not clients or _operators_trouble(400, said) is not None:
        return ProviderRefused(_BROKE)
    return ProviderRefused(scrubbed(said.message) or _BROKE).quoting()


def render_error(fault: Fault) -> Answer:
    """Give the whole answer that tells an Anthropic client of ``fault``."""
    headers = {"content-type": "application/json", **retry_headers(fault)}
    return Answer(status=fault.status, headers=headers, body=_envelope(fault, None))


def broken_stream(fault: Fault, request_id: str) -> bytes:
    """Give the event that ends a stream which broke."""
    return b"event: error\n" + framed(_envelope(fault, request_id))


def _envelope(fault: Fault, request_id: str | None) -> bytes:
    return msgspec.json.encode(
        {
            "type": "error",
            "error": {"type": _kind(fault), "message": fault.message},
            "request_id": request_id,
        }
    )


def _kind(fault: Fault) -> str:
    if fault.code == "insufficient_quota":
        return "billing_error"
    if fault.code == "upstream_timeout":
        return "timeout_error"
    other = (
        "invalid_request_error"
        if isinstance(fault, ClientFault) or fault.type == "invalid_request_error"
        else "api_error"
    )
    return _KINDS.get(fault.status, other)


def _operators_trouble(status: int, said: _Said) -> str | None:
    if status in _CREDENTIAL:
        return _REJECTED
    if status == _BILLING:
        return _NO_MORE
    if status == _NOT_FOUND:
        return "The provider does not know this model or path. Tell the operator."
    if status in _CLIENTS_FAULT and _BALANCE.search(said.message):
        return _NO_MORE
    if status in _CLIENTS_FAULT and _KEY_TROUBLE.search(said.message):
        return _REJECTED
    return None


def _code(said: _Said) -> str | None:
    return _CONTEXT if _TOO_LONG.search(said.message) else None
