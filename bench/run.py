"""The benchmark: one worker on one core, its provider and its load on the other.

    .venv/bin/python bench/run.py [--rounds 3] [--baseline REVISION] [--only WORD …]

Prints a table of CPU microseconds a call (or a chunk) of the worker, beside what the
clients saw. ``README.md`` says how to read it.
"""

import argparse
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from machine import (
    ROOT,
    Provider,
    certificate,
    cores,
    cpu_seconds,
    loaded,
    provider,
    redis,
    resident_mib,
)
from subjects import Direct, Gateway, Naive, Nginx, Subject, nginx_is_here

DIRECT, NAIVE, NGINX = "the provider", "klein + treq", "nginx"
WARM_UP_CALLS = 200


class CallsFailed(Exception):
    """A row without figures: a busy machine lets a gateway refuse, for one."""


@dataclass(frozen=True)
class Scenario:
    """One kind of load."""

    name: str
    calls: int
    connections: int
    account: str = "free"
    stream: bool = False
    body_bytes: int = 120
    chunks: int = 50
    interval_ms: int = 0
    redis: bool = False
    tls: bool = False
    workers: int = 1
    yardsticks: tuple[str, ...] = ()
    """What else takes this load in the same run."""


BOTH = (NGINX, NAIVE)

SCENARIOS = [
    Scenario("json", 6000, 32, yardsticks=BOTH),
    Scenario("json, limited", 6000, 32, account="limited"),
    Scenario("json, limited by Redis", 6000, 32, account="limited", redis=True),
    Scenario("json, two workers", 6000, 32, workers=2),
    Scenario("json, https", 6000, 32, tls=True, yardsticks=BOTH),
    Scenario("json, 256 KiB prompt", 1000, 8, body_bytes=262_144, yardsticks=(NGINX,)),
    Scenario("json, one at a time", 1000, 1, yardsticks=(DIRECT, *BOTH)),
    Scenario(
        *("stream, one at a time", 100, 1),
        stream=True,
        chunks=5,
        interval_ms=20,
        yardsticks=(DIRECT, *BOTH),
    ),
    Scenario("stream, 50 chunks", 1000, 32, stream=True, yardsticks=BOTH),
    Scenario("stream, https", 1000, 32, stream=True, tls=True, yardsticks=BOTH),
    Scenario(
        *("stream, 4 x 50/s", 40, 4),
        stream=True,
        interval_ms=20,
        yardsticks=(DIRECT, *BOTH),
    ),
    Scenario("stream, 200 x 50/s", 200, 200, stream=True, interval_ms=20),
    Scenario(
        *("stream, 1000 x 50/s", 1000, 1000),
        stream=True,
        interval_ms=20,
        chunks=750,
        yardsticks=BOTH,
    ),
    Scenario(
        *("stream, 200 x 50/s, https", 200, 200),
        stream=True,
        interval_ms=20,
        tls=True,
        yardsticks=BOTH,
    ),
]

ADDED = {"p50 ms": "+p50", "p99 ms": "+p99", "first ms": "+first", "chunk ms": "+chunk"}
"""Columns that tell latency, and what is printed of those beside the provider's own."""


