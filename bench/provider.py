"""A provider that costs next to nothing: canned answers out of one epoll loop.

``python provider.py PORT [CHUNKS] [INTERVAL_MS]`` answers POST requests with a fixed
chat completion, or, where the body asks for a stream, with CHUNKS events, one each
INTERVAL_MS for every stream (0: all at once).
"""

import json
import select
import socket
import sys
import time

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


def _event(delta: dict[str, object], reason: str | None = None) -> bytes:
    body = {
        "id": "chatcmpl-bench",
        "object": "chat.completion.chunk",
        "created": 1790000000,
        "model": "bench",
        "system_fingerprint": "fp_" + "b" * 60,
        "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
    }
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def _chunked(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


WORD = _chunked(_event({"role": "assistant", "content": "word "}))
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


class Provider:
    """One listening socket and everything that talks to it."""

    def __init__(self, port: int, chunks: int, interval: float) -> None:
        self._chunks = chunks
        self._interval = interval
        self._listener = socket.create_server(("127.0.0.1", port), backlog=4096)
        self._listener.setblocking(False)
        self._epoll = select.epoll()
        self._epoll.register(self._listener, select.EPOLLIN)
        self._peers: dict[int, socket.socket] = {}
        self._partial: dict[int, bytes] = {}
        self._streams: dict[int, int] = {}

    def serve(self) -> None:
        """Serve until killed."""
        due = time.monotonic()
        while True:
            wait = max(0.0, due - time.monotonic()) if self._streams else 1.0
            for number, _ in self._epoll.poll(wait):
                if number == self._listener.fileno():
                    self._accept()
                else:
                    self._read(number)
            now = time.monotonic()
            if now >= due:
                self._tick()
                due = max(due + self._interval, now) if self._streams else now

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except BlockingIOError:
                return
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            peer.setblocking(False)
            self._peers[peer.fileno()] = peer
            self._partial[peer.fileno()] = b""
            self._epoll.register(peer, select.EPOLLIN)

    def _read(self, number: int) -> None:
        try:
            data = self._peers[number].recv(1 << 20)
        except (BlockingIOError, ConnectionError):
            data = b""
        if not data:
            self._forget(number)
            return
        data = self._partial[number] + data
        head, found, body = data.partition(b"\r\n\r\n")
        length = 0
        if found:
            _, _, rest = head.lower().partition(b"content-length:")
            length = int(rest.split(b"\r\n", 1)[0] or b"0")
        if not found or len(body) < length:
            self._partial[number] = data
            return
        self._partial[number] = b""
        if b'"stream":true' in body or b'"stream": true' in body:
            self._send(number, STREAM_HEAD)
            self._streams[number] = self._chunks
            if not self._interval:
                self._send(number, WORD * self._chunks + END)
                del self._streams[number]
        else:
            self._send(number, WHOLE)

    def _tick(self) -> None:
        for number, left in list(self._streams.items()):
            self._streams[number] = left - 1
            self._send(number, WORD if left > 0 else END)
            if left <= 0:
                self._streams.pop(number, None)

    def _send(self, number: int, data: bytes) -> None:
        try:
            self._peers[number].sendall(data)
        except (BlockingIOError, ConnectionError):
            self._forget(number)

    def _forget(self, number: int) -> None:
        peer = self._peers.pop(number, None)
        self._streams.pop(number, None)
        self._partial.pop(number, None)
        if peer is not None:
            self._epoll.unregister(peer)
            peer.close()


if __name__ == "__main__":
    port, chunks, interval_ms = (int(each) for each in [*sys.argv[1:], "50", "0"][:3])
    Provider(port, chunks, interval_ms / 1000).serve()
