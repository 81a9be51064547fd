"""Who may read /metrics."""

import pytest
from support.gateway import Gateway

from lightweight.config.schema import Config
from lightweight.config.secret import Secret
from lightweight.errors import AccessDenied
from lightweight.web.metrics import refuse_stranger

TOKEN = Secret("scrape-me-0123456789")
SHOWN = {"authorization": f"Bearer {TOKEN.reveal()}"}


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_loopback_may(peer: str) -> None:
    refuse_stranger(peer, {}, None)
    refuse_stranger(peer, {"authorization": "Bearer lw-some-key"}, TOKEN)


@pytest.mark.parametrize("peer", ["192.0.2.7", "10.0.0.1", "::2", "", "localhost"])
def test_others_may_not(peer: str) -> None:
    for token in (None, TOKEN):
        with pytest.raises(AccessDenied):
            refuse_stranger(peer, {}, token)


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "x-real-ip", "via"])
def test_a_proxy_on_this_machine_speaks_for_strangers(header: str) -> None:
    with pytest.raises(AccessDenied):
        refuse_stranger("127.0.0.1", {header: "127.0.0.1"}, TOKEN)
    refuse_stranger("127.0.0.1", {header: "192.0.2.7", **SHOWN}, TOKEN)


def test_the_token_opens_it_to_anyone() -> None:
    refuse_stranger("192.0.2.7", SHOWN, TOKEN)
    lower = {"authorization": SHOWN["authorization"].replace("Bearer", "bearer")}
    refuse_stranger("192.0.2.7", lower, TOKEN)


@pytest.mark.parametrize(
    "shown",
    [
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        f"Basic {TOKEN.reveal()}",
        TOKEN.reveal(),
        f"Bearer {TOKEN.reveal()}é",
    ],
)
def test_nothing_else_does(shown: str) -> None:
    with pytest.raises(AccessDenied):
        refuse_stranger("192.0.2.7", {"authorization": shown}, TOKEN)


def test_no_token_is_no_empty_token() -> None:
    for shown in ("Bearer", "Bearer ", ""):
        with pytest.raises(AccessDenied):
            refuse_stranger("192.0.2.7", {"authorization": shown}, None)


def test_the_route_lets_no_stranger_in() -> None:
    gateway = Gateway(Config(metrics_token=TOKEN))
    client = gateway.connect()
    client.ask("GET", "/metrics", key=None)

    answer = client.answer()

    assert answer.status == 403
    assert answer.json()["error"]["code"] == "access_denied"
    assert "metrics_token" in answer.json()["error"]["message"]
    assert b"asked for" not in answer.body


def test_the_route_gives_what_suits_the_scraper() -> None:
    gateway = Gateway(Config(metrics_token=TOKEN))
    client = gateway.connect()
    client.ask("GET", "/metrics", headers={"Accept": "text/x"}, key=TOKEN.reveal())

    answer = client.answer()

    assert (answer.status, answer.body) == (200, b"asked for text/x")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4"
    assert answer.headers["cache-control"] == "no-store"
