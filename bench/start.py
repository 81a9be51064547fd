"""How long a daemon needs until it serves, and what its processes hold when idle.

    .venv/bin/python bench/start.py [--rounds 5] [--one-core] [TREE ...]

The first start of each tree (this one, where none is named) makes database and first
key; the others find them, trees taking turns. Seconds are those from the start of
``twistd`` until ``GET /readyz`` is answered with 200; CPU seconds are what each process
had used by then. A page is ``GET /docs``, asked for when the processes are idle.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from machine import (
    ROOT,
    Provider,
    answers,
    children,
    cores,
    cpu_seconds,
    provider,
    resident_mib,
)
from subjects import Gateway

SETTLED_SECONDS = 3.0
"""By then a worker has loaded what no start waits for."""

HEADS = (
    *("ready s", "CPU s", "parent", "worker", "books"),
    *("parent MiB", "worker MiB", "books MiB", "1st page ms", "2nd"),
)


def main() -> None:
    """Print the least and the median of each figure."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--one-core", action="store_true")
    words.add_argument("trees", nargs="*", type=Path, default=[ROOT])
    given = words.parse_args()
    rows: dict[Path, list[Sequence[float]]] = {t.resolve(): [] for t in given.trees}
    with ExitStack() as stack:
        asked = stack.enter_context(provider())
        places = {
            tree: Path(stack.enter_context(tempfile.TemporaryDirectory()))
            for tree in rows
        }
        for _ in range(given.rounds + 1):
            for tree, place in places.items():
                rows[tree].append(start(tree, place, asked, one_core=given.one_core))
    for tree, (first, *later) in rows.items():
        print(f"{tree}\n{'':12}" + "".join(f"{word:>13}" for word in HEADS))
        columns = [*zip(*later, strict=True)]
        for name, row in (
            ("first start", first),
            ("least", [min(each) for each in columns]),
            ("median", [statistics.median(each) for each in columns]),
        ):
            print(f"{name:12}" + "".join(f"{figure:13.2f}" for figure in row))


def start(
    tree: Path, place: Path, asked: Provider, *, one_core: bool
) -> Sequence[float]:
    """Start a daemon once; give the figures of HEADS."""
    gateway = Gateway(tree, place, asked)
    if not one_core:
        gateway.on = set().union(*cores())
    seconds = gateway.start()
    (worker,) = gateway.workers
    (books,) = {*children(gateway.parent)} - {worker}
    three = (gateway.parent, worker, books)
    used = [cpu_seconds([each]) for each in three]
    time.sleep(SETTLED_SECONDS)
    held = [resident_mib(each) for each in three]
    pages = [page(gateway.port) for _ in range(2)]
    gateway.stop()
    return [seconds, sum(used), *used, *held, *pages]


def page(port: int) -> float:
    """Give the milliseconds until a page begins to come."""
    began = time.monotonic()
    if not answers(port, "/docs"):
        raise SystemExit("There is no page.")
    return (time.monotonic() - began) * 1000


if __name__ == "__main__":
    main()
