"""Every form of a Redis URL, and that a wrong one is refused without being repeated."""

import pytest

from lightweight.config.redis import RedisPlace, parse_redis_url

LOCAL = ("127.0.0.1", 6379)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://127.0.0.1", RedisPlace(hosts=(LOCAL,))),
        ("redis://127.0.0.1:6379/", RedisPlace(hosts=(LOCAL,))),
        ("redis://127.0.0.1/15", RedisPlace(hosts=(LOCAL,), database=15)),
        ("redis://[::1]:7", RedisPlace(hosts=(("::1", 7),))),
        ("rediss://cache:1", RedisPlace(hosts=(("cache", 1),), tls=True)),
        ("redis://:p%40ss@127.0.0.1", RedisPlace(hosts=(LOCAL,), password="p@ss")),
        (
            "redis://us%3Aer:p@ss@127.0.0.1",
            RedisPlace(hosts=(LOCAL,), user="us:er", password="p@ss"),
        ),
        (
            "redis://user@127.0.0.1",
            RedisPlace(hosts=(LOCAL,), user="user", password=""),
        ),
        ("unix:///run/r.sock", RedisPlace(path="/run/r.sock")),
        (
            "unix://user:pw@/run/r%20s?db=3",
            RedisPlace(path="/run/r s", user="user", password="pw", database=3),
        ),
        (
            "redis+sentinel://u:p@a,b:2,[::1]:3/main/4",
            RedisPlace(
                hosts=(("a", 26379), ("b", 2), ("::1", 3)),
                service="main",
                user="u",
                password="p",
                database=4,
            ),
        ),
        (
            "rediss+sentinel://a/main",
            RedisPlace(hosts=(("a", 26379),), service="main", tls=True),
        ),
    ],
)
def test_forms(url: str, place: RedisPlace) -> None:
    assert parse_redis_url(url) == place


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://hush", "(schemes: redis, "),
        ("hush", "(schemes: redis, "),
        ("redis://", "must name a host"),
        ("redis://:hush@", "must name a host"),
        ("redis://hush:0", "must name a host"),
        ("redis://hush:99999", "must name a host"),
        ("redis://hush:x", "must name a host"),
        ("redis://[hush", "must be a URL"),
        ("redis://u:hush/x@cache/0", "must have its @ before any / ? or #"),
        ("redis://u:hush#x@cache/0", "must have its @ before any / ? or #"),
        ("redis://cache/0?password=hush", "must have its @ before any / ? or #"),
        ("redis://cache/hush", "a database number after the host"),
        ("redis://cache/٣", "a database number after the host"),
        ("redis://cache/123456", "a database number after the host"),
        ("unix://hush", "three slashes"),
        ("unix:///", "three slashes"),
        ("unix://hush/run/r.sock", "three slashes"),
        ("unix:///run/r.sock?db=hush", 'a database number in "?db="'),
        ("unix:///run/r.sock?password=hush", 'nothing but "db="'),
        ("redis+sentinel://hush:1", "must name the service"),
        ("redis+sentinel://hush:1/", "must name the service"),
        ("redis+sentinel://hush:1,/main", "must name a host"),
        ("redis+sentinel://hush:1/main/x", "a database number after the service"),
    ],
)
def test_what_is_no_such_url(url: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_redis_url(url)
    assert message in str(caught.value)
    assert "hush" not in str(caught.value)
