"""What it costs to hold streams: memory of one worker, and that all of them end well.

    .venv/bin/python bench/held.py [--streams 9900]

Each stream has an event a second and ends by itself. A stream takes two descriptors of
the worker: where ``ulimit -n`` does not allow so many, fewer are held, and it says so.
"""

import argparse
import resource
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from machine import ROOT, cpu_seconds, load, provider, resident_mib, result_of
from subjects import Gateway

FEW = 1000
"""Streams to begin with; a quarter of all where that is less."""
A_SECOND = 200
"""New streams a second."""
SPARE = 200
"""Descriptors that the gateway keeps for other things than calls."""
HOLD_SECONDS = 10


def possible(streams: int) -> int:
    """Give how many of these the limit of open files allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return min(streams, (hard - SPARE) // 2)


def main() -> None:
    """Hold a thousand, then all; print what each of the difference takes."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--streams", type=int, default=9900)
    given = words.parse_args()
    streams = possible(given.streams)
    if streams < given.streams:
        print(f"The limit of open files allows {streams} of {given.streams} streams.")
    chunks = 2 * HOLD_SECONDS + streams // A_SECOND + 30
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        asked = stack.enter_context(provider(chunks, 1000))
        gateway = Gateway(ROOT, place, asked).with_accounts()
        gateway.start()
        stack.callback(gateway.stop)
        (worker,) = gateway.workers
        begin = min(FEW, streams // 4)
        few = load(_plan(gateway, begin))
        held(few)
        with_few = resident_mib(worker)
        rest = load(_plan(gateway, streams - begin))
        held(rest)
        with_all, cpu = resident_mib(worker), cpu_seconds([worker])
        time.sleep(HOLD_SECONDS / 2)
        cpu = (cpu_seconds([worker]) - cpu) / (HOLD_SECONDS / 2)
        ends = [result_of(each) for each in (few, rest)]
        after = resident_mib(worker)
    each = (with_all - with_few) * 1024 / (streams - begin)
    print(f"{begin} streams: {with_few:.1f} MiB; {streams}: {with_all:.1f} MiB")
    print(f"each stream: {each:.1f} KiB; when all had ended: {after:.1f} MiB")
    print(f"the worker's CPU while it held them: {100 * cpu:.0f} % of a core")
    print(
        f"ended well: {sum(end['calls'] - end['failed'] for end in ends)}, "
        f"failed: {sum(end['failed'] for end in ends)}, told to come again: "
        f"{sum(end['refused'] for end in ends)}, events missing: "
        f"{streams * chunks - sum(end['chunks'] for end in ends)}"
    )


def _plan(gateway: Gateway, streams: int) -> dict[str, object]:
    return {
        "port": gateway.port,
        "keys": str(gateway.keys("free")),
        "connections": streams,
        "calls": streams,
        "stream": True,
        "body_bytes": 120,
        "a_second": A_SECOND,
        "held": True,
    }


def held(running: "subprocess.Popen[bytes]") -> None:
    """Wait until all streams of a load have begun, and then a while."""
    assert running.stdout is not None
    if running.stdout.readline() != b"held\n":
        raise SystemExit("Not every stream began.")
    time.sleep(HOLD_SECONDS)


if __name__ == "__main__":
    main()
