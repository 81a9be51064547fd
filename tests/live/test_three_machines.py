"""Three gateways on three machines that share Redis and PostgreSQL."""

import json
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.task import deferLater

import pytest
import pytest_twisted
from support import relay, volley
from support.daemon import BIN, Child, Gateway, spawn
from support.machines import HUB, Machines
from support.postgres import OWNER, PASSWORD, PostgresServer
from support.redis import RedisServer

pytestmark = pytest.mark.debian

CONFIG = f"""
[providers.demo]
kind = "demo"
[keys]
pepper = {{ file = "../pepper" }}
[tiers.shared]
rpm = 60
[redis]
url = "redis://{HUB}:6379/0"
machines = 3
[database]
url = "postgresql://{OWNER}:{PASSWORD}@{HUB}:5432/NAME"
"""

ALONE = re.compile(r"^lightweight_limit_local_decisions_total (\S+)$", re.MULTILINE)
READ = "import sys, urllib.request as r; print(r.urlopen(sys.argv[1]).read().decode())"


class Fleet:
    """The gateways, and what is done on their machines."""

    def __init__(self, machines: Machines, gateways: list[Gateway]) -> None:
        self.machines = machines
        self.gateways = gateways

    async def run(self, number: int, *words: object) -> str:
        """Run a command on a machine, in its gateway's directory; give its output."""
        gateway = self.gateways[number - 1]
        child = spawn([*self.machines.on(number), *words], cwd=gateway.directory)
        assert await child.ended() == 0, child.text
        return child.text

    async def tool(self, number: int, *words: str) -> Any:
        """Run ``lightweight … --json`` on a machine."""
        gateway = self.gateways[number - 1]
        program = [BIN / "lightweight", "-c", gateway.config]
        return json.loads(await self.run(number, *program, *words, "--json"))

    async def key_of(self, name: str) -> str:
        """Make an account and give its key."""
        await self.tool(1, "accounts", "create", name, "--tier", "shared")
        made = await self.tool(1, "keys", "create", "--account", name)
        return str(made["key"])

    def volley(self, number: int, key: str, count: int) -> Child:
        """Start so many calls at once on a machine."""
        root = self.gateways[number - 1].root
        script = [sys.executable, "-P", volley.__file__, root, key, count]
        gateway = self.gateways[number - 1]
        return spawn([*self.machines.on(number), *script], cwd=gateway.directory)

    async def passed(self, key: str, count: int, *numbers: int) -> list[int]:
        """Call from all of these at once; give how many passed on each."""
        volleys = [self.volley(number, key, count) for number in numbers]
        passed = []
        for each in volleys:
            assert await each.ended() == 0, each.text
            statuses = Counter(json.loads(each.text))
            assert statuses.keys() <= {200, 429}, statuses
            passed.append(statuses[200])
        return passed

    async def shared(self, count: int, *keys: str) -> list[int]:
        """Give how many of a key's calls passed on each, of ``count`` on every machine.

        A machine whose Redis is silent for a tenth of a second decides alone, as it
        must; where that happened, since this machine is busy, the next key is taken.
        """
        for key in keys:
            before = await self.decided_alone()
            passed = await self.passed(key, count, 1, 2, 3)
            if await self.decided_alone() == before:
                return passed
        raise AssertionError("each time a machine decided alone")

    async def decided_alone(self) -> int:
        """Give how many decisions were made without Redis, on all machines."""
        # What a worker counted is told once a second.
        await deferLater(reactor, 2.5)
        told = [await self.read(number, "/metrics") for number in (1, 2, 3)]
        return sum(int(float(found)) for found in ALONE.findall("".join(told)))

    async def read(self, number: int, path: str) -> str:
        """Get a page on a machine, as somebody there would."""
        root = self.gateways[number - 1].root
        return await self.run(number, sys.executable, "-c", READ, f"{root}{path}")

    async def ready(self, number: int) -> Any:
        return json.loads(await self.read(number, "/readyz"))

    async def status(self, number: int, wanted: str) -> None:
        """Wait until a gateway says of itself that it is so."""
        while (await self.ready(number))["status"] != wanted:
            pass


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # has no types
async def fleet(
    tmp_path: Path, postgres_server: PostgresServer
) -> AsyncIterator[Fleet]:
    redis = RedisServer(tmp_path).start()
    name = postgres_server.new_database().partition("/test_")[2].partition("?")[0]
    (tmp_path / "pepper").write_text("0123456789abcdef" * 4)
    socket = postgres_server.directory / f".s.PGSQL.{postgres_server.port}"
    gateways: list[Gateway] = []
    with Machines(3) as machines:
        relays = [f"6379={redis.socket}", f"5432={socket}"]
        script = [sys.executable, "-P", relay.__file__, HUB, *relays]
        relaying = spawn([*machines.hub, *script], cwd=tmp_path)
        try:
            await relaying.line("relaying")
            for number in (1, 2, 3):
                home = tmp_path / f"machine{number}"
                home.mkdir()
                config = CONFIG.replace("NAME", f"test_{name}")
                within = machines.on(number)
                gateways.append(await Gateway.start(home, config, within=within))
            yield Fleet(machines, gateways)
        finally:
            statuses = [await gateway.stop() for gateway in gateways]
            await relaying.stop()
            redis.kill()
    assert statuses == [0, 0, 0]


@pytest.mark.timeout(300)
@pytest.mark.async_limit(280)
async def test_limits_are_exact_and_a_machine_cut_off_takes_its_share(
    fleet: Fleet,
) -> None:
    second, other, *keys = [await fleet.key_of(name) for name in "abcdefgh"]
    assert sum(await fleet.shared(60, *keys[:3])) == 60

    # What machine 3 decides alone is a third of the limit; the others share all of it.
    await fleet.passed(other, 1, 3)  # the youngest key: from now on it knows them all
    fleet.machines.cut(3)
    await fleet.passed(other, 1, 3)  # a call finds out
    await fleet.status(3, "degraded")
    alone, *others = await fleet.passed(second, 60, 3, 1, 2)
    assert (alone, sum(others)) == (20, 60)
    assert await fleet.decided_alone() >= 60

    fleet.machines.join(3)
    await fleet.status(3, "ready")
    assert sum(await fleet.shared(60, *keys[3:])) == 60

    # What was served while the database was out of reach is in the ledger, once.
    async def used(account: str) -> int:
        shown = await fleet.tool(1, "usage", "--account", account)
        return int(shown["requests"]["succeeded"])

    while await used("a") != sum([alone, *others]):
        pass
    for number in (1, 2, 3):
        await fleet.tool(number, "reconcile")
