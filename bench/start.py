"""How long a daemon needs until it serves, and what its processes hold when idle.

    .venv/bin/python bench/start.py [--rounds 5]

The first start makes database and first key; the others find them. Seconds are those
from the start of ``twistd`` until ``GET /readyz`` is answered with 200.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from machine import ROOT, children, cores, cpu_seconds, provider, resident_mib
from subjects import Gateway

SETTLED_SECONDS = 2.0


def main() -> None:
    """Print the medians."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--one-core", action="store_true")
    given = words.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as place, provider() as asked:
        for _ in range(given.rounds + 1):
            gateway = Gateway(ROOT, Path(place), asked)
            if not given.one_core:
                gateway.on = set().union(*cores())
            seconds = gateway.start()
            time.sleep(SETTLED_SECONDS)
            (worker,) = gateway.workers
            (books,) = {*children(gateway.parent)} - {worker}
            three = (gateway.parent, worker, books)
            rows.append(
                (seconds, cpu_seconds(three), *(resident_mib(each) for each in three))
            )
            gateway.stop()
    first, *later = rows
    print(f"{'':12}" + "".join(f"{word:>15}" for word in HEADS))
    for name, row in (
        ("first start", first),
        ("later ones", [statistics.median(each) for each in zip(*later, strict=True)]),
    ):
        print(f"{name:12}" + "".join(f"{figure:15.2f}" for figure in row))


HEADS = ("ready s", "CPU s", "parent MiB", "worker MiB", "books MiB")

if __name__ == "__main__":
    main()
