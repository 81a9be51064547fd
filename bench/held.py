"""What it costs to hold streams: memory of one worker, and that all of them end well.

    .venv/bin/python bench/held.py [--streams 9900]

Each stream has an event a second until all of them are told to end. A stream takes two
descriptors of the worker: where ``ulimit -n`` does not allow so many, fewer are held,
and it says so.
"""

import argparse
import re
import resource
import subprocess
import tempfile
import time
from collections import Counter
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
LIMIT_SECONDS = 900
"""When the load gives up: a busy machine makes it slow, which is no failure."""
WITHOUT_END = 10**9
"""Events of a stream that nobody ends."""
ENDING = re.compile(r'"ending":"(\w+)"')


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
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        asked = stack.enter_context(provider(WITHOUT_END, 1000))
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
        asked.end_streams()
        ends = [result_of(each) for each in (few, rest)]
        after = resident_mib(worker)
        asked.stop()
        endings = Counter(ENDING.findall((place / "log").read_text()))
    each = (with_all - with_few) * 1024 / (streams - begin)
    failed = sum((Counter(end["why"]) for end in ends), Counter[str]())
    print(f"{begin} streams: {with_few:.1f} MiB; {streams}: {with_all:.1f} MiB")
    print(f"each stream: {each:.1f} KiB; when all had ended: {after:.1f} MiB")
    print(f"the worker's CPU while it held them: {100 * cpu:.0f} % of a core")
    print(
        f"ended well: {sum(end['calls'] for end in ends)} of {streams}"
        f"; failed: {dict(failed) or 0}; told to come again: "
        f"{sum(end['refused'] for end in ends)}; events: "
        f"{sum(end['chunks'] for end in ends)} of {asked.told['chunks']}"
    )
    print(f"in the gateway's own words: {dict(endings)}")


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
        "limit": LIMIT_SECONDS,
    }


def held(running: "subprocess.Popen[bytes]") -> None:
    """Wait until all streams of a load have begun, and then a while."""
    assert running.stdout is not None
    if running.stdout.readline() != b"held\n":
        raise SystemExit("The load broke off before every stream had begun.")
    time.sleep(HOLD_SECONDS)


if __name__ == "__main__":
    main()
