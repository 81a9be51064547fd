"""A provider that costs next to nothing: canned answers out of one epoll loop.

``python provider.py PORT CHUNKS INTERVAL_MS [PEM]`` answers POST requests with a
fixed chat completion, or, where the body asks for a stream, with CHUNKS events, one
each INTERVAL_MS for every stream (0: all at once). Each event says when it was sent, so
that a reader knows how long it was on its way. PEM has a certificate and its key: then
it speaks TLS. On SIGUSR1 every stream ends where it would have its next event. On
SIGTERM it prints what it counted, as one JSON object.
"""

import json
import select
import signal
import socket
import ssl
import sys
import time
from collections import deque
from dataclasses import dataclass

ANSWER = json.dumps(
    {
        "id": "chatcmpl-bench",
        "object": "chat.completion",
        "created": 1790000000,
        "model": "bench",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "word " * 60,
                    "refusal": None,
                },
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 9, "completion_tokens": 60, "total_tokens": 69},
    }
).encode()
WHOLE = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
    % (len(ANSWER), ANSWER)
)
STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)
STAMP = "t:0000000000000000"


def _event(delta: dict[str, object], reason: str | None = None) -> bytes:
    body = {
        "id": "chatcmpl-bench",
        "object": "chat.completion.chunk",
        "created": 1790000000,
        "model": "bench",
        "system_fingerprint": "fp_" + "b" * 48,
        "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
    }
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def _chunked(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


BEFORE, AFTER = _chunked(_event({"role": "assistant", "content": STAMP})).split(
    STAMP.encode()
)
END = (
    _chunked(_event({}, "stop"))
    + _chunked(
        b'data: {"id":"chatcmpl-bench","object":"chat.completion.chunk",'
        b'"created":1790000000,"model":"bench","choices":[],"usage":'
        b'{"prompt_tokens":9,"completion_tokens":50,"total_tokens":59}}\n\n'
    )
    + _chunked(b"data: [DONE]\n\n")
    + b"0\r\n\r\n"
)


def _word() -> bytes:
    """Give the event of this microsecond."""
    return b"%bt:%016d%b" % (BEFORE, time.monotonic_ns() // 1000, AFTER)


@dataclass(slots=True)
class Peer:
    """One connection and what is asked on it."""

    socket: socket.socket
    partial: bytes = b""
    left: int = 0
    """Chunks of a stream that are to come."""
    shaken: bool = True


class Provider:
    """One listening socket and everything that talks to it."""

    def __init__(
        self, port: int, chunks: int, interval: float, pem: str | None
    ) -> None:
        self._chunks = chunks
        self._interval = interval
        self._context = None
        if pem is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(pem)
        self._listener = socket.create_server(("127.0.0.1", port), backlog=4096)
        self._listener.setblocking(False)
        self._epoll = select.epoll()
        self._epoll.register(self._listener, select.EPOLLIN)
        self.ends = False
        """Streams get no further event."""
        self._peers: dict[int, Peer] = {}
        self._due: deque[tuple[float, Peer]] = deque()
        """Streams in the order of their next chunks: all have one interval."""
        self.told = {"connections": 0, "requests": 0, "chunks": 0, "late_ms": 0.0}

    def serve(self) -> None:
        """Serve until SIGTERM raises SystemExit."""
        while True:
            # Half a millisecond of waiting gathers streams that are due together.
            wait = max(0.0005, self._due[0][0] - time.monotonic()) if self._due else 1.0
            for number, _ in self._epoll.poll(wait):
                if number == self._listener.fileno():
                    self._accept()
                elif number in self._peers:
                    self._read(self._peers[number])
            self._stream()

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except BlockingIOError:
                return
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            plain.setblocking(False)
            self.told["connections"] += 1
            peer = Peer(plain)
            if self._context is not None:
                peer.shaken = False
                peer.socket = self._context.wrap_socket(
                    plain, server_side=True, do_handshake_on_connect=False
                )
            self._peers[peer.socket.fileno()] = peer
            self._epoll.register(peer.socket, select.EPOLLIN)

    def _read(self, peer: Peer) -> None:
        try:
            if not peer.shaken:
                peer.socket.do_handshake()  # type: ignore[attr-defined]  # a TLS one
                peer.shaken = True
            data = peer.socket.recv(1 << 20)
            while isinstance(peer.socket, ssl.SSLSocket) and peer.socket.pending():
                data += peer.socket.recv(1 << 20)
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        except (ConnectionError, ssl.SSLError):
            data = b""
        if not data:
            self._forget(peer)
            return
        data = peer.partial + data
        head, found, body = data.partition(b"\r\n\r\n")
        length = 0
        if found:
            _, _, rest = head.lower().partition(b"content-length:")
            length = int(rest.split(b"\r\n", 1)[0] or b"0")
        if not found or len(body) < length:
            peer.partial = data
            return
        peer.partial = b""
        self._answer(peer, body)

    def _answer(self, peer: Peer, body: bytes) -> None:
        self.told["requests"] += 1
        if b'"stream":true' not in body and b'"stream": true' not in body:
            self._send(peer, WHOLE)
        elif self._interval:
            self._send(peer, STREAM_HEAD)
            peer.left = self._chunks
            self._due.append((time.monotonic() + self._interval, peer))
        else:
            self.told["chunks"] += self._chunks
            self._send(peer, STREAM_HEAD + _word() * self._chunks + END)

    def _stream(self) -> None:
        now, word = time.monotonic(), _word()
        while self._due and self._due[0][0] <= now:
            due, peer = self._due.popleft()
            if self._peers.get(peer.socket.fileno()) is not peer:
                continue
            self.told["late_ms"] = max(self.told["late_ms"], 1000 * (now - due))
            if peer.left == 0 or self.ends:
                self._send(peer, END)
                continue
            peer.left -= 1
            self.told["chunks"] += 1
            self._send(peer, word)
            self._due.append((due + self._interval, peer))

    def _send(self, peer: Peer, data: bytes) -> None:
        try:
            peer.socket.sendall(data)
        except (BlockingIOError, ConnectionError, ssl.SSLError):
            self._forget(peer)

    def _forget(self, peer: Peer) -> None:
        if self._peers.pop(peer.socket.fileno(), None) is not None:
            self._epoll.unregister(peer.socket)
            peer.socket.close()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    port, chunks, interval_ms = (int(each) for each in sys.argv[1:4])
    running = Provider(port, chunks, interval_ms / 1000, *(sys.argv[4:] or [None]))
    signal.signal(signal.SIGUSR1, lambda *_: setattr(running, "ends", True))
    try:
        running.serve()
    finally:
        print(json.dumps(running.told))
