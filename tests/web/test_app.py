"""Every route and every way to go wrong on one."""

import re

from twisted.internet.defer import CancelledError

import pytest
from support.answered import Answered
from support.gateway import KEY, Gateway

from lightweight.config.schema import Config
from lightweight.records import Identity

REQUEST_ID = re.compile(r"req_[0-9a-f]{24}")


def asked(
    gateway: Gateway, method: str, path: str, **more: object
) -> tuple[Answered, bytes]:
    client = gateway.connect()
    client.ask(method, path, **more)  # type: ignore[arg-type]  # passed on as given
    return client.answer(head_only=method == "HEAD"), client.received


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/v1", 404, "not_found"),
        ("POST", "/v1/nothing", 404, "not_found"),
        ("GET", "//v1//models", 404, "not_found"),
        ("GET", "/v1/models/absent", 404, "model_not_found"),
        ("GET", "/static/../app.py", 404, "not_found"),
        ("GET", "/static/app.py", 404, "not_found"),
        ("GET", "/v1/chat/completions", 405, "method_not_allowed"),
        ("DELETE", "/healthz", 405, "method_not_allowed"),
        ("BREW", "/v1/models", 405, "method_not_allowed"),
        ("POST", "/v1/chat/completions", 400, None),
        ("GET", "/%ff", 400, None),
        ("GET", "/v1/%c3%28", 400, None),
        ("OPTIONS", "*", 400, None),
        ("GET", "http://elsewhere/v1/models", 400, None),
        ("get", "/v1/models", 501, "not_implemented"),
    ],
)
def test_every_error_is_openais_envelope(
    method: str, path: str, status: int, code: str | None
) -> None:
    gateway = Gateway()
    answer, _ = asked(gateway, method, path)
    assert answer.status == status
    assert answer.headers["content-type"] == "application/json"
    assert REQUEST_ID.fullmatch(answer.headers["x-request-id"])
    assert "server" not in answer.headers
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["type"] == "invalid_request_error"
    assert error["code"] == code
    assert gateway.visit.status == status
    assert gateway.visit.request_id == answer.headers["x-request-id"]


def test_a_405_says_what_is_allowed() -> None:
    answer, _ = asked(Gateway(), "GET", "/v1/chat/completions")
    assert answer.headers["allow"] == "POST"
    answer, _ = asked(Gateway(), "POST", "/healthz")
    assert answer.headers["allow"] == "GET, HEAD"


def test_what_is_wrong_with_a_key_cannot_be_told() -> None:
    """Missing, malformed, unknown, revoked, two keys: byte for byte one answer."""
    revoked = Gateway()
    client = revoked.connect()
    del revoked.keys.held[KEY]
    client.ask("GET", "/v1/models")
    answers = {client.received}
    for headers in (
        {},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic bHc6bHc="},
        {"Authorization": KEY},
        {"Authorization": "Bearer lw-unknown"},
        {"x-api-key": ""},
        {"x-api-key": "lw-unknown"},
        {"x-api-key": KEY, "Authorization": "Bearer lw-stored"},
    ):
        _, received = asked(
            Gateway(), "GET", "/v1/models", key=None, headers=dict(headers)
        )
        answers.add(received)
    without_date = {re.sub(rb"Date: [^\r]+", b"", one) for one in answers}
    # Each gateway counts its ids from one, so even these are the same.
    assert len(without_date) == 1
    assert without_date.pop().startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/models", "/v1/models/x"])
def test_no_route_of_the_api_runs_without_a_key(path: str) -> None:
    gateway = Gateway()
    method = "POST" if path.endswith("completions") else "GET"
    answer, _ = asked(gateway, method, path, key=None)
    assert answer.status == 401
    assert answer.headers["x-should-retry"] == "false"
    assert gateway.visit.account_id is None


def test_request_ids_are_unique() -> None:
    gateway = Gateway()
    client = gateway.connect()
    for _ in range(5):
        client.ask("GET", "/healthz")
        client.ask("GET", "/nothing")
    ids = re.findall(rb"X-Request-Id: (\S+)", client.received)
    assert len(set(ids)) == 10
    assert len(gateway.visits) == 10


def test_a_head_has_no_body() -> None:
    for path, status in (("/", 200), ("/healthz", 200), ("/nothing", 404)):
        answer, received = asked(Gateway(), "HEAD", path, key=None)
        assert answer.status == status
        assert received.endswith(b"\r\n\r\n")
        assert received.count(b"\r\n\r\n") == 1


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_front_leads_browsers_to_the_docs(method: str) -> None:
    client = Gateway().connect()
    client.ask(method, "/", headers={"Accept": "text/html,*/*;q=0.8"}, key=None)
    answer = client.answer(head_only=method == "HEAD")
    assert (answer.status, answer.headers["location"]) == (302, "/docs")


@pytest.mark.parametrize("headers", [{}, {"Accept": "*/*"}])
def test_the_front_tells_clients_that_somebody_is_here(headers: dict[str, str]) -> None:
    """As Claude Code asks: HEAD says what GET would, without its body."""
    told = []
    for method in ("HEAD", "GET"):
        client = Gateway().connect()
        client.ask(method, "/", headers=headers, key=None)
        told.append(client.answer(head_only=method == "HEAD"))
    head, get = told
    assert (head.status, get.status) == (200, 200)
    assert get.body.startswith(b"Lightweight is running.")
    assert (head.headers["content-length"], head.headers["vary"]) == (
        str(len(get.body)),
        "Accept",
    )


