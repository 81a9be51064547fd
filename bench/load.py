"""A load generator out of one epoll loop: closed loops of calls on kept connections.

``python load.py JSON`` with port, key, connections, calls, stream, body_bytes; prints
one JSON object: calls, failed, seconds, events, and latencies in milliseconds.
"""

import json
import select
import socket
import sys
import time
from dataclasses import dataclass, field
from typing import Any

LIMIT_SECONDS = 120.0


@dataclass
class Peer:
    """One connection and the call that runs on it."""

    socket: socket.socket
    began: float = 0.0
    first: float = 0.0
    answer: bytearray = field(default_factory=bytearray)


class Load:
    """A number of calls over a number of connections."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self._stream: bool = plan["stream"]
        self._left: int = plan["calls"]
        self._running = 0
        self._epoll = select.epoll()
        self._peers: dict[int, Peer] = {}
        self._request = self._made(plan)
        self.failed = 0
        self.events = 0
        self.whole: list[float] = []
        self.firsts: list[float] = []
        for _ in range(min(plan["connections"], plan["calls"])):
            peer = Peer(socket.create_connection(("127.0.0.1", plan["port"])))
            peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._peers[peer.socket.fileno()] = peer
            self._epoll.register(peer.socket, select.EPOLLIN)

    def _made(self, plan: dict[str, Any]) -> bytes:
        words = "hello " * max(1, plan["body_bytes"] // 6)
        body = json.dumps(
            {
                "model": "bench",
                "messages": [{"role": "user", "content": words}],
                **({"stream": True} if self._stream else {}),
            }
        ).encode()
        return (
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: bench\r\n"
            b"authorization: Bearer %b\r\ncontent-type: application/json\r\n"
            b"accept: */*\r\nuser-agent: bench\r\ncontent-length: %d\r\n\r\n%b"
            % (plan["key"].encode(), len(body), body)
        )

    def run(self) -> float:
        """Make all calls; give how long they took, in seconds."""
        began = time.monotonic()
        for peer in self._peers.values():
            self._call(peer)
        while self._running and time.monotonic() - began < LIMIT_SECONDS:
            for number, _ in self._epoll.poll(1.0):
                self._read(self._peers[number])
        self.failed += self._running + self._left
        return time.monotonic() - began

    def _call(self, peer: Peer) -> None:
        if self._left == 0:
            return
        self._left -= 1
        self._running += 1
        peer.answer.clear()
        peer.first = 0.0
        peer.began = time.monotonic()
        peer.socket.sendall(self._request)

    def _read(self, peer: Peer) -> None:
        data = peer.socket.recv(1 << 18)
        if not data:
            self._epoll.unregister(peer.socket)
            self._ended(good=False)
            return
        if not peer.first:
            peer.first = time.monotonic()
        peer.answer += data
        if not self._over(peer.answer):
            return
        good = peer.answer.startswith(b"HTTP/1.1 200 ")
        if self._stream:
            self.events += peer.answer.count(b"data: ")
            good = good and b"data: [DONE]" in peer.answer
        self.whole.append(time.monotonic() - peer.began)
        self.firsts.append(peer.first - peer.began)
        self._ended(good=good)
        self._call(peer)

    def _ended(self, *, good: bool) -> None:
        self._running -= 1
        self.failed += not good

    def _over(self, answer: bytearray) -> bool:
        if answer.endswith(b"\r\n0\r\n\r\n"):
            return True
        end = answer.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = bytes(answer[:end]).lower()
        _, found, rest = head.partition(b"content-length:")
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
                "seconds": seconds,
                "events": load.events,
                "p50": percentile(load.whole, 0.5),
                "p99": percentile(load.whole, 0.99),
                "first_p50": percentile(load.firsts, 0.5),
            }
        )
    )
