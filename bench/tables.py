"""Big tables: what a call costs among 100,000 keys and 2,000 models; a reload there.

    .venv/bin/python bench/tables.py [--rounds 8]

First one key and one model: with no others in the tables, among all the others, and
against all of them, taking turns. What the tables' size costs is the second beside the
first; with the third come what 100,000 callers bring along: their counters, their heads
on every connection, memory that no cache holds. Then streams run and short calls are
made while SIGHUP has a new generation read the tables: how long did a stream stand
still, how long did a call take? The same without SIGHUP stands beside it.
"""

import argparse
import os
import signal
import sqlite3
import statistics
import tempfile
import time
from contextlib import ExitStack
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

ACCOUNTS, KEYS, MODELS = 5_000, 100_000, 2_000
CALLS = 2_000
STREAMS, INTERVAL_MS, CHUNKS = 50, 20, 750
BEFORE_RELOAD_SECONDS = 4.0


def fill(gateway: Gateway) -> None:
    """Add accounts and keys to the database that the command line made."""
    pepper = (gateway.state / "pepper").read_bytes().strip()
    secrets = [mint(os.urandom) for _ in range(KEYS)]
    now = time.time()  # noqa: TID251 -- a script
    database = sqlite3.connect(gateway.state / "lightweight.db")
    (changed,) = database.execute(
        "UPDATE counters SET value = value + 1 WHERE name = 'keys' RETURNING value"
    ).fetchone()
    database.executemany(
        "INSERT INTO accounts (id, name, tier, created_at, disabled, changed) "
        "VALUES (?, ?, 'free', ?, 0, ?)",
        ((f"acct_{at}", f"account {at}", now, changed) for at in range(ACCOUNTS)),
    )
    database.executemany(
        "INSERT INTO keys (id, account_id, name, digest, shown, created_at, changed) "
        "VALUES (?, ?, 'bench', ?, ?, ?, ?)",
        (
            (
                f"key_{at}",
                f"acct_{at % ACCOUNTS}",
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
    costs: dict[str, list[float]] = {}
    with ExitStack() as stack:
        gateways = {}
        for size, models in (("one of each", 0), ("big tables", MODELS)):
            place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            asked = stack.enter_context(provider())
            gateway = Gateway(ROOT, place, asked, models=models).with_accounts()
            if models:
                fill(gateway)
            ready = gateway.start()
            stack.callback(gateway.stop)
            gateways[size] = gateway
            print(
                f"{size:24}ready after {ready:.1f} s, worker "
                f"{resident_mib(gateway.workers[0]):.0f} MiB, parent "
                f"{resident_mib(gateway.parent):.0f} MiB"
            )
        small, big = gateways.values()
        loads = {
            "one of each": _plan(small, "free", 0, CALLS, 32),
            "big tables, one used": _plan(big, "free", 0, CALLS, 32),
            "big tables, all used": _plan(big, "all", MODELS, CALLS, 32),
        }
        for at in range(rounds + 1):
            for (name, plan), gateway in zip(
                loads.items(), (small, big, big), strict=True
            ):
                cpu = cpu_seconds(gateway.workers)
                told = _good(loaded(plan))
                cpu = cpu_seconds(gateway.workers) - cpu
                if at:  # the first round warms up
                    costs.setdefault(name, []).append(cpu / told["calls"] * 1e6)
    least = min(costs["one of each"])
    for name, each in costs.items():
        print(
            f"{name:24}us/call {min(each):.0f} at least, {statistics.median(each):.0f} "
            f"(median); {min(each) / least:.2f} of one of each"
        )


def reload_stalls() -> None:
    """Print the longest pauses of streams and calls, without a reload and with one."""
    with ExitStack() as stack:
        place = stack.enter_context(tempfile.TemporaryDirectory())
        asked = stack.enter_context(provider(CHUNKS, INTERVAL_MS))
        gateway = Gateway(ROOT, Path(place), asked, models=MODELS).with_accounts()
        fill(gateway)
        gateway.start()
        stack.callback(gateway.stop)
        for name, reload in (("undisturbed", False), ("during a reload", True)):
            streams = load(
                {**_plan(gateway, "all", MODELS, STREAMS, STREAMS), "stream": True}
            )
            calls = load(
                {**_plan(gateway, "all", MODELS, 10**6, 1), "seconds": _lasts() - 1}
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