def test_a_cancelled_handler_is_cut_in_silence() -> None:
    gateway = Gateway()

    async def cancelled(presented: str) -> Identity | None:
        raise CancelledError

    gateway.keys.identify = cancelled  # type: ignore[method-assign]  # the cancel
    client = gateway.connect()
    client.ask("GET", "/v1/models", key="lw-unknown")
    assert client.wire.aborted
    assert client.received == b""
    gateway.turn()
    assert gateway.visit.status == 499


# -- probes ------------------------------------------------------------------------


def test_probes_need_no_key() -> None:
    gateway = Gateway()
    assert asked(gateway, "GET", "/healthz", key=None)[0].json() == {"status": "ok"}
    assert asked(gateway, "GET", "/readyz", key=None)[0].status == 200


def test_a_failed_check_makes_it_not_ready_but_alive() -> None:
    gateway = Gateway()
    gateway.checks["draining"] = lambda: "The server is stopping."
    answer, _ = asked(gateway, "GET", "/readyz", key=None)
    assert answer.status == 503
    assert answer.json()["checks"]["draining"]["why"] == "The server is stopping."
    assert asked(gateway, "GET", "/healthz", key=None)[0].status == 200


def test_providers_that_are_left_alone_are_named() -> None:
    gateway = Gateway()
    breaker = gateway.standings["one"].breaker
    for _ in range(5):
        breaker.failed(breaker.enter(0), 0)
    answer, _ = asked(gateway, "GET", "/readyz", key=None)
    assert answer.status == 200
    assert answer.json()["left_alone"] == {"one": {"wait": 5.0}}


# -- CORS --------------------------------------------------------------------------

ORIGIN = {"Origin": "https://app.example"}


def test_a_page_may_read_answers_and_errors_of_the_api() -> None:
    for method, path, status in (
        ("GET", "/v1/models", 200),
        ("GET", "/v1/nothing", 404),
        ("GET", "/v1/%ff", 400),
        ("GET", "/api/tags", 200),
    ):
        answer, _ = asked(Gateway(), method, path, headers=ORIGIN)
        assert answer.status == status
        assert answer.headers["access-control-allow-origin"] == "*"
        exposed = answer.headers["access-control-expose-headers"]
        assert exposed.startswith("x-request-id, retry-after, retry-after-ms, ")
        assert "x-ratelimit-remaining-requests" in exposed
        assert "access-control-allow-credentials" not in answer.headers


def test_a_preflight_needs_no_key() -> None:
    gateway = Gateway()
    headers = {
        **ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,x-stainless-os",
    }
    answer, _ = asked(
        gateway, "OPTIONS", "/v1/chat/completions", key=None, headers=headers
    )
    assert answer.status == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    allowed = answer.headers["access-control-allow-headers"]
    assert allowed == "authorization,x-stainless-os"
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "x-request-id" in answer.headers
    assert gateway.visit.status == 204


def test_nothing_else_is_open_to_pages() -> None:
    for path in ("/healthz", "/docs", "/v1x", "/"):
        answer, _ = asked(Gateway(), "GET", path, headers=ORIGIN)
        assert not [name for name in answer.headers if name.startswith("access-")]
    answer, _ = asked(Gateway(), "OPTIONS", "/healthz", headers=ORIGIN)
    assert answer.status == 405


def test_header_fields_may_be_any_bytes() -> None:
    gateway = Gateway(Config(cors_origins=("https://app.example",)))
    client = gateway.connect()
    client.ask("GET", "/v1/models", headers={"Origin": "\xff", "X-Any": "\xff"})
    assert client.answer().status == 200


def test_origins_are_configuration() -> None:
    gateway = Gateway(Config(cors_origins=("https://app.example",)))
    answer, _ = asked(gateway, "GET", "/v1/models", headers=ORIGIN)
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    assert answer.headers["vary"] == "Origin"
    other = {"Origin": "https://evil.example"}
    answer, _ = asked(gateway, "GET", "/v1/models", headers=other)
    assert "access-control-allow-origin" not in answer.headers


# -- pages -------------------------------------------------------------------------


def test_the_docs_and_their_files_are_served() -> None:
    gateway = Gateway()
    answer, _ = asked(gateway, "GET", "/docs", key=None)
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/html")
    page = answer.body.decode()
    assert "http://gateway.example/v1" in page
    files = set(re.findall(r'(?:href|src)="(static/[^"]+)"', page))
    assert files
    for name in files:
        # Relative to /docs.
        assert asked(gateway, "GET", f"/{name}", key=None)[0].status == 200


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("ai.example:8080", "http://ai.example:8080/v1"),
        ("[::1]:8080", "http://[::1]:8080/v1"),
        ("evil.example'x", "http://localhost/v1"),
        ("a&b", "http://localhost/v1"),
        ("", "http://localhost/v1"),
    ],
)
def test_the_docs_show_the_address_that_was_asked(host: str, shown: str) -> None:
    answer, _ = asked(Gateway(), "GET", "/docs", headers={"Host": host})
    assert answer.status == 200
    assert shown in answer.body.decode()
    if shown == "http://localhost/v1":
        assert f"//{host}/" not in answer.body.decode()


def test_a_public_url_wins_over_the_host() -> None:
    gateway = Gateway(Config(public_url="https://ai.example.org"))
    answer, _ = asked(gateway, "GET", "/docs")
    assert "https://ai.example.org/v1" in answer.body.decode()
    assert "gateway.example" not in answer.body.decode()
