"""What can happen to a Redis server, with real ones: who decides, and that it heals."""

import signal
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from twisted.logger import LogEvent, capturedLogs, formatEvent
from twisted.protocols.portforward import ProxyFactory

import pytest
import pytest_twisted
from support.limits_contract import NOW, ask, left, settlement
from support.local_limits import LocalLimits
from support.redis import RedisServer
from support.tls import authority
from support.until import until

from lightweight.config.redis import parse_redis_url
from lightweight.policy.book import Book
from lightweight.policy.pace import Subject
from lightweight.records import Limits
from lightweight.store.limits import connection
from lightweight.store.limits.guard import Guard, Policy
from lightweight.store.limits.redis import RedisLimits
from lightweight.store.limits.shared import Seed

HUSH = "hush-5e1f"
"""A password: no line of a log may hold it."""

TWO = Limits(rpm=2, quota_tokens=1000)


async def nothing_used(_account: str, _subjects: Sequence[Subject]) -> Seed:
    return Seed()


class Stack:
    """A guard over Redis and over this machine, as a worker has them."""

    def __init__(
        self, url: str, *, policy: Policy = "local", trust_root: Any = None
    ) -> None:
        from twisted.internet import reactor

        self.redis = RedisLimits(
            parse_redis_url(url),
            reactor=reactor,
            seed_from=nothing_used,
            trust_root=trust_root,
        )
        local = LocalLimits(Book(), lambda: NOW / 1000, fallback=True)
        self.guard = Guard(self.redis, local, policy=policy, clock=reactor)
        self.asked = 0

    async def start(self) -> "Stack":
        await self.guard.start()
        return self

    async def decider(self, limits: Limits | None = None) -> str:
        """Ask something and give who decided; the ask is settled."""
        self.asked += 1
        made = ask(f"d{self.asked}", account=limits, of=f"acct_{id(self)}_{self.asked}")
        verdict = await self.guard.admit(made)
        self.guard.settle(settlement(made, 1))
        return "machine" if verdict.local else "redis"

    async def healed(self) -> None:
        """Wait until the shared limits hold again, and see that they do."""
        await until(lambda: self.guard.why_degraded is None)
        assert await self.decider() == "redis"
        await until(lambda: not self.redis._owed)

    async def close(self) -> None:
        await self.guard.close()


class Log:
    """What was logged so far."""

    def __init__(self, events: Sequence[LogEvent]) -> None:
        self._events = events

    def __str__(self) -> str:
        return "\n".join(str(formatEvent(event)) for event in self._events)


@pytest.fixture(autouse=True, name="log")
def _log() -> Iterator[Log]:
    with capturedLogs() as events:
        yield Log(events)
        assert HUSH not in str(Log(events))


