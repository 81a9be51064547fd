"""A load generator out of one epoll loop: closed loops of calls on kept connections.

``python load.py JSON`` with a plan:

    port, calls, connections, stream, body_bytes
    keys      a file with a key on each line; they take turns
    begin     the place of the first of them, the first being 0
    models    how many models take turns, m0 and so on; 0: the one called "bench"
    a_second  new connections in a second at most; 0: all at once
    held      say "held" on a line of its own once every stream has begun; who is told
              to come again (503) does
    seconds   begin no call after these; 0: until there were all
    limit     break off after so many seconds; what runs then has failed

prints one JSON object: calls, failed and why, seconds, chunks, and latencies in
milliseconds.
``chunk_*`` is the way of one event from the provider to here, ``gap`` the longest time
between two events of one stream.
"""

import itertools
import json
import re
import select
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LIMIT_SECONDS = 180.0
HEAD_BYTES = 4096
COME_AGAIN_SECONDS = 1.0
"""How long nobody new comes after somebody was refused."""
STAMP = re.compile(rb"t:(\d{16})")
LONGEST_TAIL = 17
"""Bytes of a stream that may be the beginning of a stamp, or of the end."""


@dataclass(slots=True)
class Peer:
    """One connection and the call that runs on it."""

    socket: socket.socket
    busy: bool = False
    """A call runs: the gateway may close a connection that has none."""
    began: float = 0.0
    first: float = 0.0
    """When the answer, or the first event of a stream, began to be here."""
    last: float = 0.0
    """When the last event came."""
    answer: bytes = b""
    """The answer up to now; of a stream only its last bytes."""
    status: bytes = b""
    done: bool = False
    """A stream has said [DONE]."""


