"""A provider on the network: treq's client on an agent of ours, under four clocks."""

import math
from collections.abc import Callable, Sequence
from http.cookiejar import DefaultCookiePolicy
from typing import Any, cast

from treq.client import HTTPClient
from treq.cookies import IndexableCookieJar
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as TookTooLong
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.web.http_headers import Headers as WireHeaders
from twisted.web.iweb import IResponse

from msgspec import Struct

from lightweight.config.schema import Timeouts
from lightweight.errors import ProviderGarbage, ProviderRefused, ProviderTimeout
from lightweight.policy.key_pool import KeyPool
from lightweight.policy.retry import retry_after
from lightweight.records import Headers, Outgoing
from lightweight.upstream.agent import make_agent
from lightweight.upstream.body import Body, BytesProducer, abandon
from lightweight.upstream.failures import FAILURES, fault_of
from lightweight.upstream.provider import Source

HOP_HEADER = "x-lightweight-hop"
"""Names the gateway a request passed; a gateway that receives it refuses a loop."""

ERROR_BODY_SECONDS = 5.0
"""How long the body of an answer outside 2xx may take."""

FORWARDED = frozenset(
    {
        "accept",
        "anthropic-beta",
        "anthropic-version",
        "content-type",
        "extra-parameters",
        "openai-beta",
        "traceparent",
        "tracestate",
    }
)
"""What a dialect may send; all else it hands over is dropped, whoever put it there."""

_KEY_HEADERS = {
    "azure": "api-key",
    "anthropic": "x-api-key",
    "gemini": "x-goog-api-key",
}

