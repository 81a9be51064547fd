"""OpenAI's error envelope: read from a provider, written for a client.

API guide, "Error codes"; envelope ``{"error": {"message", "type", "param", "code"}}``.
What a provider says is for its customer, the operator. The client sees it only where
the client caused the error, and then without anything that looks like a credential.
"""

import re

import msgspec
from msgspec import Raw, Struct

from lightweight.dialects.comeback import retry_after, retry_headers
from lightweight.dialects.scrub import SECRETS, scrubbed
from lightweight.errors import (
    BadRequest,
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
_NOT_FOUND = 404
_BUSY = 429
_OVERLOADED = (503, 529)
"""With a Retry-After they are limits, not breakdowns; 529 is Anthropic's."""

_QUOTA = "insufficient_quota"
_CONTEXT = "context_length_exceeded"
# llama.cpp's word for it.
_CODES = {"exceed_context_size_error": _CONTEXT}

# Some providers answer 400 where they mean 401.
_KEY_TROUBLE = re.compile(r"\bapi[ -]key\b", re.IGNORECASE)
_CODE = re.compile(r"[\w.:-]{1,64}")

_NO_REASON = "The provider refused the request as invalid and gave no reason."
_REJECTED = "The provider rejected this gateway's credential. Tell the operator."
_BROKE = "The provider reported an error while it answered."


class _Complaint(Struct, frozen=True):
    """What a provider says is wrong; empty where it does not say."""

    message: str = ""
    kind: str = ""
    param: str | None = None
    code: str | None = None
    status: int = 0
    """An HTTP status where the body names one (Gemini, llama.cpp)."""


def read_error(status: int, headers: Headers, body: bytes) -> Fault:
    """Judge a provider's answer outside 2xx."""
    said = _complaint(body)
    operators = _operators_trouble(status, said)
    if operators is not None:
        return ProviderRefused(operators)
    if status in _CLIENTS_FAULT:
        return _CLIENTS_FAULT[status](
            scrubbed(said.message) or _NO_REASON, param=said.param, code=said.code
        ).quoting()
    if status == _BUSY or (status in _OVERLOADED and "retry-after" in headers):
        return ProviderBusy(
            "The provider is limiting requests. Retry after the time given.",
            retry_after=retry_after(headers),
        )
    if status in _TIMEOUTS:
        return ProviderTimeout("The provider took too long to answer.")
    return ProviderRefused(f"The provider failed with status {status}.")


def read_error_frame(error: Raw) -> ProviderRefused:
    """Judge an error inside an answer that began with 200."""
    said = _told(error)
    clients = (
        said.status in _CLIENTS_FAULT
        or said.code == _CONTEXT
        or said.kind == "invalid_request_error"
    )
    if not clients or _is_key_trouble(said) or _is_quota(said):
        return ProviderRefused(_BROKE)
    return ProviderRefused(scrubbed(said.message) or _BROKE).quoting()


def render_error(fault: Fault) -> Answer:
    """Give the whole answer that tells an OpenAI client of ``fault``."""
    headers = {"content-type": "application/json", **retry_headers(fault)}
    return Answer(status=fault.status, headers=headers, body=envelope(fault))


def envelope(fault: Fault) -> bytes:
    """Give OpenAI's error object, always with all four keys."""
    return msgspec.json.encode(
        {
            "error": {
                "message": fault.message,
                "type": fault.type,
                "param": fault.param,
                "code": fault.code,
            }
        }
    )


def _operators_trouble(status: int, said: _Complaint) -> str | None:
    if status in _CREDENTIAL or (status in _CLIENTS_FAULT and _is_key_trouble(said)):
        return _REJECTED
    if _is_quota(said):
        return "The provider refuses this gateway more use. Tell the operator."
    if status == _NOT_FOUND:
        return "The provider does not know this model or path. Tell the operator."
    return None


def _is_key_trouble(said: _Complaint) -> bool:
    return said.code == "invalid_api_key" or bool(_KEY_TROUBLE.search(said.message))


def _is_quota(said: _Complaint) -> bool:
    return _QUOTA in (said.code, said.kind)


def _complaint(body: bytes) -> _Complaint:
    try:
        told = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Complaint()
    if isinstance(told, list) and told:  # Gemini wraps its envelope in an array
        told = told[0]
    if not isinstance(told, dict):
        return _Complaint()
    return _judged(told.get("error", told))


def _told(error: Raw) -> _Complaint:
    try:
        return _judged(msgspec.json.decode(error))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Complaint()


def _judged(error: object) -> _Complaint:
    if isinstance(error, str):
        return _Complaint(message=error)
    if not isinstance(error, dict):
        return _Complaint()
    kind = _string(error, "type")
    code = _CODES.get(kind) or _string(error, "code")
    number = error.get("code")
    return _Complaint(
        message=_string(error, "message") or _string(error, "detail"),
        kind=kind,
        param=scrubbed(_string(error, "param")) or None,
        code=code if _CODE.fullmatch(code) and not SECRETS.search(code) else None,
        status=number if isinstance(number, int) else 0,
    )


def _string(error: dict[str, object], key: str) -> str:
    value = error.get(key)
    return value if isinstance(value, str) else ""
