"""Big tables: what a call costs among 100,000 keys and 2,000 models; a reload there.

    .venv/bin/python bench/tables.py [--rounds 8]

The same calls meet small tables and big ones: of one key that asks one model, and of
all keys and models in turns. A key that comes after another one on its connection
brings a head that was not read before, whatever the tables' size: so each of the two
has its own ratio. Then streams run and short calls are made while SIGHUP has a new
generation read the big tables: how long did a stream stand still, how long did a call
take? The same without SIGHUP stands beside it.
"""

import argparse
import os
import signal
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from machine import (
    ROOT,
    cpu_seconds,
    load,
    loaded,
    provider,
    resident_mib,
    result_of,
)
from subjects import Gateway

from lightweight.store.keys import digest, mint


@dataclass(frozen=True)
class Tables:
    """How much there is of everything."""

    accounts: int
    keys: int
    models: int


SMALL, BIG = Tables(1, 20, 20), Tables(5_000, 100_000, 2_000)
CALLS = 2_000
STREAMS, INTERVAL_MS, CHUNKS = 50, 20, 750
BEFORE_RELOAD_SECONDS = 4.0


def fill(gateway: Gateway, tables: Tables) -> None:
    """Add accounts and keys to the database that the command line made."""
    pepper = (gateway.state / "pepper").read_bytes().strip()
    secrets = [mint(os.urandom) for _ in range(tables.keys)]
    now = time.time()  # noqa: TID251 -- a script
    database = sqlite3.connect(gateway.state / "lightweight.db")
    (changed,) = database.execute(
        "UPDATE counters SET value = value + 1 WHERE name = 'keys' RETURNING value"
    ).fetchone()
    database.executemany(
        "INSERT INTO accounts (id, name, tier, created_at, disabled, changed) "
        "VALUES (?, ?, 'free', ?, 0, ?)",
        (
            (f"acct_{at}", f"account {at}", now, changed)
            for at in range(tables.accounts)
        ),
    )
    database.executemany(
        "INSERT INTO keys (id, account_id, name, digest, shown, created_at, changed) "
        "VALUES (?, ?, 'bench', ?, ?, ?, ?)",
        (
            (
                f"key_{at}",
                f"acct_{at % tables.accounts}",
                digest(pepper, secret),
                f"{secret[:8]}…{secret[-4:]}",
                now,
                changed,
            )
            for at, secret in enumerate(secrets)
        ),
    )
    database.commit()
    database.close()
    gateway.keys("all").write_text("\n".join(secrets))


def call_costs(rounds: int) -> None:
    """Print what a call costs with small tables and with big ones."""
    costs: dict[tuple[str, str], list[float]] = {}
    with ExitStack() as stack:
        gateways: dict[str, Gateway] = {}
        for size, tables in (("small tables", SMALL), ("big tables", BIG)):
            place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            asked = stack.enter_context(provider())
            gateway = Gateway(ROOT, place, asked, models=tables.models).with_accounts()
            fill(gateway, tables)
            ready = gateway.start()
            stack.callback(gateway.stop)
            gateways[size] = gateway
            print(
                f"{size:14}ready after {ready:.1f} s, worker "
                f"{resident_mib(gateway.workers[0]):.0f} MiB, parent "
                f"{resident_mib(gateway.parent):.0f} MiB"
            )
        # The first round warms up. Taking turns they share what the machine suffers.
        for at in range(rounds + 1):
            for used, account in (("one", "free"), ("all", "all")):
                for size, gateway in gateways.items():
                    models = gateway.models if used == "all" else 0
                    plan = _plan(gateway, account, models, CALLS, 32)
                    cpu = cpu_seconds(gateway.workers)
                    told = _good(loaded({**plan, "begin": at * CALLS}))
                    cpu = cpu_seconds(gateway.workers) - cpu
                    if at:
                        each = costs.setdefault((used, size), [])
                        each.append(cpu / told["calls"] * 1e6)
    for used in ("one", "all"):
        least, median = (
            {size: of(costs[used, size]) for size in gateways}
            for of in (min, statistics.median)
        )
        for size in gateways:
            print(
                f"{size:14}{used} used: us/call {least[size]:.0f} at least, "
                f"{median[size]:.0f} (median)"
            )
        print(
            f"{'cost ratio':14}{used} used: {_ratio(least):.2f} of the least, "
            f"{_ratio(median):.2f} of the medians"
        )


def _ratio(figures: Mapping[str, float]) -> float:
    return figures["big tables"] / figures["small tables"]


def reload_stalls() -> None:
    """Print the longest pauses of streams and calls, without a reload and with one."""
    with ExitStack() as stack:
        place = stack.enter_context(tempfile.TemporaryDirectory())
        asked = stack.enter_context(provider(CHUNKS, INTERVAL_MS))
        gateway = Gateway(ROOT, Path(place), asked, models=BIG.models).with_accounts()
        fill(gateway, BIG)
        gateway.start()
        stack.callback(gateway.stop)
        for name, reload in (("undisturbed", False), ("during a reload", True)):
            streams = load(
                {**_plan(gateway, "all", BIG.models, STREAMS, STREAMS), "stream": True}
            )
            calls = load(
                {**_plan(gateway, "all", BIG.models, 10**6, 1), "seconds": _lasts() - 1}
            )
            time.sleep(BEFORE_RELOAD_SECONDS)
            old, began, took = {*gateway.workers}, time.monotonic(), 0.0
            if reload:
                os.kill(gateway.parent, signal.SIGHUP)
                while not ({*gateway.serving()} - old and _reloaded(Path(place))):
                    time.sleep(0.05)
                took = time.monotonic() - began
            told, short = _good(result_of(streams)), _good(result_of(calls))
            stall = told["gap"] - INTERVAL_MS
            print(
                f"{name:24}a stream stood still for {stall:.1f} ms at most, an event "
                f"took {told['chunk_p99']:.1f} ms (p99) and {told['chunk_longest']:.1f}"
                f" (longest), a call {short['p50']:.1f} (p50), {short['p99']:.1f} (p99)"
                f" and {short['longest']:.1f} (longest of {short['calls']})"
                + (f"; the new generation served after {took:.1f} s" if reload else "")
            )


def _lasts() -> float:
    return CHUNKS * INTERVAL_MS / 1000


def _reloaded(place: Path) -> bool:
    return "Reloaded:" in (place / "log").read_text()


def _plan(
    gateway: Gateway, account: str, models: int, calls: int, connections: int
) -> dict[str, object]:
    return {
        "port": gateway.port,
        "keys": str(gateway.keys(account)),
        "models": models,
        "connections": connections,
        "calls": calls,
        "stream": False,
        "body_bytes": 120,
    }


def _good(told: dict[str, Any]) -> dict[str, Any]:
    if told["failed"]:
        raise SystemExit(f"{told['failed']} calls failed.")
    return told


def main() -> None:
    """Run both parts."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--rounds", type=int, default=8)
    words.add_argument("--only-reload", action="store_true")
    given = words.parse_args()
    if not given.only_reload:
        call_costs(given.rounds)
    reload_stalls()


if __name__ == "__main__":
    main()
