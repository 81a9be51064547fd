"""Big tables: what a call costs among 100,000 keys and 2,000 models; a reload there.

    .venv/bin/python bench/tables.py [--rounds 3]

First one key and one model against all of them, taking turns. Then streams run and
short calls are made while SIGHUP has a new generation read the tables: how long did a
stream stand still, how long did a call take? The same without SIGHUP stands beside it.
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
CALLS = 6_000
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
    seen: dict[str, list[Mapping[str, float]]] = {}
    for _ in range(rounds):
        for name, models, account in (
            ("one of each", 0, "free"),
            ("big tables", MODELS, "all"),
        ):
            with tempfile.TemporaryDirectory() as place, provider() as asked:
                gateway = Gateway(ROOT, Path(place), asked, models=models)
                gateway.with_accounts()
                if models:
                    fill(gateway)
                ready = gateway.start()
                plan = _plan(gateway, account, models, CALLS, 32)
                loaded({**plan, "calls": 200})
                cpu = cpu_seconds(gateway.workers)
                told = _good(loaded(plan))
                cpu = cpu_seconds(gateway.workers) - cpu
                seen.setdefault(name, []).append(
                    {
                        "us/call": cpu / told["calls"] * 1e6,
                        "ready s": ready,
                        "RSS MiB": resident_mib(gateway.workers[0]),
                        "parent MiB": resident_mib(gateway.parent),
                    }
                )
                gateway.stop()
    costs = {}
    for name, figures in seen.items():
        row = {c: statistics.median(each[c] for each in figures) for c in figures[0]}
        costs[name] = row["us/call"]
        print(f"{name:24}" + "  ".join(f"{c} {row[c]:.2f}" for c in row))
    print(f"{'cost ratio':24}{costs['big tables'] / costs['one of each']:.2f}")


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
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--only-reload", action="store_true")
    given = words.parse_args()
    if not given.only_reload:
        call_costs(given.rounds)
    reload_stalls()


if __name__ == "__main__":
    main()
