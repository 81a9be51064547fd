import json
from typing import Any

import pytest
from msgspec import Raw

from lightweight.dialects.openai_responses_faults import error_code, read_failure
from lightweight.errors import ProviderBusy, ProviderCut, ProviderRefused


def failure(**error: Any) -> Any:
    return read_failure(Raw(json.dumps(error).encode()))


def test_a_limit_is_busy() -> None:
    fault = failure(code="rate_limit_exceeded", message="Try again in 3s.")
    assert isinstance(fault, ProviderBusy)
    assert fault.retry_after == 1


@pytest.mark.parametrize(
    "code", ["invalid_prompt", "context_length_exceeded", "image_too_large"]
)
def test_what_the_client_sent_is_told_to_it(code: str) -> None:
    fault = failure(code=code, message="Too long: see https://x.example/y.")
    assert isinstance(fault, ProviderRefused)
    assert fault.message == "Too long: see [removed]"


def test_the_rest_is_the_operators() -> None:
    fault = failure(code="server_error", message="Disk sda1 is full.")
    assert isinstance(fault, ProviderRefused)
    assert "sda1" not in fault.message


@pytest.mark.parametrize("odd", [b"7", b'"text"', b"[]", b'{"code":7}', b"{", b""])
def test_any_error_is_a_fault(odd: bytes) -> None:
    assert isinstance(read_failure(Raw(odd)), ProviderRefused)


def test_codes() -> None:
    assert error_code(ProviderBusy("b")) == "rate_limit_exceeded"
    assert error_code(ProviderCut("c")) == "server_error"
