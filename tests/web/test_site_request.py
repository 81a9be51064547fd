"""One request: what is logged of it, and what goes wrong outside the app."""

from ipaddress import IPv4Network

from twisted.internet.threads import deferToThread

import pytest
from conftest import LoggedFailures
from support.gateway import Gateway, on_loopback
from support.http import fetch_blocking

from lightweight.config.schema import Config
from lightweight.web.site_request import GatewayRequest, of

NOT_DONE_YET = 1


class Fails:
    """A resource with a bug, before or after its first byte."""

    isLeaf = True

    def __init__(self, *, begins: bool) -> None:
        self._begins = begins

    def render(self, request: GatewayRequest) -> int:
        if self._begins:
            request.write(b"half")
        raise ZeroDivisionError("secret detail")


def test_a_visit_says_who_what_and_how_long() -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.ask("GET", "/v1/models?key=secret")
    visit = gateway.visit
    assert (visit.method, visit.path, visit.status) == ("GET", "/v1/models", 200)
    assert (visit.account_id, visit.key_id) == ("acc_acme", "key_acme")
    assert visit.peer == "192.0.2.7"
    assert visit.sent == len(client.answer().body)
    assert "secret" not in repr(visit)


def test_a_visit_lasts_from_the_first_line_to_the_end() -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.send(b"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n")
    gateway.clock.advance(3)
    client.send(b"{}")
    assert gateway.visit.duration_s == 3


def test_a_client_that_leaves_within_its_body_is_one_visit() -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.send(b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n123")
    client.leave()
    assert (gateway.visit.status, gateway.visit.path) == (499, "/x")


@pytest.mark.parametrize(
    ("trusted", "shown"),
    [("192.0.2.0/24", "203.0.113.9"), ("127.0.0.1/32", "192.0.2.7")],
)
def test_a_visit_names_the_client_that_a_trusted_proxy_names(
    trusted: str, shown: str
) -> None:
    gateway = Gateway(Config(trusted_proxies=(IPv4Network(trusted),)))
    client = gateway.connect()
    client.ask("GET", "/healthz", headers={"X-Forwarded-For": "1.2.3.4, 203.0.113.9"})
    assert gateway.visit.peer == shown


def test_every_line_of_the_proxies_counts() -> None:
    gateway = Gateway(Config(trusted_proxies=(IPv4Network("192.0.2.0/24"),)))
    gateway.connect().send(
        b"GET / HTTP/1.1\r\nHost: x\r\n"
        b"X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 192.0.2.8\r\n\r\n"
    )
    assert gateway.visit.peer == "203.0.113.9"


def test_half_a_head_is_no_request() -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.send(b"POST /v1/x HTTP/1.1\r\nHost: x\r\n")
    client.leave()
    assert gateway.visits == []


def test_a_bug_outside_the_app_is_a_500(logged_failures: LoggedFailures) -> None:
    gateway = Gateway()
    gateway.site.resource = Fails(begins=False)
    client = gateway.connect()
    client.ask("GET", "/")
    answer = client.answer()
    assert answer.status == 500
    assert answer.json()["error"]["type"] == "server_error"
    assert b"secret detail" not in client.received
    assert len(logged_failures.flush(ZeroDivisionError)) == 1
    assert gateway.visit.status == 500


def test_a_bug_after_the_first_byte_cuts(logged_failures: LoggedFailures) -> None:
    gateway = Gateway()
    gateway.site.resource = Fails(begins=True)
    client = gateway.connect()
    client.ask("GET", "/")
    assert client.wire.aborted
    assert not client.answer().whole
    assert len(logged_failures.flush(ZeroDivisionError)) == 1
    gateway.turn()
    assert len(gateway.visits) == 1


def test_what_is_no_request_of_ours_is_refused() -> None:
    with pytest.raises(AssertionError):
        of(object())


async def test_over_a_real_socket() -> None:
    gateway = Gateway()
    async with on_loopback(gateway) as port:
        url = f"http://127.0.0.1:{port}/healthz"
        fetched = await deferToThread(fetch_blocking, url)
    assert fetched.json() == {"status": "ok"}
    assert "server" not in fetched.headers
    assert gateway.visit.peer == "127.0.0.1"