def measured(tree: Path | str, scenario: Scenario) -> dict[str, float]:
    """Run one scenario once against the daemon in ``tree``, or a yardstick."""
    place = Path(tempfile.mkdtemp(prefix="lightweight-bench-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, place)
        pem, root = certificate(place) if scenario.tls else (None, None)
        more = ""
        if scenario.redis:
            port, _ = stack.enter_context(redis(place))
            more = f'[redis]\nurl = "redis://127.0.0.1:{port}"\n'
        asked = stack.enter_context(
            provider(scenario.chunks, scenario.interval_ms, pem)
        )
        subject = standing(tree, scenario, place, asked, root, more)
        try:
            figures = under_load(subject, scenario)
        finally:
            subject.stop()
        asked.stop()
    # The warm-up's requests are among the provider's.
    figures["conn/call"] = asked.told["connections"] / asked.told["requests"]
    figures["late ms"] = asked.told["late_ms"]
    return figures


def standing(
    tree: Path | str,
    scenario: Scenario,
    place: Path,
    asked: Provider,
    root: Path | None,
    more: str,
) -> Subject:
    """Start what takes the load."""
    if tree == DIRECT:
        return Direct(place, asked)
    if tree == NAIVE:
        return Naive(place, asked, root)
    if tree == NGINX:
        return Nginx(place, asked, root)
    gateway = Gateway(
        Path(tree), place, asked, root=root, workers=scenario.workers, more=more
    ).with_accounts()
    gateway.start()
    return gateway


def under_load(subject: Subject, scenario: Scenario) -> dict[str, float]:
    """Warm it up, load it, and give what it cost and what the clients saw."""
    plan = {
        "port": subject.port,
        "keys": str(subject.keys(scenario.account)),
        "connections": scenario.connections,
        "calls": scenario.calls,
        "stream": scenario.stream,
        "body_bytes": scenario.body_bytes,
    }
    loaded({**plan, "calls": min(WARM_UP_CALLS, scenario.calls)})
    cpu, rest = cpu_seconds(subject.workers), subject.others()
    told = loaded(plan)
    cpu, rest = cpu_seconds(subject.workers) - cpu, subject.others() - rest
    if told["failed"]:
        raise CallsFailed(f"{told['failed']} calls failed.")
    return {
        "us/call": cpu / told["calls"] * 1e6,
        "us/chunk": cpu / told["chunks"] * 1e6 if told["chunks"] else 0.0,
        "others us/call": rest / told["calls"] * 1e6,
        "calls/s": told["calls"] / told["seconds"],
        "p50 ms": told["p50"],
        "p99 ms": told["p99"],
        "first ms": told["first_p50"],
        "chunks/s": told["chunks"] / told["seconds"],
        "chunk ms": told["chunk_p50"],
        "chunk99 ms": told["chunk_p99"],
        "lost": told["calls"] * scenario.chunks - told["chunks"]
        if scenario.stream
        else 0,
        "RSS MiB": sum(map(resident_mib, subject.workers)),
    }


@contextmanager
def trees(baseline: str | None) -> Iterator[Mapping[str, Path]]:
    """Give the checkouts to compare, by name."""
    if baseline is None:
        yield {"this tree": ROOT}
        return
    place = Path(tempfile.mkdtemp(prefix="lightweight-baseline-"))
    git = ["git", "-C", str(ROOT), "worktree"]
    subprocess.run([*git, "add", "-q", "--detach", place, baseline], check=True)
    try:
        yield {baseline: place, "this tree": ROOT}
    finally:
        subprocess.run([*git, "remove", "--force", place], check=True)


def wanted(words: list[str] | None, *, yardsticks: bool) -> Iterator[Scenario]:
    """Give the scenarios that were asked for, without yardsticks that are not here."""
    for scenario in SCENARIOS:
        if words and not any(re.search(word, scenario.name) for word in words):
            continue
        there = tuple(
            name
            for name in scenario.yardsticks
            if name == DIRECT or (yardsticks and (name != NGINX or nginx_is_here()))
        )
        yield replace(scenario, yardsticks=there)


def main() -> None:
    """Run what the command line asks for, in interleaved rounds; print medians."""
    parser = argparse.ArgumentParser(description="Measure the gateway.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--baseline", help="a revision to compare with")
    parser.add_argument("--only", nargs="*", help="words in a scenario's name")
    parser.add_argument(
        "--no-yardsticks", action="store_true", help="neither nginx nor klein + treq"
    )
    asked = parser.parse_args()
    chosen = list(wanted(asked.only, yardsticks=not asked.no_yardsticks))
    seen: dict[tuple[str, str], list[dict[str, float]]] = {}
    with trees(asked.baseline) as compared:
        for _ in range(asked.rounds):
            for scenario in chosen:
                named = {**compared, **{each: each for each in scenario.yardsticks}}
                for name, tree in named.items():
                    sys.stderr.write(f"{scenario.name}: {name}\n")
                    try:
                        figures = measured(tree, scenario)
                    except CallsFailed as problem:
                        sys.stderr.write(f"  no figures: {problem}\n")
                        continue
                    seen.setdefault((scenario.name, name), []).append(figures)
    if not seen:
        raise SystemExit("No figures.")
    show(
        {
            row: {c: statistics.median(each[c] for each in rounds) for c in rounds[0]}
            for row, rounds in seen.items()
        }
    )


def show(table: Mapping[tuple[str, str], Mapping[str, float]]) -> None:
    """Print the table, and below it what each row adds to the provider's own time."""
    ours, theirs = cores()
    if ours == theirs:
        print("One core for all: only CPU times mean something.")
    columns = list(next(iter(table.values())))
    print(f"{'scenario':27}{'what':14}" + "".join(f"{c:>15}" for c in columns))
    for (scenario, name), row in table.items():
        figures = "".join(f"{row[column]:15.2f}" for column in columns)
        print(f"{scenario:27}{name[:13]:14}{figures}")
    for (scenario, name), row in table.items():
        direct = table.get((scenario, DIRECT))
        if direct is not None and name != DIRECT:
            added = (
                f"{word} {row[column] - direct[column]:.2f} ms"
                for column, word in ADDED.items()
            )
            print(f"{scenario:27}{name[:13]:14} adds  {'  '.join(added)}")


if __name__ == "__main__":
    main()
