"""Parsers of single values: what each one must be, in a sentence.

Each takes a plain TOML value and gives what the schema holds, or raises ValueError,
whose text continues a sentence about the value and never repeats it.
"""

import re
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from lightweight.config.redis import parse_redis_url
from lightweight.config.secret import Secret
from lightweight.config.units import parse_duration, parse_size, parse_tokens
from lightweight.config.words import mismatch, suggestion

_ENDPOINTS = ("tcp", "tcp6", "unix", "ssl", "tls", "systemd", "haproxy")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_MODEL_ID = re.compile(r"[!-~]{1,256}", re.ASCII)
_QUIRK = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#@\s]+", re.ASCII)
_SCOPE = re.compile(r"[!#-\[\]-~]+", re.ASCII)
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*", re.ASCII)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_LAST_PORT = 65535
_MOST = 10**15
_MICRO = Decimal(1_000_000)
_MOST_USD = Decimal(1_000_000_000)


_DAY = 86_400.0


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise mismatch(what, value)
    return value


def endpoint(value: object) -> str:
    """Check the shape of a Twisted server endpoint string."""
    what = 'an endpoint string such as "tcp:8080:interface=127.0.0.1"'
    kind, colon, rest = _text(value, what).partition(":")
    if not colon or not rest:
        raise ValueError(f"must be {what}")
    if kind not in _ENDPOINTS:
        known = ", ".join(_ENDPOINTS)
        hint = suggestion(kind, _ENDPOINTS)
        raise ValueError(f"must be {what}; it begins with one of {known}{hint}")
    if kind in {"tcp", "tcp6", "ssl"}:
        parts = re.split(r"(?<!\\):", rest)
        ports = [part for part in parts if "=" not in part or part[:5] == "port="]
        number = ports[0].removeprefix("port=") if ports else ""
        if not re.fullmatch("[0-9]{1,5}", number) or int(number) > _LAST_PORT:
            raise ValueError(f"must have a port from 0 to 65535 after {kind!r}")
    return _text(value, what)


def absolute_path(value: object) -> Path:
    """Check a path that must not depend on the working directory."""
    path = Path(_text(value, "an absolute path"))
    if not path.is_absolute() or "\0" in str(path):
        raise ValueError('must be an absolute path such as "/var/lib/lightweight"')
    return path


def workers(value: object) -> int | Literal["auto"]:
    """Check a number of worker processes."""
    if value == "auto":
        return "auto"
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError('must be a whole number of at least 1, or "auto"')
    return value


