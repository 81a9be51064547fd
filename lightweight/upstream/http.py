"""A provider on the network, under four clocks.

Calls go straight to the pool of connections; what is no call goes through treq.
"""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from http.cookiejar import DefaultCookiePolicy
from typing import Any

from treq.client import HTTPClient
from treq.cookies import IndexableCookieJar
from twisted.internet.defer import CancelledError
from twisted.internet.defer import TimeoutError as TookTooLong
from twisted.web.http_headers import Headers as WireHeaders

from msgspec import Struct

from lightweight.config.schema import Timeouts
from lightweight.errors import ProviderGarbage, ProviderRefused, ProviderTimeout
from lightweight.policy.key_pool import KeyPool
from lightweight.policy.retry import retry_after
from lightweight.records import Headers, Outgoing
from lightweight.upstream.agent import ProviderAgent
from lightweight.upstream.failures import FAILURES, fault_of
from lightweight.upstream.incoming import Incoming
from lightweight.upstream.provider import Source
from lightweight.upstream.response import abandon
from lightweight.upstream.wire_request import Opening, Request, lines_of, origin_of

HOP_HEADER = "x-lightweight-hop"
"""Names the gateway a request passed; a gateway that receives it refuses a loop."""

ERROR_BODY_SECONDS = 5.0
"""How long the body of an answer outside 2xx may take."""

_FORWARDED = {
    name: name.title()
    for name in (
        "accept",
        "anthropic-beta",
        "anthropic-version",
        "content-type",
        "extra-parameters",
        "openai-beta",
        "traceparent",
        "tracestate",
    )
}
"""What a dialect may send; all else it hands over is dropped, whoever put it there."""

_KEY_HEADERS = {
    "azure": "api-key",
    "anthropic": "x-api-key",
    "gemini": "x-goog-api-key",
}

REFUSED_SECONDS = 300.0
"""How long a credential rests that the provider does not accept."""

HEADS = 64
"""Beginnings of a head that are kept for a provider."""

PROBE_SECONDS = 10.0
"""How long a probe may take, connecting included."""

_OWN_TROUBLE = 500
_REDIRECTS = range(300, 400)
_REFUSED = 401
_BUSY = 429
_GOOD = range(200, 300)


def credential_headers(kind: str, key: str | None) -> Headers:
    """Give the headers that show a provider of this kind its key; none without one."""
    if not key:
        return {}
    name = _KEY_HEADERS.get(kind)
    return {"authorization": f"Bearer {key}"} if name is None else {name: key}


class HttpReply(Struct):
    """A reply from the network; not frozen since ``Reply`` does not promise it."""

    status: int
    headers: Headers
    body: Source


