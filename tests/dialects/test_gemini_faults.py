"""Google's errors: whose fault, and what a client hears of it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.gemini import DIALECT

from lightweight.errors import (
    BadRequest,
    ClientFault,
    Fault,
    ProviderBusy,
    ProviderFault,
    ProviderRefused,
)


def body(code: int, status: str, message: str, *details: Any) -> bytes:
    error = {"code": code, "message": message, "status": status, "details": details}
    return json.dumps({"error": error}).encode()


def judged(status: int, data: bytes, **headers: str) -> Fault:
    return DIALECT.read_error(status, headers, data)


def test_the_client_s_fault_is_told() -> None:
    fault = judged(400, body(400, "INVALID_ARGUMENT", "Bad schema."))
    assert type(fault) is BadRequest
    assert fault.message == "Bad schema."


def test_a_prompt_that_is_too_long() -> None:
    text = (
        "The input token count (1048577) exceeds the maximum number of tokens allowed "
        "(1048576)."
    )
    for data in (
        body(400, "INVALID_ARGUMENT", text),
        b"[" + body(400, "INVALID_ARGUMENT", text) + b"]",
    ):
        assert judged(400, data).code == "context_length_exceeded"


@pytest.mark.parametrize(
    ("status", "data"),
    [
        (
            400,
            body(400, "INVALID_ARGUMENT", "API key not valid. Pass a valid API key."),
        ),
        (400, body(400, "FAILED_PRECONDITION", "User location is not supported.")),
        (401, body(401, "UNAUTHENTICATED", "x")),
        (403, body(403, "PERMISSION_DENIED", "x")),
        (404, body(404, "NOT_FOUND", "models/x is not found")),
        (500, body(500, "INTERNAL", "x")),
        (503, body(503, "UNAVAILABLE", "x")),
    ],
)
def test_what_concerns_the_operator_is_not_the_client_s(
    status: int, data: bytes
) -> None:
    assert type(judged(status, data)) is ProviderRefused


RETRY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "13.2s"}


def test_when_to_come_back_stands_among_the_details() -> None:
    fault = judged(429, body(429, "RESOURCE_EXHAUSTED", "x", {"a": 1}, RETRY))
    assert type(fault) is ProviderBusy
    assert fault.retry_after == 14
    fault = judged(
        429, body(429, "RESOURCE_EXHAUSTED", "x", RETRY), **{"retry-after": "3"}
    )
    assert fault.retry_after == 3
    assert judged(429, b"").retry_after == 1


def test_no_key_reaches_a_client() -> None:
    fault = judged(400, body(400, "INVALID_ARGUMENT", "see AIzaSyA-1234567890abcdef"))
    assert "AIza" not in fault.message


@given(st.sampled_from([400, 403, 413, 429, 500, 503]), st.binary())
def test_any_body_is_a_fault(status: int, data: bytes) -> None:
    assert isinstance(judged(status, data), ClientFault | ProviderFault)
