"""Google's error envelope: what a provider says is wrong, and whose fault it is.

Google AIP-193: ``{"error": {"code", "message", "status", "details"}}``, the frame that
OpenAI's has too, so that ``openai_chat_faults`` reads it. What Google adds: a status in
words, and the time to come back among the details.
"""

import math
import re
from typing import Any

import msgspec
from msgspec import Raw, Struct

from lightweight.dialects import openai_chat_faults
from lightweight.errors import (
    BadRequest,
    Fault,
    ProviderBusy,
    ProviderFault,
    ProviderRefused,
)
from lightweight.records import Headers

_TOO_LONG = re.compile(r"token count .{0,40}exceeds the maximum", re.IGNORECASE)
_DELAY = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s")
_OPERATORS = "FAILED_PRECONDITION"
"""No billing, or a country without the free tier: 400, but no client can help it."""


class _Error(Struct, frozen=True):
    message: str = ""
    status: str = ""
    details: list[dict[str, Any]] = []


class _Body(Struct, frozen=True):
    error: _Error = _Error()


_BODY = msgspec.json.Decoder(_Body | list[_Body])


def read_error(status: int, headers: Headers, body: bytes) -> Fault:
    """Judge a provider's answer outside 2xx."""
    fault = openai_chat_faults.read_error(status, headers, body)
    said = _said(body)
    if isinstance(fault, BadRequest):
        if said.status == _OPERATORS:
            return ProviderRefused(
                "The provider does not serve this gateway's account. Tell the operator."
            )
        if _TOO_LONG.search(said.message):
            fault.code = "context_length_exceeded"
    if isinstance(fault, ProviderBusy) and "retry-after" not in headers:
        fault.retry_after = _delay(said) or fault.retry_after
    return fault


def read_error_frame(error: Raw) -> ProviderFault:
    """Judge an error inside an answer that began with 200."""
    return openai_chat_faults.read_error_frame(error)


def _said(body: bytes) -> _Error:
    try:
        told = _BODY.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Error()
    if isinstance(told, _Body):
        return told.error
    return told[0].error if told else _Error()


def _delay(said: _Error) -> int | None:
    """Give the whole seconds of ``RetryInfo.retryDelay`` (``13.5s``)."""
    for detail in said.details:
        delay = detail.get("retryDelay")
        found = _DELAY.fullmatch(delay) if isinstance(delay, str) else None
        if found is not None:
            return max(1, math.ceil(float(found[1])))
    return None
