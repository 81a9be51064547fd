from collections.abc import Callable
from datetime import UTC, date, datetime
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any

import pytest

from lightweight.config import values as v
from lightweight.config.secret import Secret

Parser = Callable[[Any], object]


@pytest.mark.parametrize(
    ("parse", "value", "result"),
    [
        (v.endpoint, "tcp:0", "tcp:0"),
        (v.endpoint, "tcp:port=80:interface=\\:\\:1", "tcp:port=80:interface=\\:\\:1"),
        (v.endpoint, "tcp:interface=127.0.0.1:80", "tcp:interface=127.0.0.1:80"),
        (v.endpoint, "unix:/run/x.sock", "unix:/run/x.sock"),
        (v.endpoint, "ssl:443:privateKey=k", "ssl:443:privateKey=k"),
        (v.endpoint, "systemd:domain=INET:name=api", "systemd:domain=INET:name=api"),
        (v.absolute_path, "/var/lib/x", Path("/var/lib/x")),
        (v.workers, 1, 1),
        (v.workers, "auto", "auto"),
        (v.positive, 7, 7),
        (v.limit, 7, 7),
        (v.duration, "0s", 0.0),
        (v.some_time, "1ms", 0.001),
        (v.some_size, "1B", 1),
        (v.web_url, "https://ai.example.org/", "https://ai.example.org"),
        (v.web_url, "http://[::1]:8000/v1", "http://[::1]:8000/v1"),
        (v.issuer, "https://id.example.org/a/", "https://id.example.org/a/"),
        (v.issuer, "http://127.0.0.1:9400", "http://127.0.0.1:9400"),
        (v.scope, "email", "email"),
        (v.domain, "Example.org", "example.org"),
        (v.network, "10.0.0.0/8", IPv4Network("10.0.0.0/8")),
        (v.network, "::1", IPv6Network("::1/128")),
        (v.origin, "*", "*"),
        (v.origin, "https://app.example.org:8443", "https://app.example.org:8443"),
        (v.origin, "app://obsidian.md", "app://obsidian.md"),
        (v.name, "my-own_1.x", "my-own_1.x"),
        (v.model_id, "accounts/x/models/y:free@2", "accounts/x/models/y:free@2"),
        (v.quirk, "drop_strict", "drop_strict"),
        (v.context, "1M+", "1M+"),
        (v.context, 131072, "131072"),
        (v.printable, "Ünder Ltd", "Ünder Ltd"),
        (v.day, date(2026, 12, 31), date(2026, 12, 31)),
        (v.day, "2026-12-31", date(2026, 12, 31)),
        (v.micro_usd, "10.50", 10_500_000),
        (v.micro_usd, 10, 10_000_000),
        (v.micro_usd, 0.1, 100_000),
        (v.micro_usd, "0.000001", 1),
        (v.price, "0", 0),
        (v.price, 0.125, 125_000),
    ],
)
def test_good_values(parse: Parser, value: object, result: object) -> None:
    assert parse(value) == result


ENDPOINT = 'must be an endpoint string such as "tcp:8080:interface=127.0.0.1"'
BEGINS = "; it begins with one of tcp, tcp6, unix, ssl, tls, systemd, haproxy"
URL = 'must be a URL such as "https://ai.example.org"'
ORIGIN = (
    'must be "*" or an origin such as "https://app.example.org": '
    "scheme, host and port in lower case, no path"
)
DOLLARS = "must be above 0 and at most 1000000000 dollars"