class Load:
    """A number of calls over a number of connections."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self._port: int = plan["port"]
        self._stream: bool = plan["stream"]
        self._left: int = plan["calls"]
        self._coming = min(plan["connections"], plan["calls"])
        self._a_second: float = plan.get("a_second", 0)
        self._patient: bool = plan.get("held", False)
        self._held: int = self._coming if self._patient else -1
        self._limit: float = plan.get("limit") or LIMIT_SECONDS
        self._until = time.monotonic() + (plan.get("seconds") or self._limit)
        self._next = 0.0
        """When the next connection may be opened."""
        self._running = 0
        self._epoll = select.epoll()
        self._peers: dict[int, Peer] = {}
        self._requests = self._made(plan)
        self.failed = 0
        self.why: Counter[str] = Counter()
        """How the calls failed."""
        self.refused = 0
        self.chunks = 0
        self.gap = 0.0
        self.whole: list[float] = []
        self.firsts: list[float] = []
        self.ways: list[float] = []

    def _made(self, plan: dict[str, Any]) -> Iterator[bytes]:
        """Give request after request."""
        keys = Path(plan["keys"]).read_text().split()
        begin = plan.get("begin", 0) % len(keys)
        keys = keys[begin:] + keys[:begin]
        models = [f"m{at}" for at in range(plan.get("models", 0))] or ["bench"]
        words = "hello " * max(1, plan["body_bytes"] // 6)
        streamed = {"stream": True} if self._stream else {}
        bodies = [
            json.dumps(
                {
                    "model": model,
                    "messages": [{"role": "user", "content": words}],
                    **streamed,
                }
            ).encode()
            for model in models
        ]
        ends = [b"%d\r\n\r\n%b" % (len(body), body) for body in bodies]
        for key, end in zip(itertools.cycle(keys), itertools.cycle(ends), strict=False):
            yield (
                b"POST /v1/chat/completions HTTP/1.1\r\nhost: bench\r\n"
                b"authorization: Bearer %b\r\ncontent-type: application/json\r\n"
                b"accept: */*\r\nuser-agent: bench\r\ncontent-length: %b"
                % (key.encode(), end)
            )

    def run(self) -> float:
        """Make all calls; give how long they took, in seconds."""
        began = self._next = time.monotonic()
        while self._coming or self._running:
            now = time.monotonic()
            if now - began > self._limit:
                break
            while self._coming and self._next <= now:
                self._open()
                self._next += 1 / self._a_second if self._a_second else 0
            for number, _ in self._epoll.poll(0.001 if self._coming else 1.0):
                self._read(self._peers[number])
        for why, calls in ("not over", self._running), ("not begun", self._left):
            self.failed += calls
            self.why[why] += calls
        return time.monotonic() - began

    def _open(self) -> None:
        self._coming -= 1
        peer = Peer(socket.create_connection(("127.0.0.1", self._port)))
        peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._peers[peer.socket.fileno()] = peer
        self._epoll.register(peer.socket, select.EPOLLIN)
        self._call(peer)

    def _call(self, peer: Peer) -> None:
        if time.monotonic() > self._until:
            self._left = 0
        if self._left == 0:
            return
        self._left -= 1
        self._running += 1
        peer.busy = True
        peer.answer = peer.status = b""
        peer.first = peer.last = 0.0
        peer.done = False
        request = next(self._requests)
        peer.began = time.monotonic()
        peer.socket.sendall(request)

    def _read(self, peer: Peer) -> None:
        try:
            data = peer.socket.recv(1 << 18)
        except ConnectionError:
            data = b""
        if not data:
            self._drop(peer)
            if peer.busy:
                self._ended(peer, "cut off" if peer.status else "no answer")
            return
        now = time.monotonic()
        peer.status = peer.status or data[:13]
        data = peer.answer + data
        peer.answer = self._counted(peer, data, now) if self._stream else data
        if not self._stream and not peer.first:
            peer.first = now
        if over(data):
            self._answered(peer, data, now)

    def _answered(self, peer: Peer, data: bytes, now: float) -> None:
        """Judge a whole answer, which ends like ``data``, and go on."""
        if self._patient and peer.status == b"HTTP/1.1 503 ":
            self._again(peer)
            return
        if peer.status != b"HTTP/1.1 200 ":
            if not self.failed:
                sys.stderr.write(f"The first failure: {data[-600:]!r}\n")
            self._ended(peer, peer.status.decode("latin-1"))
        elif self._stream and not peer.done:
            self._ended(peer, "not whole")
        else:
            self.whole.append(now - peer.began)
            self.firsts.append(peer.first - peer.began)
            self._ended(peer, None)
        if b"\r\nconnection: close" in data[:HEAD_BYTES].lower():
            # A generation that leaves says so; the next call is the new one's.
            self._drop(peer)
            self._coming += 1
        else:
            self._call(peer)

    def _counted(self, peer: Peer, data: bytes, now: float) -> bytes:
        """Count a stream's events; give the bytes to look at again with the next."""
        end = 0
        for stamp in STAMP.finditer(data):
            end = stamp.end()
            self.ways.append(now - int(stamp[1]) / 1e6)
            self.chunks += 1
        if end and peer.first:
            self.gap = max(self.gap, now - peer.last)
        elif end:
            peer.first = now
            self._begun()
        if end:
            peer.last = now
        peer.done = peer.done or b"[DONE]" in data
        return data[max(end, len(data) - LONGEST_TAIL) :]

    def _drop(self, peer: Peer) -> None:
        del self._peers[peer.socket.fileno()]
        self._epoll.unregister(peer.socket)
        peer.socket.close()

    def _again(self, peer: Peer) -> None:
        self._drop(peer)
        self.refused += 1
        self._running -= 1
        self._left += 1
        self._coming += 1
        self._next = time.monotonic() + COME_AGAIN_SECONDS

    def _begun(self) -> None:
        self._held -= 1
        if self._held == 0:
            print("held", flush=True)

    def _ended(self, peer: Peer, why: str | None) -> None:
        """End the call of a peer; ``why`` it failed, if it did."""
        self._running -= 1
        peer.busy = False
        if why is None:
            return
        self.failed += 1
        self.why[why] += 1
        if not peer.first:
            # It never will.
            self._begun()


def over(answer: bytes) -> bool:
    """Tell whether an answer is whole, by its last chunk or by its length."""
    if answer.endswith(b"0\r\n\r\n"):
        return True
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return False
    _, found, rest = answer[:end].lower().partition(b"content-length:")
    return bool(found) and len(answer) >= end + 4 + int(rest.split(b"\r\n", 1)[0])


def percentile(values: list[float], share: float) -> float:
    """Give a percentile in milliseconds; 0 where there is nothing."""
    ordered = sorted(values)
    at = min(len(ordered) - 1, int(share * len(ordered)))
    return round(ordered[at] * 1000, 3) if ordered else 0.0


if __name__ == "__main__":
    load = Load(json.loads(sys.argv[1]))
    seconds = load.run()
    print(
        json.dumps(
            {
                "calls": len(load.whole),
                "failed": load.failed,
                "why": +load.why,
                "refused": load.refused,
                "seconds": seconds,
                "chunks": load.chunks,
                "gap": load.gap * 1000,
                "p50": percentile(load.whole, 0.5),
                "p99": percentile(load.whole, 0.99),
                "longest": percentile(load.whole, 1),
                "first_p50": percentile(load.firsts, 0.5),
                "chunk_p50": percentile(load.ways, 0.5),
                "chunk_p99": percentile(load.ways, 0.99),
                "chunk_longest": percentile(load.ways, 1),
            }
        )
    )