class HttpProvider:
    """One configured provider on the network."""

    def __init__(
        self,
        reactor: Any,
        *,
        name: str,
        base_url: str,
        credential: Headers,
        timeouts: Timeouts,
        instance: str,
        wall: Callable[[], float],
        spares: Sequence[Headers] = (),
        authorities: str | None = None,
    ) -> None:
        """``instance`` is this gateway's id for the loop header.

        ``wall`` gives the wall clock in seconds since the epoch: providers tell dates.

        ``credential`` comes from ``credential_headers``, and so do the ``spares`` that
        are shown while those before them are limited or refused. TLS is verified
        against ``authorities`` (PEM), the system's where it is None. Raises ValueError
        where a credential or the URL cannot stand in a request.
        """
        self.name = name
        self._reactor = reactor
        self._wall = wall
        self._base_url = base_url.rstrip("/")
        self._credentials = (credential, *spares)
        self._keys = KeyPool(len(self._credentials))
        self._alone = not spares
        self._instance = instance
        self._timeouts = timeouts
        self._agent = ProviderAgent(
            reactor, connect_timeout=timeouts.connect, authorities=authorities
        )
        origin, prefix = origin_of(self._base_url)
        self._pool = self._agent.pool(origin)
        self._openings = [
            Opening(origin, prefix, {**each, HOP_HEADER: instance})
            for each in self._credentials
        ]
        # What most heads have in common, of which few change from call to call.
        self._begun = lru_cache(maxsize=HEADS)(self._begin)
        # Cookies of one call must not reach the next: none are kept.
        no_cookies = IndexableCookieJar(DefaultCookiePolicy(allowed_domains=[]))
        self._client = HTTPClient(self._agent, no_cookies)

    @property
    def connections(self) -> tuple[int, int]:
        """How many connections were opened so far, and how often one was reused."""
        return self._agent.connections

    async def send(self, outgoing: Outgoing, request_id: str) -> HttpReply:
        """Send a request and give its reply once the head arrived.

        A credential that is limited or refused makes way for the next, if one is left.
        Raises ProviderUnreachable, ProviderTimeout or ProviderGarbage. Cancelling
        resets the connection at once and raises ``CancelledError``.
        """
        timeouts = self._timeouts
        spares = len(self._credentials) - 1
        while True:
            # One alone never rests.
            place = 0 if self._alone else self._keys.choose(self._reactor.seconds())
            incoming = Incoming(
                self._agent.deadlines,
                self.name,
                timeouts.first_byte,
                timeouts.idle,
                timeouts.total,
            )
            request = self._request(outgoing, request_id, place)
            try:
                await self._pool.ask(request, incoming)
            except CancelledError:
                if incoming.fault is not None:
                    raise incoming.fault from None
                raise
            except FAILURES as error:
                raise fault_of(self.name, error) from None
            reply = self._judged(incoming)
            if self._alone or not self._is_used_up(place, reply):
                return reply
            if not spares or self._keys.wait(self._reactor.seconds()) > 0:
                return self._with_shortest_wait(reply)
            spares -= 1
            reply.body.abort()

    def _is_used_up(self, place: int, reply: HttpReply) -> bool:
        """Whether a credential must rest after this reply."""
        if reply.status not in (_REFUSED, _BUSY):
            return False
        if reply.status == _REFUSED:
            seconds = REFUSED_SECONDS
        else:
            seconds = float(reply.headers.get("retry-after", "1"))
        self._keys.rest(place, seconds, self._reactor.seconds())
        return True

    def _with_shortest_wait(self, reply: HttpReply) -> HttpReply:
        """Let a 429 say when the first of all credentials may serve again."""
        if reply.status == _BUSY:
            wait = max(1, math.ceil(self._keys.wait(self._reactor.seconds())))
            reply.headers = {**reply.headers, "retry-after": str(wait)}
        return reply

    def _request(self, outgoing: Outgoing, request_id: str, place: int) -> Request:
        body = outgoing.body
        begun = self._begun(place, outgoing.path, tuple(outgoing.headers.items()))
        head = (
            f"{begun}X-Client-Request-Id: {request_id}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return Request(head.encode(), body)

    def _begin(
        self, place: int, path: str, headers: tuple[tuple[str, str], ...]
    ) -> str:
        lines = lines_of(
            {_FORWARDED[name]: value for name, value in headers if name in _FORWARDED}
        )
        return self._openings[place].begun("POST", path, lines)

    def _judged(self, incoming: Incoming) -> HttpReply:
        status, headers = incoming.status, incoming.fields
        if status in _REDIRECTS:
            incoming.abort()
            raise ProviderGarbage(
                f"Provider {self.name!r} answered with a redirect; check its base_url."
            )
        if status not in _GOOD:
            incoming.hurry(ERROR_BODY_SECONDS)
        if "retry-after" in headers:
            headers = _with_wait_in_seconds(headers, self._wall)
        return HttpReply(status, headers, incoming)

    async def probe(self) -> None:
        """Ask for the list of models, which costs no token.

        Any answer below 500 will do, also that there is no such list: the server
        works. Raises ProviderUnreachable, ProviderTimeout, ProviderGarbage or
        ProviderRefused. Cancelling resets the connection and raises ``CancelledError``.
        """
        place = self._keys.choose(self._reactor.seconds())
        own = {**self._credentials[place], HOP_HEADER: self._instance}
        asked = self._client.request(
            "GET",
            f"{self._base_url}/models",
            headers=WireHeaders({name: [value] for name, value in own.items()}),
            unbuffered=True,
            allow_redirects=False,
            reactor=self._reactor,
        )
        try:
            response = await asked.addTimeout(PROBE_SECONDS, self._reactor)
        except TookTooLong:
            raise ProviderTimeout(
                f"Provider {self.name!r} did not answer a probe in time."
            ) from None
        except FAILURES as error:
            raise fault_of(self.name, error) from None
        abandon(response)
        if response.code >= _OWN_TROUBLE:
            raise ProviderRefused(
                f"Provider {self.name!r} answered a probe with {response.code}."
            )

    async def close(self) -> None:
        """Close idle connections; replies in flight are left alone."""
        await self._agent.close()


def _with_wait_in_seconds(headers: Headers, wall: Callable[[], float]) -> Headers:
    """Let Retry-After hold whole seconds or be absent: nobody else reads dates."""
    rest = {name: value for name, value in headers.items() if name != "retry-after"}
    wait = retry_after(headers["retry-after"], wall())
    return rest if wait is None else {**rest, "retry-after": str(math.ceil(wait))}