@pytest.fixture(autouse=True, name="patience")
def _patience(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let a busy machine have its time; give what restores the real patience.

    Only of a server that is silent the real one is asked for: elsewhere an answer that
    comes late would be taken for another trouble than the test's.
    """
    real = connection.PATIENCE
    monkeypatch.setattr(connection, "PATIENCE", 1000)
    monkeypatch.setattr(connection, "ATTEMPT_S", 25.0)
    return lambda: monkeypatch.setattr(connection, "PATIENCE", real)


# -- away and back ---------------------------------------------------------------------


async def test_not_running_at_the_start(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    stack = await Stack(server.url).start()
    try:
        assert await stack.decider() == "machine"
        server.start()
        await stack.healed()
    finally:
        await stack.close()
        server.kill()


async def test_killed_and_started_again(own_server: RedisServer) -> None:
    stack = await Stack(own_server.url).start()
    open_ = ask("r1", account=TWO)
    assert not (await stack.guard.admit(open_)).local
    own_server.kill()
    assert await stack.decider() == "machine"
    stack.guard.settle(settlement(open_, 5))
    own_server.start()
    await stack.healed()
    assert await stack.decider(TWO) == "redis"
    await stack.close()


async def test_frozen_and_thawed(
    own_server: RedisServer, patience: Callable[[], None]
) -> None:
    patience()
    stack = await Stack(own_server.url).start()
    open_ = ask("r1", account=TWO)
    await stack.guard.admit(open_)
    own_server.signal(signal.SIGSTOP)
    try:
        frozen = ask("r2", account=TWO)
        assert (await stack.guard.admit(frozen)).local
        stack.guard.settle(settlement(open_, 5))
        stack.guard.settle(settlement(frozen, 5))
    finally:
        own_server.signal(signal.SIGCONT)
    await stack.healed()
    looked = await stack.guard.look(ask("r3", account=TWO))
    assert looked.requests is not None
    assert looked.requests.remaining == 1, "what came too late was given back"
    assert left(looked.quota_tokens) == (5, 0)
    await stack.close()


async def test_frozen_for_so_long_that_the_connection_is_given_up(
    own_server: RedisServer, patience: Callable[[], None]
) -> None:
    patience()
    stack = await Stack(own_server.url).start()
    own_server.signal(signal.SIGSTOP)
    try:
        assert await stack.decider() == "machine"
        await until(lambda: not stack.redis._connection.connected)
        assert await stack.decider() == "machine"
    finally:
        own_server.signal(signal.SIGCONT)
    await stack.healed()
    await stack.close()


async def test_flushed(own_server: RedisServer) -> None:
    stack = await Stack(own_server.url).start()
    open_ = ask("r1", account=TWO)
    await stack.guard.admit(open_)
    own_server.command("FLUSHALL")
    again = await stack.guard.admit(ask("r2", account=TWO))
    assert not again.local
    assert left(again.quota_tokens) == (0, 10)
    stack.guard.settle(settlement(open_, 5))
    assert await stack.decider() == "redis"
    await stack.close()


async def test_scripts_flushed(own_server: RedisServer) -> None:
    stack = await Stack(own_server.url).start()
    open_ = ask("r1", account=TWO)
    await stack.guard.admit(open_)
    own_server.command("SCRIPT", "FLUSH")
    stack.guard.settle(settlement(open_, 5))
    await until(lambda: not stack.redis._owed)
    own_server.command("SCRIPT", "FLUSH")
    looked = await stack.guard.look(ask("r2", account=TWO))
    assert not looked.local
    assert left(looked.quota_tokens) == (5, 0)
    assert stack.guard.local_decisions == 0
    await stack.close()


# -- there, and of no use --------------------------------------------------------------


async def test_a_wrong_password_that_becomes_right(
    own_server: RedisServer, log: Log
) -> None:
    own_server.command("CONFIG", "SET", "requirepass", "another")
    stack = await Stack(f"redis://:{HUSH}@127.0.0.1:{own_server.port}").start()
    assert await stack.decider() == "machine"
    assert "WRONGPASS" in str(log)
    own_server.command("CONFIG", "SET", "requirepass", HUSH, login=["another"])
    await stack.healed()
    await stack.close()


async def test_no_password_where_one_is_wanted(
    own_server: RedisServer, log: Log
) -> None:
    own_server.command("CONFIG", "SET", "requirepass", HUSH)
    stack = await Stack(own_server.url).start()
    assert await stack.decider() == "machine"
    assert "NOAUTH" in str(log)
    await stack.close()


async def test_a_replica_that_becomes_the_master(
    own_server: RedisServer, tmp_path: Path, log: Log
) -> None:
    master = RedisServer(tmp_path).start()
    try:
        own_server.command("REPLICAOF", "127.0.0.1", master.port)
        stack = await Stack(own_server.url).start()
        assert await stack.decider() == "machine"
        assert "READONLY" in str(log)
        own_server.command("REPLICAOF", "NO", "ONE")
        await stack.healed()
        await stack.close()
    finally:
        master.kill()


async def test_a_full_server_takes_settlements_and_no_asks(
    own_server: RedisServer, log: Log
) -> None:
    stack = await Stack(own_server.url).start()
    open_ = ask("r1", account=TWO)
    await stack.guard.admit(open_)
    own_server.command("CONFIG", "SET", "maxmemory", 1)
    stack.guard.settle(settlement(open_, 7))
    await until(lambda: not stack.redis._owed)
    assert await stack.decider() == "machine"
    assert "OOM" in str(log)
    own_server.command("CONFIG", "SET", "maxmemory", 0)
    await stack.healed()
    looked = await stack.guard.look(ask("r2", account=TWO))
    assert left(looked.quota_tokens) == (7, 0)
    await stack.close()


# -- ways to reach it ------------------------------------------------------------------


async def test_a_unix_socket_and_a_database(server: RedisServer) -> None:
    stack = await Stack(f"unix://{server.socket}?db=3").start()
    assert await stack.decider() == "redis"
    assert server.command("DBSIZE") == 0
    await stack.close()
    with server.session() as run:
        run("SELECT", 3)
        assert run("DBSIZE") > 0


async def test_an_acl_user_with_no_more_rights_than_needed(
    own_server: RedisServer,
) -> None:
    own_server.command(
        "ACL",
        "SETUSER",
        "gateway",
        "on",
        f">{HUSH}",
        "~lw:*",
        "+@read",
        "+@write",
        "+evalsha",
        "+script|load",
        "+time",
    )
    stack = await Stack(f"redis://gateway:{HUSH}@127.0.0.1:{own_server.port}").start()
    assert await stack.decider(TWO) == "redis"
    own_server.command("ACL", "DELUSER", "gateway")
    await until(lambda: not stack.redis._connection.connected)
    assert await stack.decider() == "machine"
    await stack.close()


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # has no types
async def tls_port(server: RedisServer) -> AsyncIterator[int]:
    """TLS in front of the server, which may have been built without it."""
    from twisted.internet import reactor

    port: Any = reactor.listenSSL(  # type: ignore[attr-defined]  # the module stands for the reactor
        0,
        ProxyFactory("127.0.0.1", server.port),
        authority().server("127.0.0.1"),
        interface="127.0.0.1",
    )
    yield port.getHost().port
    await port.stopListening()


async def test_tls(tls_port: int) -> None:
    url = f"rediss://127.0.0.1:{tls_port}"
    stack = await Stack(url, trust_root=authority().root).start()
    assert await stack.decider() == "redis"
    await stack.close()


@pytest.mark.parametrize(
    ("host", "trusted"), [("localhost", True), ("127.0.0.1", False)]
)
async def test_tls_to_nobody_we_know(
    tls_port: int, host: str, *, trusted: bool, log: Log
) -> None:
    url = f"rediss://:{HUSH}@{host}:{tls_port}"
    root = authority().root if trusted else None
    stack = await Stack(url, trust_root=root).start()
    assert await stack.decider() == "machine"
    text = str(log)
    assert "certificate verify failed" in text or "VerificationError" in text
    await stack.close()


async def test_the_master_that_sentinels_name(tmp_path: Path) -> None:
    master, replica = RedisServer(tmp_path).start(), RedisServer(tmp_path).start()
    sentinel = RedisServer(
        tmp_path,
        f"sentinel monitor main 127.0.0.1 {master.port} 1",
        "sentinel down-after-milliseconds main 300",
        "sentinel failover-timeout main 2000",
        sentinel=True,
    )
    nobody = RedisServer(tmp_path)
    stack = Stack(
        f"redis+sentinel://127.0.0.1:{nobody.port},127.0.0.1:{sentinel.port}/main"
    )
    try:
        replica.command("REPLICAOF", "127.0.0.1", master.port)
        await until(lambda: "state=online" in master.command("INFO", "replication"))
        sentinel.start()
        await stack.start()
        await stack.healed()
        assert master.command("DBSIZE") > 0
        await until(lambda: sentinel.command("SENTINEL", "REPLICAS", "main"))
        master.kill()
        assert await stack.decider() == "machine"
        await stack.healed()
        assert replica.command("ROLE")[0] == "master"
    finally:
        await stack.close()
        for server in (master, replica, sentinel):
            server.kill()


async def test_sentinels_that_know_no_master(tmp_path: Path, log: Log) -> None:
    sentinel = RedisServer(tmp_path, sentinel=True).start()
    stack = await Stack(f"redis+sentinel://127.0.0.1:{sentinel.port}/main").start()
    assert await stack.decider() == "machine"
    assert "knows no master" in str(log)
    await stack.close()
    sentinel.kill()


async def test_a_server_without_passwords_repeats_ours(
    tmp_path: Path, log: Log
) -> None:
    server = RedisServer(tmp_path, "rename-command AUTH ''").start()
    stack = await Stack(f"redis://:{HUSH}@127.0.0.1:{server.port}").start()
    assert await stack.decider() == "machine"
    assert "unknown command" in str(log)
    await stack.close()
    server.kill()