@pytest.mark.parametrize(
    ("parse", "value", "message"),
    [
        (v.endpoint, "8080", ENDPOINT),
        (v.endpoint, "localhost:8080", ENDPOINT + BEGINS),
        (v.endpoint, "tpc:8080", f"{ENDPOINT}{BEGINS}, did you mean 'tcp'?"),
        (v.endpoint, "tcp:70000", "must have a port from 0 to 65535 after 'tcp'"),
        (v.endpoint, "tcp:http", "must have a port from 0 to 65535 after 'tcp'"),
        (v.endpoint, 8080, f"{ENDPOINT}, not an integer"),
        (
            v.absolute_path,
            "state",
            'must be an absolute path such as "/var/lib/lightweight"',
        ),
        (
            v.absolute_path,
            "/a\0b",
            'must be an absolute path such as "/var/lib/lightweight"',
        ),
        (v.workers, 0, 'must be a whole number of at least 1, or "auto"'),
        (v.workers, True, 'must be a whole number of at least 1, or "auto"'),
        (v.workers, "many", 'must be a whole number of at least 1, or "auto"'),
        (v.positive, 0, "must be at least 1 and at most 10^15"),
        (v.positive, 1.0, "must be a whole number, not a float"),
        (v.positive, True, "must be a whole number, not a boolean"),
        (v.limit, 0, "must be at least 1; leave it out for no limit"),
        (v.limit, False, "must be a whole number, not a boolean"),
        (v.some_time, "0s", "must be longer than nothing"),
        (v.some_size, "0B", "must be at least 1B"),
        (v.web_url, "ai.example.org", URL),
        (v.web_url, "https://", URL),
        (v.web_url, "https://host:port/", URL),
        (v.web_url, "https://[::1/", URL),
        (v.web_url, "https://a b/", URL),
        (v.web_url, "ftp://host/", "must begin with http:// or https://"),
        (v.web_url, "https://a:b@host", "must not contain a user or password"),
        (v.web_url, "https://host/?a=b", "must not contain a query or fragment"),
        (v.web_url, "https://host/#", "must not contain a query or fragment"),
        (v.web_url, 5, URL + ", not an integer"),
        (v.issuer, "http://id.example.org", "must begin with https://"),
        (
            v.issuer,
            "https://id.example.org/?a=b",
            "must not contain a query or fragment",
        ),
        (v.scope, "openid email", 'must be a scope such as "email"'),
        (
            v.domain,
            "@example.org",
            'must be a domain such as "example.org", without an @',
        ),
        (
            v.network,
            "10.0.0.1/8",
            "has bits set behind its prefix, did you mean '10.0.0.0/8'?",
        ),
        (v.network, "localhost", 'must be a network such as "10.0.0.0/8"'),
        (v.origin, "https://app.example.org/", ORIGIN),
        (v.origin, "app.example.org", ORIGIN),
        (
            v.name,
            "my own",
            (
                "must be a name of at most 64 letters, digits, dots, dashes and "
                "underscores"
            ),
        ),
        (v.model_id, "", "must be 1 to 256 ASCII characters without spaces"),
        (v.model_id, "a b", "must be 1 to 256 ASCII characters without spaces"),
        (
            v.quirk,
            "Drop",
            "must be a name such as drop_strict: lower case, underscores",
        ),
        (
            v.context,
            "big",
            'must be a number of tokens such as "128K", "1M" or 131072',
        ),
        (v.printable, "a\nb", "must be printable text"),
        (v.day, "soon", "must be a date such as 2026-12-31"),
        (v.day, datetime(2026, 1, 1, tzinfo=UTC), "must be a date such as 2026-12-31"),
        (v.micro_usd, "ten", 'must be dollars such as "10.50"'),
        (v.micro_usd, True, 'must be dollars such as "10.50", not a boolean'),
        (v.micro_usd, float("nan"), DOLLARS),
        (v.micro_usd, "sNaN", DOLLARS),
        (v.micro_usd, -1, DOLLARS),
        (v.micro_usd, 0, DOLLARS),
        (v.price, -1, DOLLARS.replace("above", "at least")),
        (v.price, "nan", DOLLARS.replace("above", "at least")),
        (v.price, "x", 'must be dollars such as "10.50"'),
        pytest.param(v.micro_usd, 16**5000, DOLLARS, id="huge"),
        (
            v.micro_usd,
            "0.0000001",
            "must not be finer than a millionth of a dollar",
        ),
    ],
)
def test_bad_values(parse: Parser, value: object, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse(value)
    assert str(caught.value) == message


def test_urls_that_may_hold_a_password_stay_secrets() -> None:
    good = Secret("rediss://:hush@cache:6379/0")
    assert v.redis_url(good) is good
    database = Secret("postgresql+psycopg://u:hush@db/lightweight")
    assert v.database_url(database) is database


@pytest.mark.parametrize("parse", [v.redis_url, v.database_url])
@pytest.mark.parametrize("value", ["hush", "mysql://hush@db/x", "://hush"])
def test_other_urls_are_refused_without_repeating_them(
    parse: Parser, value: str
) -> None:
    with pytest.raises(ValueError, match="must be a URL such as") as caught:
        parse(Secret(value))
    assert "hush" not in str(caught.value)
