"""X-Forwarded-For is believed from trusted proxies only."""

from ipaddress import ip_network

import pytest

from lightweight.web.forwarded import client_address, client_scheme_is_https

TRUSTED = (ip_network("127.0.0.1/32"), ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("127.0.0.1", None, "127.0.0.1"),
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("203.0.113.1", "192.0.2.1", "203.0.113.1"),
        ("127.0.0.1", "192.0.2.1, 203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "192.0.2.1, 203.0.113.9, 10.1.1.1", "203.0.113.9"),
        ("127.0.0.1", "10.2.2.2, 10.1.1.1", "10.2.2.2"),
        ("::ffff:127.0.0.1", "203.0.113.9:4711", "203.0.113.9"),
        ("fd00::1", "[2001:db8::1]:443", "2001:db8::1"),
        ("127.0.0.1", "2001:DB8::1", "2001:db8::1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.9, unknown", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.9, <script>", "127.0.0.1"),
        ("127.0.0.1", "fe80::1%<b>", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.9, 10.1.1.1, nobody", "127.0.0.1"),
        ("", "203.0.113.9", ""),
    ],
)
def test_the_last_address_that_a_trusted_proxy_wrote(
    peer: str, forwarded: str | None, expected: str
) -> None:
    assert client_address(peer, forwarded, TRUSTED) == expected


def test_without_trusted_proxies_nothing_is_believed() -> None:
    assert client_address("127.0.0.1", "203.0.113.9", ()) == "127.0.0.1"


@pytest.mark.parametrize(
    ("peer", "forwarded", "https"),
    [
        ("127.0.0.1", "https", True),
        ("127.0.0.1", " HTTPS ", True),
        ("127.0.0.1", "https, https", True),
        ("127.0.0.1", "https,http", False),
        ("127.0.0.1", "http", False),
        ("127.0.0.1", "", False),
        ("127.0.0.1", None, False),
        ("203.0.113.1", "https", False),
        ("", "https", False),
    ],
)
def test_tls_is_believed_of_trusted_proxies_only(
    peer: str, forwarded: str | None, *, https: bool
) -> None:
    assert client_scheme_is_https(peer, forwarded, TRUSTED) is https
