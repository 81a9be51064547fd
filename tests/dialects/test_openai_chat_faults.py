import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from support.openai_schema import error_errors

from lightweight.dialects.openai_chat_faults import (
    envelope,
    read_error,
    read_error_frame,
    render_error,
)
from lightweight.errors import (
    BadRequest,
    Fault,
    InvalidKey,
    Overloaded,
    OwnFault,
    ProviderBusy,
    ProviderFault,
    ProviderRefused,
    ProviderTimeout,
    TooLarge,
    Unprocessable,
)


def body(**error: Any) -> bytes:
    return json.dumps({"error": error}).encode()


# (status, body, the fault, a piece of its message, param, code)
JUDGED: list[tuple[int, bytes, type[Fault], str, str | None, str | None]] = [
    (
        400,
        body(message="Too long.", param="messages", code="context_length_exceeded"),
        BadRequest,
        "Too long.",
        "messages",
        "context_length_exceeded",
    ),
    (400, body(message="No.", code=400, param=5), BadRequest, "No.", None, None),
    (400, body(message="No.", code="a b"), BadRequest, "No.", None, None),
    (
        400,
        body(message="Too long.", type="exceed_context_size_error", code=400),
        BadRequest,
        "Too long.",
        None,
        "context_length_exceeded",
    ),
    (
        400,
        b'[{"error":{"code":400,"message":"Bad.","status":"INVALID_ARGUMENT"}}]',
        BadRequest,
        "Bad.",
        None,
        None,
    ),
    (400, b'{"error":"just text"}', BadRequest, "just text", None, None),
    (400, b'{"object":"error","message":"Top."}', BadRequest, "Top.", None, None),
    (400, b'{"detail":"Framework."}', BadRequest, "Framework.", None, None),
    (400, b'{"detail":[{"loc":["body"]}]}', BadRequest, "no reason", None, None),
    (400, b"<html>Bad</html>", BadRequest, "no reason", None, None),
    (400, b"", BadRequest, "no reason", None, None),
    (400, b"\xff", BadRequest, "no reason", None, None),
    (400, b"[]", BadRequest, "no reason", None, None),
    (400, b'{"error":[1]}', BadRequest, "no reason", None, None),
    (400, b"[" * 100_000, BadRequest, "no reason", None, None),
    (400, b'{"error":{"message":"cut sho', BadRequest, "no reason", None, None),
    (413, body(message="Big."), TooLarge, "Big.", None, "request_too_large"),
    (422, body(message="Hm.", code="c"), Unprocessable, "Hm.", None, "c"),
    (
        400,
        body(message="API key not valid. Please pass a valid API key."),
        ProviderRefused,
        "gateway's credential",
        None,
        "upstream_error",
    ),
    (
        400,
        body(message="x", code="invalid_api_key"),
        ProviderRefused,
        "gateway's credential",
        None,
        "upstream_error",
    ),
    (
        400,
        body(message="Unknown tool get_api_key."),
        BadRequest,
        "get_api_key",
        None,
        None,
    ),
    (
        401,
        body(message="Incorrect API key provided: sk-abcd1234", code="x"),
        ProviderRefused,
        "gateway's credential",
        None,
        "upstream_error",
    ),
    (403, b"", ProviderRefused, "gateway's credential", None, "upstream_error"),
    (404, body(message="No m."), ProviderRefused, "model", None, "upstream_error"),
    (402, body(message="Pay."), ProviderRefused, "402", None, "upstream_error"),
    (408, b"", ProviderTimeout, "too long", None, "upstream_timeout"),
    (504, b"", ProviderTimeout, "too long", None, "upstream_timeout"),
    (500, body(message="Trace"), ProviderRefused, "500", None, "upstream_error"),
    (502, b"<html>", ProviderRefused, "502", None, "upstream_error"),
    (529, b"", ProviderRefused, "529", None, "upstream_error"),
    (302, b"", ProviderRefused, "302", None, "upstream_error"),
    (429, b"", ProviderBusy, "limiting", None, "rate_limit_exceeded"),
    (
        429,
        body(message="Quota", code="insufficient_quota"),
        ProviderRefused,
        "more use",
        None,
        "upstream_error",
    ),
    (
        429,
        body(message="Quota", type="insufficient_quota"),
        ProviderRefused,
        "more use",
        None,
        "upstream_error",
    ),
]


@pytest.mark.parametrize(("status", "data", "kind", "text", "param", "code"), JUDGED)
def test_whose_fault_it_is(
    status: int,
    data: bytes,
    kind: type[Fault],
    text: str,
    param: str | None,
    code: str | None,
) -> None:
    fault = read_error(status, {}, data)
    assert type(fault) is kind
    assert text in fault.message
    assert (fault.param, fault.code) == (param, code)
    if issubclass(kind, ProviderFault) and data:
        assert "Trace" not in fault.message
        assert "sk-" not in fault.message


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("20", 20),
        (" 0.2 ", 1),
        ("1.5", 2),
        ("0", 1),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 1),
        ("inf", 1),
        ("-5", 1),
        ("9" * 400, 1),
        ("", 1),
    ],
)
def test_when_to_come_back(told: str, seconds: int) -> None:
    assert read_error(429, {"retry-after": told}, b"").retry_after == seconds
    assert read_error(429, {}, b"").retry_after == 1


