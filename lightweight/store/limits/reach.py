"""How a Redis server is reached: its address, or its Sentinels', and its greeting.

txredisapi's own factories try a wrong password once and never again, and let commands
wait for ever: only its protocol is used, with a factory that decides nothing.
"""

from collections import deque
from typing import Any

from twisted.internet.defer import CancelledError
from twisted.internet.endpoints import (
    HostnameEndpoint,
    UNIXClientEndpoint,
    wrapClientTLS,
)
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IAddress, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.ssl import optionsForClientTLS
from txredisapi import RedisError

from lightweight.config.redis import HostPort, RedisPlace
from lightweight.store.limits.limiter import LimitsUnavailable
from lightweight.store.limits.speaker import Gone, Send, Speaker, in_its_turn


class _Once(Factory):
    """Makes one Speaker; txredisapi tells it, as its factory, why a greeting failed."""

    noisy = False
    isLazy = False

    def __init__(self, speaker: Speaker) -> None:
        self._speaker = speaker
        self.refusal: str | None = None
        speaker.factory = self

    def buildProtocol(self, addr: IAddress | None) -> Speaker:  # noqa: ARG002 -- Twisted's
        """Give the one Speaker."""
        return self._speaker

    def stopTrying(self) -> None:
        """Do nothing: whether to try again is decided elsewhere."""

    def connectionError(self, why: str) -> None:
        """Keep the server's word; one without AUTH repeats what came with it."""
        password = self._speaker.password
        hidden = why.replace(password, "***") if password else why
        self.refusal = hidden.removeprefix("Redis error: ")


class Reach:
    """The way to the server of one place."""

    def __init__(
        self,
        place: RedisPlace,
        *,
        reactor: Any,
        trust_root: Any = None,
        send: Send = in_its_turn,
    ) -> None:
        """TLS is verified against ``trust_root``, the system's store if it is None."""
        self._place = place
        self._reactor = reactor
        self._send = send
        self._trust_root = trust_root
        self._sentinels = deque(place.hosts)

    async def open(self, gone: Gone) -> Speaker:
        """Give a connection that takes commands.

        Waits as long as the network does. Raises LimitsUnavailable, whose text is a
        reason without a full stop. Cancelling leaves no connection behind.
        """
        place = self._place
        endpoint: IStreamClientEndpoint
        if place.path:
            endpoint = UNIXClientEndpoint(self._reactor, place.path)
        elif place.service is None:
            endpoint = self._endpoint(place.hosts[0])
        else:
            endpoint = self._endpoint(await self._master(place.service))
        speaker = Speaker(place, gone, reactor=self._reactor, send=self._send)
        return await _greeted(endpoint, speaker)

    def _endpoint(self, host_port: HostPort) -> IStreamClientEndpoint:
        host, port = host_port
        endpoint = HostnameEndpoint(self._reactor, host, port)
        if not self._place.tls:
            return endpoint
        return wrapClientTLS(optionsForClientTLS(host, self._trust_root), endpoint)

    async def _master(self, service: str) -> HostPort:
        """Ask the Sentinel whose turn it is; a dead one costs one attempt."""
        self._sentinels.rotate(-1)
        endpoint = self._endpoint(self._sentinels[-1])
        sentinel = await _greeted(
            endpoint, Speaker(None, lambda *_: None, reactor=self._reactor)
        )
        try:
            answer = await sentinel.execute_command(
                "SENTINEL", "GET-MASTER-ADDR-BY-NAME", service
            )
        except RedisError as error:
            raise LimitsUnavailable(f"the Sentinel said {error}") from error
        finally:
            sentinel.transport.abortConnection()
        if answer is None:
            raise LimitsUnavailable(f"the Sentinel knows no master of {service}")
        host, port = answer
        return host.decode(), int(port)


async def _greeted(endpoint: IStreamClientEndpoint, speaker: Speaker) -> Speaker:
    try:
        await endpoint.connect(_Once(speaker))
    except (ConnectError, OSError) as error:
        raise LimitsUnavailable(str(error).rstrip(".")) from error
    try:
        await speaker.greeted
    except CancelledError:
        speaker.transport.abortConnection()
        raise
    return speaker
