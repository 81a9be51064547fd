"""A relay between the gateway and a provider that keeps every byte it passes on."""

from typing import Any

from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.protocols.portforward import (
    ProxyClient,
    ProxyClientFactory,
    ProxyFactory,
    ProxyServer,
)


class _Answers(ProxyClient):
    def dataReceived(self, data: bytes) -> None:
        peer: Any = self.peer
        peer.factory.answers.append(data)
        super().dataReceived(data)


class _AnswersFactory(ProxyClientFactory):
    protocol = _Answers
    noisy = False


class _Requests(ProxyServer):
    clientProtocolFactory = _AnswersFactory

    def dataReceived(self, data: bytes) -> None:
        recorder: Any = self.factory
        recorder.requests.append(data)
        super().dataReceived(data)


class Recorder(ProxyFactory):
    """Listens on a free loopback port and forwards to ``port``."""

    protocol = _Requests
    noisy = False

    def __init__(self, port: int) -> None:
        super().__init__("127.0.0.1", port)
        self.requests: list[bytes] = []
        self.answers: list[bytes] = []
        self.port_of_ours = 0
        self._listening: Any = None

    async def start(self) -> None:
        """Listen on ``port_of_ours``."""
        from twisted.internet import reactor

        endpoint = TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
        self._listening = await endpoint.listen(self)
        self.port_of_ours = self._listening.getHost().port

    async def stop(self) -> None:
        """Listen no more."""
        if self._listening is not None:
            await self._listening.stopListening()

    def body(self) -> bytes:
        """Give the body of the one answer that passed, without its framing."""
        head, _, rest = b"".join(self.answers).partition(b"\r\n\r\n")
        if b"chunked" not in head.lower():
            return rest
        body = b""
        while True:
            size, _, rest = rest.partition(b"\r\n")
            length = int(size, 16)
            if length == 0:
                return body
            body, rest = body + rest[:length], rest[length + 2 :]

    def forget(self) -> None:
        """Begin anew."""
        self.requests.clear()
        self.answers.clear()
