"""What the scripts of shared limits cost a real Redis: its own CPU time, its memory.

    .venv/bin/python bench/lua_cost.py [--calls 20000]

Calls are pipelined over one connection, so that what is counted is Redis' work (command
and reply, script) and hardly its waiting. Each call is admitted once and settled once.
"""

import argparse
import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from machine import ROOT, cpu_seconds, redis

sys.path[:0] = [str(ROOT)]

from msgspec import msgpack  # noqa: E402 -- found by the line above

from lightweight.policy.pace import ACCOUNT, Ask, Settlement, Subject  # noqa: E402
from lightweight.records import Limits  # noqa: E402
from lightweight.store.limits.scripts import (  # noqa: E402
    ADMIT,
    ALL,
    RAISE,
    SETTLE,
    keys_of,
)

BATCH = 100
EVERYTHING = Limits(
    rpm=10**6, tpm=10**9, concurrency=10**5, quota_tokens=10**12, quota_micro_usd=10**12
)
CASES = (
    ("requests a minute", (Subject(ACCOUNT, Limits(rpm=10**6)),), 1_000),
    ("every limit", (Subject(ACCOUNT, EVERYTHING),), 1_000),
    ("every limit, one account", (Subject(ACCOUNT, EVERYTHING),), 1),
    (
        "every limit, account and key",
        (Subject(ACCOUNT, EVERYTHING), Subject("key_1", EVERYTHING)),
        1_000,
    ),
)


class Speaker:
    """One connection that speaks RESP, in batches."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._replies = self._socket.makefile("rb")

    def ask(self, commands: Sequence[Sequence[object]]) -> list[bytes]:
        """Send commands in one piece and give the first line of each reply."""
        self._socket.sendall(b"".join(map(_encoded, commands)))
        lines = []
        for _ in commands:
            line = self._replies.readline().rstrip()
            if line.startswith(b"-"):
                raise SystemExit(line.decode())
            if line.startswith(b"$"):
                line = self._replies.read(int(line[1:]) + 2)[:-2]
            lines.append(line)
        return lines


def _encoded(command: Sequence[object]) -> bytes:
    words = [w if isinstance(w, bytes) else str(w).encode() for w in command]
    return b"*%d\r\n" % len(words) + b"".join(
        b"$%d\r\n%b\r\n" % (len(word), word) for word in words
    )


def measured(
    speaker: Speaker, pid: int, subjects: tuple[Subject, ...], accounts: int, calls: int
) -> tuple[float, float, float]:
    """Give microseconds for an admission, for its end, and KiB for each account."""
    names = tuple(subject.name for subject in subjects)
    told = [{"prepaid": False, "used": [], "recent": []} for _ in subjects]
    owners = [f"acct_{at}" for at in range(accounts)]
    before = _memory(speaker)
    speaker.ask(
        [
            ("EVALSHA", RAISE.sha, len(keys), *keys, msgpack.encode(told), 0)
            for owner in owners
            if (keys := keys_of(owner, names))
        ]
    )
    admit = settle = 0.0
    for some in _batches(calls):
        taken = [(f"req_{at}", owners[at % accounts]) for at in some]
        began = cpu_seconds([pid])
        speaker.ask([_admission(*each, subjects) for each in taken])
        between = cpu_seconds([pid])
        speaker.ask([_end(*each, names) for each in taken])
        admit += between - began
        settle += cpu_seconds([pid]) - between
    grown = (_memory(speaker) - before) / 1024 / accounts
    return admit / calls * 1e6, settle / calls * 1e6, grown


def _batches(calls: int) -> Iterator[range]:
    for at in range(0, calls, 20 * BATCH):
        yield range(at, min(at + 20 * BATCH, calls))


def _admission(
    id_: str, owner: str, subjects: tuple[Subject, ...]
) -> tuple[object, ...]:
    ask = Ask(id=id_, account=owner, subjects=subjects, tokens=500, micro_usd=700)
    keys = keys_of(owner, tuple(subject.name for subject in subjects))
    return (
        *("EVALSHA", ADMIT.sha, len(keys), *keys),
        *(msgpack.encode(ask), 0, "take"),
    )


def _end(id_: str, owner: str, names: tuple[str, ...]) -> tuple[object, ...]:
    end = Settlement(id=id_, account=owner, subjects=names, tokens=450, micro_usd=600)
    keys = keys_of(owner, names)
    return ("EVALSHA", SETTLE.sha, len(keys), *keys, msgpack.encode(end), 0)


def _memory(speaker: Speaker) -> int:
    (text,) = speaker.ask([("INFO", "memory")])
    return int(text.split(b"used_memory:")[1].split()[0])


def main() -> None:
    """Print a line for each kind of limits."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--calls", type=int, default=20_000)
    given = words.parse_args()
    print(f"{'':32}{'admit us':>12}{'settle us':>12}{'calls/s':>12}{'KiB/account':>14}")
    for name, subjects, accounts in CASES:
        with (
            tempfile.TemporaryDirectory() as place,
            redis(Path(place)) as (port, pid),
        ):
            speaker = Speaker(port)
            speaker.ask([("SCRIPT", "LOAD", script.text) for script in ALL])
            admit, settle, kib = measured(speaker, pid, subjects, accounts, given.calls)
        at_most = 1e6 / (admit + settle)
        size = f"{kib:.2f}" if accounts > 1 else "-"
        print(f"{name:32}{admit:12.1f}{settle:12.1f}{at_most:12.0f}{size:>14}")


if __name__ == "__main__":
    main()