def positive(value: object) -> int:
    """Check a number of things of which there must be one."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise mismatch("a whole number", value)
    if not 1 <= value <= _MOST:
        raise ValueError("must be at least 1 and at most 10^15")
    return value


def limit(value: object) -> int:
    """Check a limit: zero would mean nothing to one reader and no limit to another."""
    if value == 0 and isinstance(value, int) and not isinstance(value, bool):
        raise ValueError("must be at least 1; leave it out for no limit")
    return positive(value)


def duration(value: object) -> float:
    """Check a duration that may be nothing."""
    return parse_duration(value)


def some_time(value: object) -> float:
    """Check a duration that must not be nothing."""
    seconds = parse_duration(value)
    if seconds <= 0:
        raise ValueError("must be longer than nothing")
    return seconds


def some_days(value: object) -> float:
    """Check a duration of a day at least."""
    seconds = parse_duration(value)
    if seconds < _DAY:
        raise ValueError("must be at least 1d")
    return seconds


def some_size(value: object) -> int:
    """Check a size of at least one byte."""
    size = parse_size(value)
    if size < 1:
        raise ValueError("must be at least 1B")
    return size


def _url(value: object) -> SplitResult:
    what = 'a URL such as "https://ai.example.org"'
    text = _text(value, what)
    try:
        parts = urlsplit(text)
        usable = parts.port != 0 and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable or not re.fullmatch(r"[!-~]+", text):
        raise ValueError(f"must be {what}")
    if parts.scheme not in {"http", "https"}:
        raise ValueError("must begin with http:// or https://")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not contain a user or password")
    if "?" in text or "#" in text:
        raise ValueError("must not contain a query or fragment")
    return parts


def web_url(value: object) -> str:
    """Check an http(s) URL without query; a slash at its end is dropped."""
    return _url(value).geturl().rstrip("/")


def issuer(value: object) -> str:
    """Check the URL of a provider of OpenID Connect; a slash at its end belongs to it.

    OpenID Connect Discovery 1.0, section 3.
    """
    parts = _url(value)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise ValueError("must begin with https://")
    return _text(value, "a URL")


def scope(value: object) -> str:
    """Check a scope (RFC 6749, section 3.3)."""
    text = _text(value, 'a scope such as "email"')
    if not _SCOPE.fullmatch(text):
        raise ValueError('must be a scope such as "email"')
    return text


def domain(value: object) -> str:
    """Check the domain of e-mail addresses."""
    text = _text(value, 'a domain such as "example.org"').lower()
    if not _DOMAIN.fullmatch(text):
        raise ValueError('must be a domain such as "example.org", without an @')
    return text


def network(value: object) -> IPv4Network | IPv6Network:
    """Check an address or network in CIDR notation."""
    text = _text(value, 'a network such as "127.0.0.1/32"')
    try:
        return ip_network(text)
    except ValueError:
        pass
    try:
        meant = ip_network(text, strict=False)
    except ValueError:
        raise ValueError('must be a network such as "10.0.0.0/8"') from None
    raise ValueError(f"has bits set behind its prefix, did you mean '{meant}'?")


def origin(value: object) -> str:
    """Check a CORS origin: ``*`` or scheme, host and port."""
    text = _text(value, '"*" or an origin such as "https://app.example.org"')
    if text == "*" or _ORIGIN.fullmatch(text):
        return text
    raise ValueError(
        'must be "*" or an origin such as "https://app.example.org": '
        "scheme, host and port in lower case, no path"
    )


def name(value: object) -> str:
    """Check a name of ours: of a provider, a preset or a tier."""
    text = _text(value, "a name")
    if not _NAME.fullmatch(text):
        raise ValueError(
            "must be a name of at most 64 letters, digits, dots, dashes and underscores"
        )
    return text


def model_id(value: object) -> str:
    """Check a model's id, ours or a provider's."""
    text = _text(value, "a model id")
    if not _MODEL_ID.fullmatch(text):
        raise ValueError("must be 1 to 256 ASCII characters without spaces")
    return text


def quirk(value: object) -> str:
    """Check the form of a quirk's or capability's name; its meaning is elsewhere."""
    text = _text(value, "a name")
    if not _QUIRK.fullmatch(text):
        raise ValueError("must be a name such as drop_strict: lower case, underscores")
    return text


def context(value: object) -> str:
    """Check a context window and give it as people write it."""
    parse_tokens(value)
    return str(value)


def printable(value: object) -> str:
    """Check a name that people read."""
    text = _text(value, "a name")
    if not text or not text.isprintable():
        raise ValueError("must be printable text")
    return text


def day(value: object) -> date:
    """Check a day: a TOML date or the same as a string."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(_text(value, "a date such as 2026-12-31"))
    except ValueError:
        raise ValueError("must be a date such as 2026-12-31") from None


def micro_usd(value: object) -> int:
    """Check an amount in US dollars and give it in millionths."""
    dollars = _dollars(value)
    if not dollars.is_finite() or dollars <= 0 or dollars > _MOST_USD:
        raise ValueError("must be above 0 and at most 1000000000 dollars")
    return _millionths(dollars)


def price(value: object) -> int:
    """Check a price in US dollars, which may be nothing; give it in millionths."""
    dollars = _dollars(value)
    if not dollars.is_finite() or dollars < 0 or dollars > _MOST_USD:
        raise ValueError("must be at least 0 and at most 1000000000 dollars")
    return _millionths(dollars)


def _dollars(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise mismatch('dollars such as "10.50"', value)
    try:
        # A float's shortest form is what stands in the file.
        return Decimal(str(value) if isinstance(value, float) else value)
    except InvalidOperation:
        raise ValueError('must be dollars such as "10.50"') from None


def _millionths(dollars: Decimal) -> int:
    if dollars * _MICRO != int(dollars * _MICRO):
        raise ValueError("must not be finer than a millionth of a dollar")
    return int(dollars * _MICRO)


def redis_url(value: Secret) -> Secret:
    """Check a Redis URL, which may hold a password."""
    # A command that does not need it was not given it.
    if value.reveal():
        parse_redis_url(value.reveal())
    return value


def database_url(value: Secret) -> Secret:
    """Check the scheme of a database URL, which may hold a password."""
    shown = "postgresql://lightweight@/lightweight"
    return _of_scheme(value, ("postgresql", "postgresql+psycopg", "sqlite"), shown)


def _of_scheme(value: Secret, schemes: tuple[str, ...], shown: str) -> Secret:
    scheme, found, rest = value.reveal().partition("://")
    if not found or not rest or scheme not in schemes:
        known = ", ".join(schemes)
        raise ValueError(f'must be a URL such as "{shown}" (schemes: {known})')
    return value
