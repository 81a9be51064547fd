"""What a Redis URL says, in the forms that the world's clients agree on."""

from typing import TypeAlias
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from msgspec import Struct, structs

HostPort: TypeAlias = tuple[str, int]

PORT = 6379
SENTINEL_PORT = 26379
SCHEMES = ("redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel")

_ESCAPED = "write other characters of the user and password as %XX"


class RedisPlace(Struct, frozen=True, kw_only=True):
    """Where a Redis or Valkey server is and who we are there.

    Either ``path`` or ``hosts`` is set. With a ``service`` the hosts are Sentinels,
    which know the server; user, password and TLS are then for Sentinels' servers, and
    TLS for the Sentinels too.
    """

    hosts: tuple[HostPort, ...] = ()
    path: str = ""
    service: str | None = None
    tls: bool = False
    user: str | None = None
    password: str | None = None
    database: int = 0


def parse_redis_url(url: str) -> RedisPlace:
    """Read ``redis://[user:password@]host[:port][/database]`` and its kin.

    ``rediss`` is the same over TLS; ``unix://[user:password@]/path[?db=N]`` a socket;
    ``redis+sentinel://[…@]host[:port],host[:port]…/service[/database]`` asks Sentinels.
    Raises ValueError, whose text continues a sentence about the URL and holds no part
    of it.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError(f"must be a URL: {_ESCAPED}") from None
    if parts.scheme not in SCHEMES:
        raise ValueError(
            'must be a URL such as "redis://127.0.0.1:6379/0" '
            f"(schemes: {', '.join(SCHEMES)})"
        )
    unfit = parts.fragment or (parts.query and parts.scheme != "unix")
    if unfit or "@" in parts.path:
        raise ValueError(f"must have its @ before any / ? or #: {_ESCAPED}")
    named, _, where = parts.netloc.rpartition("@")
    user, has_password, password = named.partition(":")
    who = RedisPlace(
        tls=parts.scheme.startswith("rediss"),
        user=unquote(user) or None,
        password=unquote(password) if has_password or user else None,
    )
    if parts.scheme == "unix":
        return _unix(who, where, parts)
    if parts.scheme.endswith("+sentinel"):
        return _sentinels(who, where, parts.path)
    database = _number(parts.path.strip("/") or "0", "a database number after the host")
    return structs.replace(who, hosts=(_host(where, PORT),), database=database)


def _unix(who: RedisPlace, where: str, parts: SplitResult) -> RedisPlace:
    if where or len(parts.path) < 2:  # noqa: PLR2004 -- "/" and a name
        raise ValueError('must name a socket with three slashes: "unix:///path/to"')
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    database = _number(query.pop("db", "0"), 'a database number in "?db="')
    if query:
        raise ValueError('must have nothing but "db=" after the ?')
    return structs.replace(who, path=unquote(parts.path), database=database)


def _sentinels(who: RedisPlace, where: str, path: str) -> RedisPlace:
    service, _, database = path.strip("/").partition("/")
    if not service:
        raise ValueError("must name the service after the Sentinels: host:port/service")
    return structs.replace(
        who,
        hosts=tuple(_host(each, SENTINEL_PORT) for each in where.split(",")),
        service=unquote(service),
        database=_number(database or "0", "a database number after the service"),
    )


def _host(text: str, port: int) -> HostPort:
    try:
        parts = urlsplit(f"//{text}")
        host, given = parts.hostname, parts.port
    except ValueError:
        host, given = None, None
    if not host or given == 0:
        raise ValueError(f"must name a host and maybe a port: {_ESCAPED}")
    return host, given or port


def _number(text: str, what: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 5:  # noqa: PLR2004 -- no server has more
        raise ValueError(f"must have {what}")
    return int(text)