@pytest.mark.parametrize("status", [503, 529])
def test_a_provider_that_says_when_it_has_room_is_limiting(status: int) -> None:
    fault = read_error(status, {"retry-after": "20"}, b"")
    assert isinstance(fault, ProviderBusy)
    assert fault.retry_after == 20
    assert not isinstance(read_error(status, {}, b""), ProviderBusy)
    assert not isinstance(read_error(500, {"retry-after": "20"}, b""), ProviderBusy)


SECRETS = [
    "sk-proj-abc123DEF456",
    "sk-ant-api03-abc",
    "sk-ab***************9xYz",
    "lw-Ab3dE5fG",
    "org-a1B2c3D4",
    "proj_a1B2c3D4",
    "gsk_a1b2c3d4",
    "xai-a1b2c3d4",
    "AIzaSyA-b_c",
    "Bearer abc.def",
    "https://internal.example:8443/v1?key=1",
    "http://10.0.0.1/v1",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_secrets_are_taken_out(secret: str) -> None:
    said = {"message": f"Bad thing {secret} here.", "param": secret, "code": "c"}
    for fault in (
        read_error(400, {}, body(**said)),
        read_error_frame(Raw(json.dumps({**said, "code": 400}).encode())),
    ):
        assert secret not in fault.message
        assert "Bad thing [removed] here." in fault.message
        assert secret not in (fault.param or "")
    assert read_error(400, {}, body(message="x", code="sk-abcd1234")).code is None


def test_ordinary_words_stay() -> None:
    text = "Unknown value key_word for org-wide max_tokens; sk-learn is no tool."
    assert read_error(400, {}, body(message=text)).message == text


def test_a_long_message_is_cut() -> None:
    assert len(read_error(400, {}, body(message="x" * 100_000)).message) == 2000


# (an error frame, what the client reads)
FRAMES = [
    (b'{"message":"Too long.","code":"context_length_exceeded"}', "Too long."),
    (b'{"message":"Too long.","code":400}', "Too long."),
    (b'{"message":"Bad.","type":"invalid_request_error"}', "Bad."),
    (b'{"type":"invalid_request_error"}', "reported an error"),
    (b'{"message":"Key sk-abc1","code":401}', "reported an error"),
    (b'{"message":"Host db1 died","type":"server_error"}', "reported an error"),
    (b'{"message":"Your API key is bad","code":400}', "reported an error"),
    (b'{"message":"Pay","code":"insufficient_quota"}', "reported an error"),
    (b'"text"', "reported an error"),
    (b"7", "reported an error"),
    (b'{"a":"\xff"}', "reported an error"),
]


@pytest.mark.parametrize(("frame", "text"), FRAMES)
def test_an_error_inside_an_answer(frame: bytes, text: str) -> None:
    fault = read_error_frame(Raw(frame))
    assert type(fault) is ProviderRefused
    assert text in fault.message
    for secret in ("sk-abc1", "db1", "API key", "Pay"):
        assert secret not in fault.message


@given(st.integers(300, 599), st.binary())
def test_any_error_answer_is_a_fault(status: int, data: bytes) -> None:
    assert isinstance(read_error(status, {}, data), Fault)
    assert isinstance(read_error_frame(Raw(data)), ProviderRefused)


# (fault, status, headers beside content-type)
RENDERED: list[tuple[Fault, int, dict[str, str]]] = [
    (BadRequest("x", param="n", code="c"), 400, {"x-should-retry": "false"}),
    (InvalidKey(), 401, {"x-should-retry": "false"}),
    (ProviderRefused("x"), 502, {}),
    (OwnFault(), 500, {}),
    (
        ProviderBusy("x", retry_after=20),
        429,
        {"retry-after": "20", "retry-after-ms": "20000", "x-should-retry": "true"},
    ),
    (
        ProviderBusy("x"),
        429,
        {"retry-after": "1", "retry-after-ms": "1000", "x-should-retry": "true"},
    ),
    (
        Overloaded("x", retry_after=0),
        503,
        {"retry-after": "1", "retry-after-ms": "1000", "x-should-retry": "true"},
    ),
]


@pytest.mark.parametrize(("fault", "status", "headers"), RENDERED)
def test_what_a_client_is_told(
    fault: Fault, status: int, headers: dict[str, str]
) -> None:
    answer = render_error(fault)
    assert answer.status == status
    assert answer.headers == {"content-type": "application/json", **headers}
    told = json.loads(answer.body)
    assert told == {
        "error": {
            "message": fault.message,
            "type": fault.type,
            "param": fault.param,
            "code": fault.code,
        }
    }
    assert error_errors(told) == []
    assert envelope(fault) == answer.body
