import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from support.anthropic_schema import error_errors

from lightweight.dialects.anthropic_faults import (
    read_error,
    read_error_frame,
    render_error,
)
from lightweight.errors import (
    BadRequest,
    ClientFault,
    Fault,
    InvalidKey,
    ModelDenied,
    ModelNotFound,
    Overloaded,
    OwnFault,
    ProviderBusy,
    ProviderCut,
    ProviderFault,
    ProviderRefused,
    ProviderTimeout,
    TooLarge,
    Unimplemented,
    Unprocessable,
)


def body(kind: str, text: str = "No.") -> bytes:
    error = {"type": kind, "message": text}
    return json.dumps({"type": "error", "error": error, "request_id": "r"}).encode()


READ: list[tuple[int, bytes, type[Fault], str]] = [
    (400, body("invalid_request_error"), BadRequest, "No."),
    (400, b"", BadRequest, "gave no reason"),
    (413, body("request_too_large"), TooLarge, "No."),
    (422, body("invalid_request_error"), Unprocessable, "No."),
    (401, body("authentication_error"), ProviderRefused, "credential"),
    (403, body("permission_error"), ProviderRefused, "credential"),
    (400, body("x", "invalid x-api-key"), ProviderRefused, "credential"),
    (402, body("billing_error"), ProviderRefused, "more use"),
    (
        400,
        body("invalid_request_error", "Your credit balance is too low to access"),
        ProviderRefused,
        "more use",
    ),
    (404, body("not_found_error", "model: x"), ProviderRefused, "does not know"),
    (429, body("rate_limit_error"), ProviderBusy, "limiting"),
    (504, body("timeout_error"), ProviderTimeout, "too long"),
    (408, b"", ProviderTimeout, "too long"),
    (529, body("overloaded_error"), ProviderRefused, "overloaded"),
    (500, b"<html>", ProviderRefused, "status 500"),
    (503, b"", ProviderRefused, "status 503"),
]


@pytest.mark.parametrize(("status", "told", "kind", "says"), READ)
def test_whose_fault_it_is(
    status: int, told: bytes, kind: type[Fault], says: str
) -> None:
    fault = read_error(status, {}, told)
    assert type(fault) is kind
    assert says in fault.message


@pytest.mark.parametrize(
    "text",
    [
        "prompt is too long: 210000 tokens > 200000 maximum",
        "input length and `max_tokens` exceed context limit: 190000 + 32000 > 200000",
    ],
)
def test_a_prompt_that_is_too_long_is_recognised(text: str) -> None:
    fault = read_error(400, {}, body("invalid_request_error", text))
    assert fault.code == "context_length_exceeded"
    assert fault.message == text


def test_when_to_come_back() -> None:
    assert read_error(429, {"retry-after": "7"}, b"").retry_after == 7


def test_no_secret_and_no_address_is_passed_on() -> None:
    text = "See https://api.example/x, key sk-ant-api03-abc123 of req_011CSHoEe"
    fault = read_error(400, {}, body("invalid_request_error", text))
    for word in ("api.example", "sk-ant", "req_011"):
        assert word not in fault.message


def test_errors_inside_an_answer() -> None:
    def frame(kind: str, text: str) -> ProviderRefused:
        return read_error_frame(
            Raw(json.dumps({"type": kind, "message": text}).encode())
        )

    assert frame("invalid_request_error", "Bad image.").message == "Bad image."
    for kind, text in (
        ("overloaded_error", "Secret."),
        ("invalid_request_error", "Your credit balance is too low"),
    ):
        assert frame(kind, text).message.startswith("The provider reported")
    assert read_error_frame(Raw(b"")).message.startswith("The provider reported")


class Quota(ClientFault):
    status = 403
    code = "insufficient_quota"


RENDERED: list[tuple[Fault, int, str]] = [
    (BadRequest("x", param="p"), 400, "invalid_request_error"),
    (InvalidKey(), 401, "authentication_error"),
    (ModelDenied("x"), 403, "permission_error"),
    (Quota("x"), 403, "billing_error"),
    (ModelNotFound("x"), 404, "not_found_error"),
    (TooLarge("x"), 413, "request_too_large"),
    (Unprocessable("x"), 422, "invalid_request_error"),
    (ProviderBusy("x", retry_after=3), 429, "rate_limit_error"),
    (OwnFault(), 500, "api_error"),
    (Unimplemented("x"), 501, "invalid_request_error"),
    (ProviderCut("x"), 502, "api_error"),
    (ProviderTimeout("x"), 502, "timeout_error"),
    (Overloaded("x"), 503, "overloaded_error"),
]


@pytest.mark.parametrize(("fault", "status", "kind"), RENDERED)
def test_what_a_client_is_told(fault: Fault, status: int, kind: str) -> None:
    answer = render_error(fault)
    told = json.loads(answer.body)
    assert (answer.status, told["error"]["type"]) == (status, kind)
    assert told["error"]["message"] == fault.message
    if kind != "request_too_large":  # newer than the document
        assert error_errors(told) == []


def test_the_headers_of_a_refusal() -> None:
    busy = render_error(ProviderBusy("x", retry_after=3)).headers
    assert busy["retry-after"] == "3"
    assert busy["x-should-retry"] == "true"
    assert render_error(InvalidKey()).headers["x-should-retry"] == "false"


@given(st.integers(300, 599), st.binary() | st.binary().map(lambda b: b'{"error":' + b))
def test_any_answer_outside_2xx_is_a_fault(status: int, told: bytes) -> None:
    fault = read_error(status, {}, told)
    assert isinstance(fault, ClientFault | ProviderFault)
    assert fault.status != 401
