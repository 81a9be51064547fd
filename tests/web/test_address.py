from ipaddress import ip_network

import pytest
from support.gateway import Gateway

from lightweight.config.schema import Config
from lightweight.web.address import address_of
from lightweight.web.site_request import GatewayRequest


def address(config: Config, **headers: str) -> str:
    gateway = Gateway(config)
    told: list[str] = []

    def look(request: object, _length: int | None) -> None:
        assert isinstance(request, GatewayRequest)
        told.append(address_of(request, gateway.runtime))

    gateway.site.gate = look
    client = gateway.connect()
    client.ask("GET", "/healthz", headers=headers)
    return told[0]


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("ai.example.org", "http://ai.example.org"),
        ("[::1]:8080", "http://[::1]:8080"),
        ("a_b.example", "http://localhost"),
    ],
)
def test_the_address_is_the_hosts(host: str, told: str) -> None:
    assert address(Config(), Host=host) == told


def test_the_operators_word_goes_first() -> None:
    config = Config(public_url="https://ai.example.org")
    assert address(config, Host="other") == "https://ai.example.org"


def test_a_trusted_proxy_tells_of_tls() -> None:
    sent = {"Host": "ai.example.org", "X-Forwarded-Proto": "https"}
    assert address(Config(), **sent) == "http://ai.example.org"
    trusting = Config(trusted_proxies=(ip_network("192.0.2.0/24"),))
    assert address(trusting, **sent) == "https://ai.example.org"