REFUSED_SECONDS = 300.0
"""How long a credential rests that the provider does not accept."""

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
        trust_root: Any = None,
    ) -> None:
        """``instance`` is this gateway's id for the loop header.

        ``wall`` gives the wall clock in seconds since the epoch: providers tell dates.

        ``credential`` comes from ``credential_headers``, and so do the ``spares`` that
        are shown while those before them are limited or refused. TLS is verified
        against ``trust_root``, the system's store where it is None.
        """
        self.name = name
        self._reactor = reactor
        self._wall = wall
        self._base_url = base_url.rstrip("/")
        self._credentials = (credential, *spares)
        self._pool = KeyPool(len(self._credentials))
        self._instance = instance
        self._timeouts = timeouts
        self._agent = make_agent(
            reactor, connect_timeout=timeouts.connect, trust_root=trust_root
        )
        # Cookies of one client's call must not reach the next: none are kept.
        no_cookies = IndexableCookieJar(DefaultCookiePolicy(allowed_domains=[]))
        self._client = HTTPClient(self._agent, no_cookies, _as_it_is)

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
        last = len(self._credentials) - 1
        for _ in range(last):
            place = self._pool.choose(self._reactor.seconds())
            reply = await self._send(outgoing, request_id, place)
            if not self._is_used_up(place, reply):
                return reply
            if self._pool.wait(self._reactor.seconds()) > 0:
                return self._with_shortest_wait(reply)
            reply.body.abort()
        place = self._pool.choose(self._reactor.seconds())
        reply = await self._send(outgoing, request_id, place)
        if last and self._is_used_up(place, reply):
            return self._with_shortest_wait(reply)
        return reply

    def _is_used_up(self, place: int, reply: HttpReply) -> bool:
        """Whether a credential must rest after this reply."""
        if reply.status not in (_REFUSED, _BUSY):
            return False
        if reply.status == _REFUSED:
            seconds = REFUSED_SECONDS
        else:
            seconds = float(reply.headers.get("retry-after", "1"))
        self._pool.rest(place, seconds, self._reactor.seconds())
        return True

    def _with_shortest_wait(self, reply: HttpReply) -> HttpReply:
        """Let a 429 say when the first of all credentials may serve again."""
        if reply.status == _BUSY:
            wait = max(1, math.ceil(self._pool.wait(self._reactor.seconds())))
            reply.headers = {**reply.headers, "retry-after": str(wait)}
        return reply

    async def _send(self, outgoing: Outgoing, request_id: str, place: int) -> HttpReply:
        deadline = self._reactor.seconds() + self._timeouts.total
        clocks = _Clocks(self._reactor)
        clocks.start(
            self._timeouts.total,
            f"Provider {self.name!r} did not answer in the total time it has.",
        )
        sent = BytesProducer(
            outgoing.body,
            lambda: clocks.start(
                self._timeouts.first_byte,
                f"Provider {self.name!r} did not begin to answer in time.",
            ),
        )
        try:
            asked = self._request(outgoing, request_id, sent, self._credentials[place])
            clocks.expired = asked.cancel
            response = await asked
        except CancelledError:
            if clocks.fault is not None:
                raise clocks.fault from None
            raise
        except FAILURES as error:
            raise fault_of(self.name, error) from None
        finally:
            clocks.stop()
        return self._judged(response, deadline)

    async def probe(self) -> None:
        """Ask for the list of models, which costs no token.

        Any answer below 500 will do, also that there is no such list: the server
        works. Raises ProviderUnreachable, ProviderTimeout, ProviderGarbage or
        ProviderRefused. Cancelling resets the connection and raises ``CancelledError``.
        """
        place = self._pool.choose(self._reactor.seconds())
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

    def _request(
        self,
        outgoing: Outgoing,
        request_id: str,
        body: BytesProducer,
        credential: Headers,
    ) -> Deferred[IResponse]:
        headers = WireHeaders()
        for name, value in outgoing.headers.items():
            if name.lower() in FORWARDED:
                headers.setRawHeaders(name, [value])
        own = {**credential, HOP_HEADER: self._instance}
        for name, value in own.items():
            headers.setRawHeaders(name, [value])
        headers.setRawHeaders("x-client-request-id", [request_id])
        asked = self._client.request(
            "POST",
            self._base_url + outgoing.path,
            headers=headers,
            data=body,
            unbuffered=True,
            allow_redirects=False,
            reactor=self._reactor,
        )
        return cast("Deferred[IResponse]", asked)

    def _judged(self, response: IResponse, deadline: float) -> HttpReply:
        if response.code in _REDIRECTS:
            abandon(response)
            raise ProviderGarbage(
                f"Provider {self.name!r} answered with a redirect; check its base_url."
            )
        if response.code not in _GOOD:
            soon = self._reactor.seconds() + ERROR_BODY_SECONDS
            deadline = min(deadline, soon)
        body = Body(
            response,
            self._reactor,
            name=self.name,
            idle=self._timeouts.idle,
            deadline=deadline,
        )
        headers = _with_wait_in_seconds(_readable(response.headers), self._wall())
        return HttpReply(response.code, headers, body)


class _Clocks:
    """Whichever runs out first says why and calls ``expired``."""

    def __init__(self, clock: IReactorTime) -> None:
        self.fault: ProviderTimeout | None = None
        self.expired: Callable[[], None] = lambda: None
        self._clock = clock
        self._running: list[IDelayedCall] = []

    def start(self, seconds: float, text: str) -> None:
        self._running.append(self._clock.callLater(seconds, self._ran_out, text))

    def stop(self) -> None:
        for call in self._running:
            if call.active():
                call.cancel()

    def _ran_out(self, text: str) -> None:
        self.stop()
        self.fault = ProviderTimeout(text)
        self.expired()


def _as_it_is(body: BytesProducer) -> BytesProducer:
    return body


def _with_wait_in_seconds(headers: Headers, now: float) -> Headers:
    """Let Retry-After hold whole seconds or be absent: nobody else reads dates."""
    if "retry-after" not in headers:
        return headers
    rest = {name: value for name, value in headers.items() if name != "retry-after"}
    wait = retry_after(headers["retry-after"], now)
    return rest if wait is None else {**rest, "retry-after": str(math.ceil(wait))}


def _readable(headers: WireHeaders) -> Headers:
    readable = {
        name.decode("latin-1").lower(): b", ".join(values).decode("latin-1")
        for name, values in headers.getAllRawHeaders()
    }
    # treq makes an empty one where there was none; the agent lets no other pass.
    readable.pop("content-encoding", None)
    return readable
